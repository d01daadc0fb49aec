import { assert, assertEquals, assertLess } from "@std/assert";
import { copyIn } from "../../src/database/copy_in.ts";
import { copySql } from "../../src/schema/ddl.ts";
import type { Schema } from "../../src/schema/schema.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { gatherTuples, keyOrder } from "../../src/sink/key_order.ts";
import { KeyReader } from "../../src/sink/key_reader.ts";
import { KeyTable } from "../../src/sink/key_table.ts";
import { csvText, eventLine } from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { csvBatch } from "./csv_batch.ts";

/** `event_id` last, so that columns of any length, and nulls, stand before it. */
const KEY_LAST: Schema = {
  ...USER_EVENTS,
  columns: [...USER_EVENTS.columns.slice(1), USER_EVENTS.columns[0]!],
};

const BIGINT_KEY: Schema = { ...USER_EVENTS, key: "user_id" };

/** Rows whose keys are random, yet the same each time. */
function randomLines(count: number): string[] {
  let state = 1;
  const next = () => state = Math.imul(state, 48_271) >>> 0;
  const digits = () => (next().toString(16) + next().toString(16)).padStart(16, "0").slice(0, 16);
  return Array.from({ length: count }, (_, index) => {
    const key = digits() + digits();
    const uuid = `${key.slice(0, 8)}-${key.slice(8, 12)}-4${key.slice(13, 16)}-8${
      key.slice(17, 20)
    }-${key.slice(20)}`;
    return uuid + eventLine(index).slice(36);
  });
}

function keysOf(lines: readonly string[]): string[] {
  return lines.map((line) => line.slice(0, 36).replaceAll("-", ""));
}

function textsOf(text: string): string[] {
  return text.slice(1, -1).split(",");
}

for (const [name, schema] of [["first", USER_EVENTS], ["last", KEY_LAST]] as const) {
  Deno.test(`keys are read from tuples, the key being the ${name} column`, () => {
    const lines = randomLines(100);
    lines[50] = lines[50]!.replace(/Lamp \d+,Home/, ",");
    const keys = new KeyReader(schema);
    keys.read(csvBatch(csvText(lines), { schema }));
    const rows = Int32Array.from(lines.keys());
    assertEquals(textsOf(keys.arrayText(rows)), keysOf(lines));
    assertEquals(new Set(keys.hashes()).size, lines.length);
  });
}

Deno.test("keys of type bigint are read, over the whole of their range", () => {
  const ids = ["1", "9223372036854775807", "4294967296", "77"];
  const lines = ids.map((id, index) => eventLine(index).replace(/view,\d+/, `view,${id}`));
  const keys = new KeyReader(BIGINT_KEY);
  const batch = csvBatch(csvText(lines), { schema: BIGINT_KEY });
  keys.read(batch);
  assertEquals(textsOf(keys.arrayText(Int32Array.of(0, 1, 2, 3))), ids);
  assertEquals([...keyOrder(keys.ranks())!], [0, 3, 2, 1]);
});

Deno.test("an array of no keys is empty", () => {
  const keys = new KeyReader(USER_EVENTS);
  keys.read(csvBatch(csvText([eventLine(1)])));
  assertEquals(keys.arrayText(new Int32Array(0)), "{}");
});

Deno.test("hashes tell keys apart that differ in a bit, wherever it is", () => {
  const keys = new KeyReader(USER_EVENTS);
  const lines: string[] = [];
  for (let digit = 0; digit < 32; digit++) {
    for (const bit of [1, 2, 4, 8]) {
      const hex = "0".repeat(digit) + bit.toString(16) + "0".repeat(31 - digit);
      const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
      lines.push(uuid + eventLine(lines.length).slice(36));
    }
  }
  const batch = csvBatch(csvText(lines));
  keys.read(batch);
  const hashes = new Set(keys.hashes());
  assertEquals(hashes.size, 128);
  assert(!hashes.has(0));
});

Deno.test("rows go in the order of their keys", () => {
  const lines = randomLines(5_000);
  const batch = csvBatch(csvText(lines));
  const keys = new KeyReader(USER_EVENTS);
  keys.read(batch);
  const order = [...keyOrder(keys.ranks())!];
  assertEquals([...order].sort((a, b) => a - b), [...lines.keys()]);
  const texts = keysOf(lines);
  // 40 bits of each key count, and these are far enough apart
  assertEquals(order.map((row) => texts[row]), [...texts].sort());
});

Deno.test("rows in order already are left as they are, equal keys included", () => {
  const keys = new KeyReader(USER_EVENTS);
  const lines = [eventLine(1), eventLine(2, { key: 1 }), eventLine(3)];
  const batch = csvBatch(csvText(lines));
  keys.read(batch);
  assertEquals(keyOrder(keys.ranks()), null);
});

Deno.test("gathered tuples are what the batch holds, in pieces of bounded size", async () => {
  await using database = await testDatabase({ setUp: true });
  const lines = randomLines(8_000);
  // longer than a piece
  lines[4_000] = lines[4_000]!.replace("Home", "H".repeat(600_000));
  const batch = csvBatch(csvText(lines));
  const keys = new KeyReader(USER_EVENTS);
  keys.read(batch);
  const load = async (bytes: Uint8Array | Iterable<Uint8Array>) =>
    await database.sql.begin(async (sql) => {
      await sql`truncate user_events`;
      await copyIn(sql, { statement: copySql(USER_EVENTS, "user_events"), bytes });
      const [row] = await sql<{ sum: string }[]>`
        select sum(hashtextextended((e.event_id, e.event_timestamp, e.event_type, e.user_id,
          e.product_id, e.product_name, e.category, e.price, e.quantity, e.line_number)::text, 0))
          || ' ' || count(*) as sum
        from user_events e`;
      return row!.sum;
    });
  const order = keyOrder(keys.ranks())!;
  const sizes: number[] = [];
  function* measured() {
    for (const piece of gatherTuples(batch, order)) {
      sizes.push(piece.length);
      yield piece;
    }
  }
  assertEquals(await load(measured()), await load(batch.tuples.finish()));
  assertLess(Math.max(...sizes), 700_000);
  assertLess(sizes.length, 20);
});

Deno.test("a table of keys marks what comes again, and what it holds, and nothing else", () => {
  const table = new KeyTable();
  const hashes = Uint32Array.from({ length: 1_000 }, (_, index) => index * 2 ** 16 + index % 7 + 1);
  const marks = new Uint8Array(1_003);
  table.fill(Uint32Array.of(...hashes, hashes[0]!, 9, hashes[999]!), marks);
  assertEquals([...marks].flatMap((mark, index) => mark === 1 ? [index] : []), [1_000, 1_002]);
  const held = new Uint8Array(4);
  table.markHeld(Uint32Array.of(hashes[5]!, 2 ** 16 + 10, 9, 10), held);
  assertEquals([...held], [1, 0, 1, 0]);
  table.fill(Uint32Array.of(2 ** 31), new Uint8Array(1));
  const after = new Uint8Array(1_000);
  table.markHeld(hashes, after);
  assertEquals(after.indexOf(1), -1);
});
