import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { TransactionSql } from "postgres";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import {
  type PruneOptions,
  prunePipeline,
  type PruneReport,
} from "../../src/prune/prune_pipeline.ts";
import { undoFile } from "../../src/files/undo_file.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import {
  csvText,
  eventLine,
  eventLines,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { defaultPipeline, discardReject, ingestAndRepair } from "../verify/repair_fixture.ts";
import {
  differencesOf,
  expectNoticed,
  ingestAllKinds,
  KEY,
  verify,
  verifyTest,
} from "../verify/verify_fixture.ts";

const MONTH_MS = 30 * 86_400_000;

async function prune(
  place: IngestPlace,
  options: Partial<PruneOptions> = {},
): Promise<PruneReport> {
  const { sql } = place.database;
  return await prunePipeline({
    sql,
    pipeline: await defaultPipeline(sql),
    olderThanMs: 0,
    dryRun: false,
    ...options,
  });
}

/** Makes a file, and what was closed of its rejects, so many days older. */
async function age(place: IngestPlace, path: string, days: number): Promise<void> {
  const { sql } = place.database;
  await sql`
    update pgsluice.files set updated_at = updated_at - ${days} * interval '1 day'
    where path = ${path}`;
  await sql`
    update pgsluice.rejects set closed_at = closed_at - ${days} * interval '1 day'
    where file_id = (select file_id from pgsluice.files where path = ${path})`;
}

interface Kept {
  readonly path: string;
  readonly isExpired: boolean;
  /** Lines of its duplicates, and of its rejects with their states. */
  readonly duplicates: string;
  readonly rejects: string;
}

/** What the ledger still keeps one by one. */
async function keptOf(place: IngestPlace): Promise<Kept[]> {
  return [
    ...await place.database.sql<Kept[]>`
      select
        path,
        expired_at is not null as "isExpired",
        (
          select coalesce(string_agg(line_number::text, ' ' order by line_number), '')
          from pgsluice.duplicates d where d.file_id = f.file_id
        ) as duplicates,
        (
          select coalesce(string_agg(line_number || ' ' || state, ', ' order by line_number), '')
          from pgsluice.rejects r where r.file_id = f.file_id
        ) as rejects
      from pgsluice.files f
      order by path, generation`,
  ];
}

verifyTest(
  "prune forgets duplicates and discarded rejects; open and mended ones stay, and the totals",
  async (place) => {
    await ingestAndRepair(place);
    const before = await verify(place);
    const dry = await prune(place, { dryRun: true });
    // how many batches there were depends on the pace of the reading
    const { batches, ...records } = dry.removed;
    assertEquals(records, { duplicates: 2, rejects: 1, files: 2 });
    assertEquals((await verify(place)).files, before.files);

    const report = await prune(place);
    assertEquals(report.removed, { batches, ...records });
    assertEquals([dry.isDryRun, report.isDryRun], [true, false]);
    assertEquals(await keptOf(place), [
      { path: "a.csv", isExpired: true, duplicates: "11", rejects: "7 loaded, 11 duplicate" },
      { path: "b.csv", isExpired: true, duplicates: "", rejects: "" },
      { path: "c.csv", isExpired: false, duplicates: "", rejects: "3 loaded" },
    ]);
    const after = await verify(place);
    assertEquals(differencesOf(after), []);
    assertEquals(after.files.map(({ verdict }) => verdict), ["expired", "expired", "exact"]);
    assertEquals(after.summary, before.summary);

    const again = await prune(place);
    assertEquals(again.removed, { batches: 0, duplicates: 0, rejects: 0, files: 0 });
  },
);

verifyTest("prune counts the open rejects it keeps", async (place) => {
  await ingestAllKinds(place);
  const report = await prune(place);
  assertEquals(report.openRejects, { rejects: 3, files: 1 });
  assertEquals(
    (await keptOf(place)).map(({ rejects }) => rejects),
    ["7 open, 8 open, 11 open", ""],
  );
  // what is discarded later goes the next time
  await discardReject(place, 11);
  assertEquals((await prune(place)).removed.rejects, 1);
  const { isExact, files } = await verify(place);
  assert(isExact);
  assertEquals(files.map(({ verdict }) => verdict), ["expired", "expired"]);
});

