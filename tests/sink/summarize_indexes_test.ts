import { assertEquals, assertGreater } from "@std/assert";
import { connect } from "../../src/database/connect.ts";
import { summarizeIndexes } from "../../src/sink/summarize_indexes.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { RowLoader } from "../../src/sink/row_loader.ts";
import { csvText, eventLines } from "../support/ingest_fixture.ts";
import { type TestDatabase, testDatabase } from "../support/test_database.ts";
import { csvBatch } from "./csv_batch.ts";

async function loadRows({ sql }: TestDatabase): Promise<void> {
  const loader = new RowLoader({ schema: USER_EVENTS, table: "user_events" });
  const batch = csvBatch(csvText(eventLines(0, 5_000)));
  await sql.begin((transaction) => loader.load(transaction, { batch, route: "copy" }));
}

/** Takes in what is new as well. @returns how many stretches were missing in the index of time */
async function missing({ sql }: TestDatabase): Promise<number> {
  const [row] = await sql<{ missing: number }[]>`
    select brin_summarize_new_values(indexrelid) as missing
    from pg_index
    join pg_class on pg_class.oid = indexrelid
    where indrelid = 'user_events'::regclass and relname like '%event_timestamp%'`;
  return row!.missing;
}

Deno.test("the indexes of time take in what is new", async () => {
  await using database = await testDatabase({ setUp: true });
  await loadRows(database);
  await summarizeIndexes(database.sql, "user_events");
  assertEquals(await missing(database), 0);
});

Deno.test("indexes that are another's, or held by a vacuum, are left as they are", async () => {
  await using database = await testDatabase({ setUp: true });
  await loadRows(database);
  const { sql } = database;
  const role = `summarizer_${crypto.randomUUID().slice(0, 8)}`;
  await sql.unsafe(`create role ${role} login password 'secret'`);
  try {
    const url = database.url.replace(/\/\/[^@]*@/, `//${role}:secret@`);
    const client = await connect({ kind: "server", url }, { applicationName: "test" });
    await summarizeIndexes(client.sql, "user_events");
    await client.close();
  } finally {
    await sql.unsafe(`drop role ${role}`);
  }
  await sql.begin(async (transaction) => {
    await transaction`lock table user_events in share update exclusive mode`;
    await summarizeIndexes(sql, "user_events");
  });
  assertGreater(await missing(database), 0);
});
