import { assert, assertEquals } from "@std/assert";
import { Random } from "../../src/generate/random.ts";
import { RecentRows } from "../../src/generate/recent_rows.ts";

function add(rows: RecentRows, text: string): void {
  const bytes = new TextEncoder().encode(`before,${text}`);
  rows.add(bytes, { startByte: 7, endByte: bytes.length });
}

Deno.test("RecentRows gives rows of before, near ones more often, none too old", () => {
  const rows = new RecentRows();
  for (let number = 0; number < 50_000; number++) add(rows, `row ${number}\n`);
  const random = new Random(1, 1);
  let nearCount = 0;
  let farthest = 0;
  for (let draw = 0; draw < 20_000; draw++) {
    const match = /^row (\d+)\n$/.exec(new TextDecoder().decode(rows.pick(random)));
    const distance = 50_000 - Number(match![1]);
    assert(distance >= 1 && distance <= 16_384, `distance ${distance}`);
    if (distance <= 128) nearCount++;
    farthest = Math.max(farthest, distance);
  }
  assert(nearCount > 9_000 && nearCount < 11_000, `${nearCount} of 20,000 from the last 128`);
  assert(farthest > 15_000, `farthest ${farthest}`);
});

Deno.test("RecentRows does not remember a very long row", () => {
  const rows = new RecentRows();
  add(rows, "x".repeat(513));
  assertEquals(rows.isEmpty, true);
  add(rows, "short\n");
  assertEquals(new TextDecoder().decode(rows.pick(new Random(1, 1))), "short\n");
});