verifyTest("prune takes only what was not touched for so long", async (place) => {
  await ingestAllKinds(place);
  await discardReject(place, 7);
  await age(place, "a.csv", 40);
  await discardReject(place, 11);
  const report = await prune(place, { olderThanMs: MONTH_MS });
  assertEquals(report.removed, { batches: 0, duplicates: 1, rejects: 1, files: 1 });
  assertEquals(report.openRejects, { rejects: 1, files: 1 });
  const aMonthAgoMs = Date.now() - MONTH_MS;
  assert(Math.abs(Date.parse(report.before) - aMonthAgoMs) < MONTH_MS / 2);
  assertEquals(await keptOf(place), [
    { path: "a.csv", isExpired: true, duplicates: "", rejects: "8 open, 11 discarded" },
    { path: "b.csv", isExpired: false, duplicates: "3", rejects: "" },
  ]);
  // older than anything can be
  assertEquals(
    (await prune(place, { olderThanMs: Number.MAX_SAFE_INTEGER })).removed,
    { batches: 0, duplicates: 0, rejects: 0, files: 0 },
  );
});

verifyTest("prune leaves files alone that are not settled", async (place) => {
  await ingestAllKinds(place);
  const { sql } = place.database;
  for (const state of ["open", "held"]) {
    await sql`update pgsluice.files set state = ${state}`;
    assertEquals((await prune(place)).removed.files, 0, state);
  }
  for (const state of ["done", "failed", "superseded"]) {
    await sql`update pgsluice.files set state = ${state}`;
    assertEquals((await prune(place, { dryRun: true })).removed.files, 2, state);
  }
});

verifyTest("prune leaves other pipelines alone", async (place) => {
  await writeEvents(place, "a.csv", csvText([eventLine(0), eventLine(0)]));
  await ingestOnce(place);
  await ingestOnce(place, { pipelineName: "other" });
  const { duplicates, files } = (await prune(place)).removed;
  assertEquals([duplicates, files], [1, 1]);
  const { sql } = place.database;
  const [left] = await sql<{ count: number }[]>`
    select count(*)::int as count from pgsluice.duplicates`;
  assertEquals(left!.count, 2);
});

verifyTest("prune keeps the last batch, and of the others none that is young", async (place) => {
  for (let file = 0; file < 4; file++) {
    await writeEvents(place, `${file}.csv`, csvText([eventLine(file)]));
    await ingestOnce(place);
  }
  const { sql } = place.database;
  await sql`
    update pgsluice.batches set committed_at = committed_at - interval '40 days'
    where batch_id <> 3`;
  const chunk = { files: 1, rows: 1 };
  const report = await prune(place, { olderThanMs: MONTH_MS, chunk });
  assertEquals(report.removed, { batches: 2, duplicates: 0, rejects: 0, files: 0 });
  const left = await sql<{ id: number }[]>`
    select batch_id::int as id from pgsluice.batches order by batch_id`;
  assertEquals(left.map(({ id }) => id), [3, 4]);
});

verifyTest("prune goes in bounded steps, and may be ended after any of them", async (place) => {
  await ingestAllKinds(place);
  const lines = eventLines(20, 40);
  await writeEvents(place, "d.csv", csvText([...lines, ...lines]));
  await ingestOnce(place);
  const chunk = { files: 1, rows: 3 };
  const steps: number[] = [];
  const controller = new AbortController();
  const onProgress: PruneOptions["onProgress"] = ({ duplicates }) => {
    if (duplicates > 0) steps.push(duplicates);
    if (duplicates > 7) controller.abort(new Error("enough"));
  };
  await assertRejects(
    () => prune(place, { chunk, onProgress, signal: controller.signal }),
    Error,
    "enough",
  );
  assertEquals(steps, [1, 2, 5, 8]);
  assertEquals((await keptOf(place)).map(({ isExpired }) => isExpired), [true, true, true]);
  const half = await verify(place);
  assertEquals(differencesOf(half), []);
  assertEquals(half.files.map(({ verdict }) => verdict), ["expired", "expired", "expired"]);
  assertEquals((await prune(place, { chunk })).removed.duplicates, 14);
  assert((await verify(place)).isExact);
});

verifyTest("prune waits for no file that another one works on", async (place) => {
  await ingestAllKinds(place);
  const { sql } = place.database;
  await sql.begin(async (other) => {
    await other`select from pgsluice.files where path = 'a.csv' for update`;
    assertEquals((await prune(place)).removed.files, 1);
    await other`select from pgsluice.files where path = 'b.csv' for update`;
  });
  assertEquals((await keptOf(place)).map(({ isExpired }) => isExpired), [false, true]);
  await sql.begin(async (other) => {
    await other`select from pgsluice.duplicates where line_number = 6 for update`;
    assertEquals((await prune(place)).removed.files, 0);
  });
  assertEquals((await prune(place)).removed.duplicates, 1);
});

