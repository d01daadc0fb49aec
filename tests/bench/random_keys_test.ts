import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { randomizeKeys } from "./random_keys.ts";

const HEADER = "event_id,price";
const KEYS = [0, 1, 2].map((number) => `019ce9a4-8800-7001-b923-a6f407cf948${number}`);
const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12},/;

function randomized(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  randomizeKeys(bytes);
  return new TextDecoder().decode(bytes).split("\n");
}

Deno.test("keys of generated events become random ones of version 4, each time the same", () => {
  const lines = [HEADER, ...KEYS.map((key) => `${key},12.50`)];
  const [header, ...events] = randomized(lines.join("\n"));
  assertEquals(header, HEADER);
  for (const event of events) {
    assertMatch(event, VERSION_4);
    assert(event.endsWith(",12.50"));
  }
  assertEquals(new Set(events).size, KEYS.length);
  assertNotEquals(events.toSorted(), events);
  assertEquals(randomized(lines.join("\n")), [HEADER, ...events]);
});

Deno.test("a repeated key stays a repeated key, and what is no key stays as it is", () => {
  const odd = ["not-a-uuid,1", "g19ce9a4-8800-7001-b923-a6f407cf9481,1", "", "019ce9a4-8800"];
  const [first, ...others] = randomized([`${KEYS[0]},1`, ...odd, `${KEYS[0]},1`].join("\n"));
  assertMatch(first!, VERSION_4);
  assertEquals(others, [...odd, first!]);
});
