/** The sums by minute, through everything that brings rows and takes them away. */
import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { filesReloadCommand } from "../../src/cli/files_reload.ts";
import { filesUndoCommand } from "../../src/cli/files_undo.ts";
import { setupCommand } from "../../src/cli/setup.ts";
import { verifyCommand } from "../../src/cli/verify.ts";
import { connect, type DatabaseClient } from "../../src/database/connect.ts";
import { connectionLost } from "../../src/database/connection_lost.ts";
import { MinutesWorker } from "../../src/pipeline/minutes_worker.ts";
import { hasManyDeltas, mergeMinutes } from "../../src/sink/merge_minutes.ts";
import {
  csvText,
  eventLine,
  eventLines,
  folderSource,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { runCommand } from "../support/run_command.ts";
import { testDatabase } from "../support/test_database.ts";
import { until } from "../support/until.ts";

function minutesTest(name: string, run: (place: IngestPlace) => Promise<void>): void {
  Deno.test(name, async () => await withPlace(await testDatabase(), run));
}

/** The view's events, and how many rows are behind them: sums, and what waits to be merged. */
async function sums({ database }: IngestPlace) {
  const [row] = await database.sql<{ events: number; merged: number; waiting: number }[]>`
    select
      (select coalesce(sum(events), 0)::float8 from pgsluice.events_by_minute) as events,
      (select count(*)::float8 from pgsluice.minutes) as merged,
      (select count(*)::float8 from pgsluice.minute_deltas) as waiting`;
  return row!;
}

minutesTest("the sums follow rows, duplicates, conflicts, reload and undo", async (place) => {
  await writeEvents(place, "a.csv", csvText([...eventLines(0, 130), "bad"]));
  // 30 duplicates, 1 conflict, 19 rows
  await writeEvents(
    place,
    "b.csv",
    csvText([...eventLines(100, 149), eventLine(3, { price: "99.00" })]),
  );
  await ingestOnce(place);
  assertEquals((await sums(place)).events, 149);
  await verifyExact(place);
  const run = (...[command, file]: [typeof filesUndoCommand, string]) =>
    runCommand(command, "--database", place.database.url, file);
  // the 30 duplicates come in from b.csv, and the conflict
  await run(filesUndoCommand, "a.csv");
  assertEquals((await sums(place)).events, 50);
  await mergeMinutes(place.database.sql);
  await verifyExact(place);
  await run(filesReloadCommand, "a.csv");
  assertEquals((await sums(place)).events, 149);
  await verifyExact(place);
  await mergeMinutes(place.database.sql);
  assertEquals((await sums(place)).waiting, 0);
  await verifyExact(place);
});

minutesTest("merging changes nothing for who looks, beside batches and undo", async (place) => {
  const { heard, stop } = ingestWatching(place, {
    limits: { rows: 50, sizeBytes: 1e6, lingerMs: 1 },
  });
  await heard.until(() => heard.starts > 0);
  const merges: Promise<number>[] = [];
  for (let file = 0; file < 20; file++) {
    await writeEvents(place, `${file}.csv`, csvText(eventLines(100 * file, 100 * file + 120)));
    merges.push(mergeMinutes(place.database.sql));
    // in one snapshot the view is what the table is
    const [look] = await place.database.sql<{ kept: number; stored: number }[]>`
      select
        (select coalesce(sum(events), 0)::float8 from pgsluice.events_by_minute) as kept,
        (select count(*)::float8 from user_events) as stored`;
    assertEquals(look!.kept, look!.stored);
    if (file === 10) {
      await until("some are loaded", async () => (await sums(place)).events > 500);
      await runCommand(filesUndoCommand, "--database", place.database.url, "0.csv");
    }
  }
  // undo ends the session, and a batch that commits then is not heard
  await until("all files are loaded, or undone", async () => {
    const [row] = await place.database.sql<{ count: number }[]>`
      select count(*)::int as count
      from pgsluice.files
      where state = 'done' or path = '0.csv' and state = 'undone'`;
    return row!.count === 20;
  });
  await Promise.all(merges);
  await stop();
  await verifyExact(place);
  const { merged } = await sums(place);
  assertGreater(merged, 0);
});

minutesTest("a table with rows is counted when its first ingester begins", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 90)));
  await ingestOnce(place);
  // as a version left it that kept no sums
  await place.database.sql`truncate pgsluice.rollups, pgsluice.minutes, pgsluice.minute_deltas`;
  await writeEvents(place, "b.csv", csvText(eventLines(90, 100)));
  const heard = await ingestOnce(place);
  assertStringIncludes(heard.did.join(), 'summed up table "user_events" by minute');
  assertEquals((await sums(place)).events, 100);
  await verifyExact(place);
  assertEquals((await ingestOnce(place)).did, []);
});

