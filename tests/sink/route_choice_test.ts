import { assertEquals } from "@std/assert";
import type { Batch } from "../../src/sink/batch.ts";
import { RouteChoice } from "../../src/sink/route_choice.ts";
import { csvText, eventLines } from "../support/ingest_fixture.ts";
import { csvBatch } from "./csv_batch.ts";

const BATCH = csvBatch(csvText(eventLines(0, 3)));
const EMPTY: Batch = csvBatch(csvText([]));

/** As postgres.js throws what the server says. */
function refusal(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { name: "PostgresError", code });
}

Deno.test("batches go straight until a key repeats, then split until a clean stretch", () => {
  const choice = new RouteChoice({ hasFilter: false });
  assertEquals(choice.routeFor(BATCH), "copy");
  assertEquals(choice.after("copy", refusal("23505")), "split");
  for (let count = 0; count < 7; count++) {
    choice.committed("split", true);
    assertEquals(choice.routeFor(BATCH), "split");
  }
  choice.committed("split", false);
  for (let count = 0; count < 8; count++) {
    assertEquals(choice.routeFor(BATCH), "split");
    choice.committed("split", true);
  }
  assertEquals(choice.routeFor(BATCH), "copy");
});

Deno.test("what no key is to blame for is staged", () => {
  const choice = new RouteChoice({ hasFilter: false });
  assertEquals(choice.after("copy", refusal("23514")), "staging");
  assertEquals(choice.routeFor(BATCH), "staging");
});

Deno.test("a batch that cannot be split, then one that cannot be staged", () => {
  const choice = new RouteChoice({ hasFilter: false });
  assertEquals(choice.after("copy", refusal("23505")), "split");
  assertEquals(choice.after("split", refusal("23505")), "ask");
  assertEquals(choice.after("ask", refusal("23505")), "staging");
  assertEquals(choice.after("staging", refusal("23505")), null);
  assertEquals(choice.after("copy", refusal("40001")), null);
  assertEquals(choice.after("copy", new TypeError("ours")), null);
});

Deno.test("the more often splitting fails, the more batches ask first", () => {
  const choice = new RouteChoice({ hasFilter: false });
  choice.after("copy", refusal("23505"));
  for (const asks of [2, 4, 8, 16, 32, 64, 64]) {
    assertEquals(choice.routeFor(BATCH), "split");
    assertEquals(choice.after("split", refusal("23505")), "ask");
    for (let count = 0; count < asks; count++) {
      assertEquals(choice.routeFor(BATCH), "ask");
      choice.committed("ask", false);
    }
  }
  choice.committed("split", false);
  choice.after("split", refusal("23505"));
  choice.committed("ask", false);
  choice.committed("ask", false);
  assertEquals(choice.routeFor(BATCH), "split");
});

Deno.test("a table that may keep rows out in silence is always staged", () => {
  const choice = new RouteChoice({ hasFilter: true });
  for (let count = 0; count < 20; count++) choice.committed("staging", true);
  assertEquals(choice.routeFor(BATCH), "staging");
  assertEquals(choice.routeFor(EMPTY), "copy");
});