verifyTest("prune waits while rows are taken out of the table", async (place) => {
  await ingestAllKinds(place);
  const { sql } = place.database;
  let pruned: Promise<PruneReport> | undefined;
  await sql.begin(async (removal) => {
    await removal`lock table user_events in share row exclusive mode`;
    let isOver = false;
    pruned = prune(place).finally(() => isOver = true);
    while (!isOver && !await isSomeoneWaiting(removal));
    assertEquals(
      (await removal`select 1 from pgsluice.duplicates`).length,
      2,
    );
  });
  assertEquals((await pruned!).removed.duplicates, 2);
});

async function isSomeoneWaiting(sql: TransactionSql): Promise<boolean> {
  const waiting = await sql`
    select from pg_locks
    where not granted
      and database = (select oid from pg_database where datname = current_database())`;
  return waiting.length > 0;
}

verifyTest(
  "prune keeps what the ingester takes back if a file grows on behind its last record",
  async (place) => {
    const text = csvText([eventLine(0), eventLine(0), eventLine(1), eventLine(1)]).trimEnd();
    await writeEvents(place, "a.csv", text);
    await ingestOnce(place);
    await prune(place);
    assertEquals(await keptOf(place), [
      { path: "a.csv", isExpired: true, duplicates: "5", rejects: "" },
    ]);
    await Deno.writeTextFile(join(place.events, "a.csv"), `0\n${eventLine(2)}\n${eventLine(1)}\n`, {
      append: true,
    });
    await ingestOnce(place);
    const report = await verify(place);
    assertEquals(differencesOf(report), []);
    const [file] = report.files;
    // the last record has become a quantity of 10, and so a key conflict
    assertEquals(
      [file!.verdict, file!.loaded, file!.rejected, file!.duplicate],
      ["expired", 3, 1, 2],
    );
  },
);

verifyTest("prune runs beside an ingester, which goes on", async (place) => {
  await ingestAllKinds(place);
  const ingester = ingestWatching(place);
  try {
    await ingester.heard.until(() => ingester.heard.starts === 1);
    assertGreater((await prune(place)).removed.duplicates, 0);
    await Deno.writeTextFile(
      join(place.events, "b.csv"),
      `${eventLine(9)}\r\n${eventLine(1)}\r\n`,
      {
        append: true,
      },
    );
    await ingester.heard.until(() => ingester.heard.loaded + ingester.heard.duplicate === 2);
    assertEquals(ingester.heard.outages, []);
  } finally {
    await ingester.stop();
  }
  const report = await verify(place);
  assertEquals(differencesOf(report), []);
  assertEquals(report.files.map(({ verdict }) => verdict), ["expired", "expired"]);
  assertEquals(
    (await keptOf(place)).map(({ duplicates }) => duplicates),
    ["", "5"],
  );
});

verifyTest("rows whose duplicates prune forgot cannot be undone", async (place) => {
  await ingestAllKinds(place);
  await prune(place);
  const { sql } = place.database;
  const pipeline = await defaultPipeline(sql);
  const error = await assertRejects(
    () => undoFile(sql, { pipeline, schema: USER_EVENTS, file: "a.csv" }),
    PgsluiceError,
  );
  assertEquals(error.code, "waiting-expired");
  assert((await verify(place)).isExact);
});

verifyTest("rows that came after the files that expired can still be taken out", async (place) => {
  await ingestAllKinds(place);
  await age(place, "a.csv", 40);
  await age(place, "b.csv", 40);
  assertEquals((await prune(place, { olderThanMs: MONTH_MS })).removed.files, 2);
  await writeEvents(place, "d.csv", csvText(eventLines(20, 23)).trimEnd());
  await ingestOnce(place);
  // its last record was half of one
  await Deno.writeTextFile(join(place.events, "d.csv"), "0\n", { append: true });
  const { troubles } = await ingestOnce(place);
  assertEquals(troubles, []);
  assertEquals(
    (await verify(place)).summary,
    "verified: 13 events = 8 loaded + 3 rejected + 2 duplicates",
  );
  const { sql } = place.database;
  const pipeline = await defaultPipeline(sql);
  await undoFile(sql, { pipeline, schema: USER_EVENTS, file: "d.csv" });
  const { isExact, files } = await verify(place);
  assert(isExact);
  assertEquals(files.map(({ verdict }) => verdict), ["expired", "expired", "undone"]);
});

const A = "file_id = (select file_id from pgsluice.files where path = 'a.csv')";