minutesTest("pipelines that share a table share its sums", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 90)));
  await ingestOnce(place);
  const other = `${place.home}/other`;
  await Deno.mkdir(other);
  await Deno.writeTextFile(`${other}/b.csv`, csvText(eventLines(80, 100)));
  await ingestOnce(place, {
    pipelineName: "other",
    source: folderSource(place, { directory: other }),
  });
  assertEquals((await sums(place)).events, 100);
  await verifyExact(place);
  await verifyExact(place, "other");
});

minutesTest(
  "sums that are not those of the rows are told by verify, and setup --recount mends them",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 130)));
    await ingestOnce(place);
    const { sql, url } = place.database;
    await mergeMinutes(sql);
    await sql`
    update pgsluice.minutes
    set events = 61, amount = 762.50
    where minute = '2026-03-14 10:00Z'`;
    await sql`delete from pgsluice.minutes where minute = '2026-03-14 10:02Z'`;
    const verified = await runCommand(verifyCommand, "--database", url);
    assertEquals(verified.exitCode, 3);
    assertStringIncludes(
      verified.output,
      "sums by minute: expected 60 of 60 units and 750.00 by the rows of 2026-03-14T10:00Z, view, " +
        "found 61 of 60 units and 762.50\n" +
        "sums by minute: expected 10 of 10 units and 125.00 by the rows of 2026-03-14T10:02Z, view, " +
        "found 0 of 0 units and 0\n\n" +
        "differs: 2 differences in the sums by minute\n",
    );
    const { exitCode, output } = await runCommand(setupCommand, "--database", url, "--recount");
    assertEquals(exitCode, 0, output);
    assertStringIncludes(output, "counted table user_events anew by minute");
    await verifyExact(place);
  },
);

minutesTest("a table that was given the name of another one is counted anew", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 130)));
  await ingestOnce(place);
  const { sql } = place.database;
  await sql.unsafe(`
    create table like_it (like user_events including all);
    insert into like_it select * from user_events where line_number <= 11;
    drop table user_events;
    alter table like_it rename to user_events`);
  const { did } = await ingestOnce(place);
  assertEquals(did, ['summed up table "user_events" by minute, for the reports']);
  assertEquals((await sums(place)).events, 10);
});

minutesTest("a worker merges what came, and tries again what passes by itself", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 130)));
  await ingestOnce(place);
  const { sql, target } = place.database;
  const faults: unknown[] = [];
  let opened = 0;
  let client: DatabaseClient | null = null;
  const worker = new MinutesWorker({
    table: "user_events",
    open: async () => {
      if (++opened < 3) throw connectionLost("too many of them");
      return client = await connect(target, { applicationName: "test" });
    },
    onFault: (error) => faults.push(error),
    intervalMs: 1,
  });
  worker.committed();
  await until("all is merged", async () => (await sums(place)).waiting === 0);
  await verifyExact(place);
  assertEquals([opened, faults], [3, []]);
  // it does not pass by itself
  await sql`alter table pgsluice.minute_deltas rename to hidden`;
  worker.committed();
  await until("it fails", () => faults.length > 0);
  worker.committed();
  worker.close();
  await client!.close();
  assertEquals(faults.length, 1);
});

minutesTest(
  "what a short run leaves is merged by the next one when there is much",
  async (place) => {
    const { sql } = place.database;
    await writeEvents(place, "a.csv", csvText(eventLines(0, 60)));
    await ingestOnce(place);
    assertEquals(await hasManyDeltas(sql), false);
    await sql`
    insert into pgsluice.minute_deltas
    select rollup_id, event_type, minutes, array[change], array[change], array[change]
    from pgsluice.minute_deltas, (values (1), (-1)) as changes (change), generate_series(1, 3000)`;
    assertEquals(await hasManyDeltas(sql), true);
    const { heard, stop } = ingestWatching(place);
    await heard.until(() => heard.starts > 0);
    await until("they are merged", async () => (await sums(place)).waiting === 0);
    await stop();
    await verifyExact(place);
  },
);
