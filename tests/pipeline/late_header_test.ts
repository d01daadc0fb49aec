/** A header that comes late, or in pieces, is the header all the same, and no record. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import {
  csvText,
  eventLine,
  HEADER,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  withPlace,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";

async function fileRow({ database: { sql } }: IngestPlace) {
  const [row] = await sql`
    select loaded::int, rejected::int, headers::int, convert_from(header, 'UTF8') as header, state
    from pgsluice.files`;
  return { ...row };
}

const LOADED = { loaded: 2, rejected: 0, headers: 0, header: HEADER, state: "done" };
const BODY = csvText([eventLine(0), eventLine(1)]).slice(HEADER.length);

/** What stands in the file when it is looked at, look by look. */
const GROWING: { name: string; parts: string[] }[] = [
  { name: "a byte order mark first", parts: ["\ufeff", HEADER, BODY] },
  {
    name: "a byte order mark and a piece first",
    parts: [`\ufeff${HEADER.slice(0, 20)}`, HEADER.slice(20) + BODY],
  },
  { name: "empty lines first", parts: ["\n\r\n", HEADER + BODY] },
  {
    name: "empty lines, then a piece",
    parts: ["\n\n", HEADER.slice(0, 20), HEADER.slice(20) + BODY],
  },
  { name: "a CR first", parts: ["\r", `\n${HEADER}${BODY}`] },
  {
    name: "a header that would do, but has more columns in the end",
    parts: [HEADER.replace(",quantity", ""), ",quant", `ity${BODY}`],
  },
  {
    name: "the same behind a byte order mark",
    parts: [`\ufeff${HEADER.replace(",quantity", "")}`, `,quantity${BODY}`],
  },
];

Deno.test("a header that comes in pieces, each taken for the end, is the header and no record", async (t) => {
  for (const { name, parts } of GROWING) {
    await t.step(name, async () => {
      await withPlace(await testDatabase(), async (place) => {
        for (const part of parts) {
          await Deno.writeTextFile(join(place.events, "a.csv"), part, { append: true });
          await ingestOnce(place);
        }
        assertEquals(await fileRow(place), LOADED);
        await verifyExact(place);
      });
    });
  }
});

Deno.test("a header that is still being written waits for its newline", async () => {
  await withPlace(await testDatabase(), async (place) => {
    const path = join(place.events, "a.csv");
    await Deno.writeTextFile(path, `\ufeff\n${HEADER.slice(0, 30)}`);
    const { heard, stop } = ingestWatching(place, { settleMs: 3_600_000 });
    await heard.until(() => heard.batches.length > 0);
    await Deno.writeTextFile(path, HEADER.slice(30) + BODY, { append: true });
    await heard.until(() => heard.loaded === 2);
    await stop();
    assertEquals(await fileRow(place), LOADED);
    await verifyExact(place);
  });
});

Deno.test("a stream that begins with empty lines has its header behind them, in a new session too", async () => {
  await withPlace(await testDatabase(), async (place) => {
    const { sql } = place.database;
    const { readable, writable } = new TransformStream<Uint8Array>();
    const writer = writable.getWriter();
    const write = (text: string) => writer.write(new TextEncoder().encode(text));
    const { heard, stop } = ingestWatching(place, {
      source: { kind: "stream", stream: readable, sourceId: "shop" },
    });
    await write("\n\r\n");
    await heard.until(() => heard.batches.length > 0);
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name like 'pgsluice%' and datname = current_database()`;
    await heard.until(() => heard.starts > 1);
    await write(HEADER + BODY);
    await writer.close();
    await heard.until(() => heard.loaded === 2);
    await stop();
    const again = `\n\r\n${HEADER}${BODY}${eventLine(2)}\n`;
    await ingestOnce(place, {
      source: {
        kind: "stream",
        stream: ReadableStream.from([new TextEncoder().encode(again)]),
        sourceId: "shop",
      },
    });
    assertEquals(await fileRow(place), { ...LOADED, loaded: 3 });
  });
});