verifyTest("verify notices whatever was changed behind an expired file", async (place) => {
  await ingestAllKinds(place);
  await discardReject(place, 8);
  await prune(place);
  // of a.csv: 4 loaded; rejects on lines 7 and 11 are kept, the one on line 8 is not; a duplicate
  await expectNoticed(place, [
    {
      name: "a changed row",
      sql: `update user_events set category = 'Garden' where event_id = '${KEY(3)}'`,
      differences: ['a.csv:9:category: expected "Home", found "Garden"'],
    },
    {
      name: "a removed row",
      sql: `delete from user_events where event_id = '${KEY(3)}'`,
      differences: [
        "a.csv:-:-: expected 3 loaded in the ledger, found 4",
        "a.csv:-:-: expected 5 rejected or duplicate in the ledger, found 4",
      ],
    },
    {
      name: "a row added on a line that has one",
      sql: `insert into user_events
        select '${KEY(77)}', event_timestamp, event_type, user_id, product_id, product_name,
          category, price, quantity, event_date, event_hour, file_id, line_number
        from user_events where event_id = '${KEY(3)}'`,
      differences: [`a.csv:9:-: expected no such row, found a row with event_id ${KEY(77)}`],
    },
    {
      name: "a row added on the line of a reject",
      sql: `insert into user_events
        select '${KEY(77)}', event_timestamp, event_type, user_id, product_id, product_name,
          category, price, quantity, event_date, event_hour, file_id, 7
        from user_events where event_id = '${KEY(3)}'`,
      differences: [`a.csv:7:-: expected no such row, found a row with event_id ${KEY(77)}`],
    },
    {
      name: "a row added behind the last line",
      sql: `insert into user_events
        select '${KEY(77)}', event_timestamp, event_type, user_id, product_id, product_name,
          category, price, quantity, event_date, event_hour, file_id, 77
        from user_events where event_id = '${KEY(3)}'`,
      differences: [`a.csv:77:-: expected no such row, found a row with event_id ${KEY(77)}`],
    },
    {
      name: "a changed row that a forgotten record was a duplicate of",
      sql: `update user_events set price = 1 where event_id = '${KEY(0)}'`,
      differences: [
        "a.csv:2:price: expected 12.50, found 1.00",
        "a.csv:-:-: expected at most 0 duplicates in the ledger, for no more of the records " +
        "without a row are in the table, found 1",
      ],
    },
    {
      name: "a row whose duplicate another file forgot",
      sql: `delete from user_events where event_id = '${KEY(1)}'`,
      differences: [
        "a.csv:-:-: expected 3 loaded in the ledger, found 4",
        "a.csv:-:-: expected 5 rejected or duplicate in the ledger, found 4",
        "b.csv:-:-: expected at most 0 duplicates in the ledger, for no more of the records " +
        "without a row are in the table, found 1",
      ],
    },
    {
      name: "totals of the ledger that are off",
      sql: `update pgsluice.files set loaded = 5, duplicate = 3 where ${A}`,
      differences: [
        "a.csv:-:-: expected 4 loaded in the ledger, found 5",
        "a.csv:-:-: expected 4 rejected or duplicate in the ledger, found 6",
        "a.csv:-:-: expected at most 1 duplicates in the ledger, for no more of the records " +
        "without a row are in the table, found 3",
      ],
    },
    {
      name: "a kept reject with other bytes",
      sql: "update pgsluice.rejects set raw = 'x' where line_number = 7",
      differences: [
        "a.csv:7:-: expected a reject with the record's bytes, found one with other bytes",
      ],
    },
    {
      // it is as if it had been discarded and forgotten, too
      name: "a kept reject that is gone",
      sql: "delete from pgsluice.rejects where line_number = 7",
      differences: [],
    },
    {
      name: "a changed row, with which a forgotten key conflict agrees now",
      sql: `update user_events set price = 99 where event_id = '${KEY(1)}'`,
      // so may one that the database refused, and that came in with another file since
      differences: [
        "a.csv:4:price: expected 12.50, found 99.00",
        "b.csv:-:-: expected at most 0 duplicates in the ledger, for no more of the records " +
        "without a row are in the table, found 1",
      ],
    },
  ]);
});

verifyTest("verify compares what prune left of a lost file with the table", async (place) => {
  await ingestAllKinds(place);
  await prune(place);
  await Deno.remove(join(place.events, "a.csv"));
  const report = await verify(place);
  assertEquals(report.files.map(({ verdict }) => verdict), ["source gone", "expired"]);
  assert(report.isExact);
  await place.database.sql`
    insert into pgsluice.duplicates
    select file_id, line, line, line + 1, 'k'
    from pgsluice.files, generate_series(500, 501) as line
    where path = 'a.csv'`;
  assertEquals(differencesOf(await verify(place)), [
    "a.csv:-:-: expected at most 1 duplicates in the ledger, found 2",
  ]);
});
