import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import type { TransactionSql } from "postgres";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import {
  csvText,
  eventLine,
  eventLines,
  HEADER,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import {
  counts,
  everything,
  loadFile,
  mendedCsv,
  rejectsTest,
  retryText,
  runRejects,
  writeMended,
} from "./run_rejects.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

async function rejectRows(place: IngestPlace) {
  const rows = await place.database.sql`
    select reject_id::int as id, state, code, reason, key,
      convert_from(mended, 'UTF8') as mended, closed_at is not null as "isClosed"
    from pgsluice.rejects
    order by reject_id`;
  return rows.map((row) => ({ ...row }));
}

async function ledgerMoves(place: IngestPlace) {
  const rows = await place.database.sql<{ changes: number; revision: number }[]>`
    select changes::int, revision::int
    from pgsluice.files join pgsluice.pipelines using (pipeline_id)
    order by path`;
  return rows.map((row) => ({ ...row }));
}

async function notRetried(place: IngestPlace, text: string): Promise<PgsluiceError> {
  const before = await everything(place);
  const error = await assertRejects(() => retryText(place, text), PgsluiceError);
  assertEquals(await everything(place), before);
  assertStringIncludes(error.message, "nothing was changed");
  return error;
}

rejectsTest("an export whose prices were mended loads, and verifies exactly", async (place) => {
  const lines = eventLines(0, 40).map((line, index) =>
    index % 3 === 0 ? line.replace(",12.50,", ",12.50 EUR,") : line
  );
  await loadFile(place, "a.csv", csvText(lines));
  await loadFile(place, "b.csv", csvText(['"odd ""line"', eventLine(50, { price: "1 EUR" })]));
  assertEquals(await counts(place, "a.csv"), { loaded: 26, rejected: 14, duplicate: 0 });
  const before = await ledgerMoves(place);
  const { output } = await runRejects(place, "export");
  const mended = output.replaceAll(/(\d) EUR,/g, "$1,");
  const { exitCode, output: summary } = await retryText(place, mended);
  assertEquals([exitCode, summary.split("\n")], [3, [
    "reject 15, b.csv line 2: short_record: the record has 1 fields, the header 9",
    "",
    "retried 16 rejects: 15 loaded, 0 duplicates, 1 still rejected",
    "",
  ]]);
  assertEquals(await counts(place, "a.csv"), { loaded: 40, rejected: 0, duplicate: 0 });
  assertEquals(await counts(place, "b.csv"), { loaded: 1, rejected: 1, duplicate: 0 });
  assertEquals(
    await verifyExact(place),
    "verified: 42 events = 41 loaded + 1 rejected + 0 duplicates",
  );
  // so that an ingester, and its journal, hears of it
  assertEquals(
    await ledgerMoves(place),
    before.map(({ changes, revision }) => ({ changes: changes + 1, revision: revision + 1 })),
  );
  const again = await ingestOnce(place);
  assertEquals(again.batches.length, 0);
});

rejectsTest("a mended row keeps its file, line and derived id", async (place) => {
  const header = HEADER.replace("event_id,", "");
  const line = (number: number) => eventLine(number).slice(37);
  const text = (price: string) =>
    [header, line(0), line(1).replace("12.50", price), line(2)].map((each) => each + "\n").join("");
  await loadFile(place, "a.csv", text("1x.50"));
  await retryText(place, mendedCsv([[1, line(1)]]));
  const rowsIn = async ({ database }: IngestPlace) =>
    (await database.sql`
      select event_id, path, line_number::int as line, price::text
      from user_events join pgsluice.files using (file_id)
      order by line_number`).map((row) => ({ ...row }));
  const rows = await rowsIn(place);
  assertEquals(rows.map(({ line }) => line), [2, 3, 4]);
  await verifyExact(place);
  // as if it had been right from the first
  await withPlace(await testDatabase(), async (other) => {
    await loadFile(other, "a.csv", text("12.50"));
    assertEquals(await rowsIn(other), rows);
  });
});

rejectsTest("a retry tells duplicates and conflicts from new rows", async (place) => {
  const bad = [1, 2, 3, 4].map((number) => eventLine(number, { price: "x" }));
  await loadFile(place, "a.csv", csvText([eventLine(0), ...bad]));
  const { exitCode, output } = await retryText(
    place,
    mendedCsv([
      [4, eventLine(9)], // the same as the one before, which comes first in the file
      [3, eventLine(9)],
      [2, eventLine(0, { price: "13.00" })],
      [1, eventLine(0)],
    ]),
  );
  const conflict = "key 00000000-0000-7000-8000-000000000000 is that of line 2 of a.csv, " +
    "with other content";
  assertEquals([exitCode, output.split("\n")], [3, [
    `reject 2, a.csv line 4: key_conflict: ${conflict}`,
    "",
    "retried 4 rejects: 1 loaded, 2 duplicates, 1 still rejected",
    "",
  ]]);
  assertEquals(await rejectRows(place), [
    {
      id: 1,
      state: "duplicate",
      code: "bad_number",
      reason: (await rejectRows(place))[0]!.reason,
      key: null,
      mended: eventLine(0),
      isClosed: true,
    },
    {
      id: 2,
      state: "open",
      code: "key_conflict",
      reason: conflict,
      key: null, // the record in the file has none that would do
      mended: null,
      isClosed: false,
    },
    {
      id: 3,
      state: "loaded",
      code: "bad_number",
      reason: (await rejectRows(place))[2]!.reason,
      key: null,
      mended: eventLine(9),
      isClosed: true,
    },
    {
      id: 4,
      state: "duplicate",
      code: "bad_number",
      reason: (await rejectRows(place))[3]!.reason,
      key: null,
      mended: eventLine(9),
      isClosed: true,
    },
  ]);
  const places = await place.database.sql`
    select d.line_number::int as line, d.key, d.end_byte = r.end_byte as "isItsPlace"
    from pgsluice.duplicates d
    join pgsluice.rejects r using (file_id, start_byte)
    order by 1`;
  assertEquals(places.map((row) => ({ ...row })), [
    { line: 3, key: eventLine(0).slice(0, 36), isItsPlace: true },
    { line: 6, key: eventLine(9).slice(0, 36), isItsPlace: true },
  ]);
  assertEquals(await counts(place, "a.csv"), { loaded: 2, rejected: 1, duplicate: 2 });
  assertEquals(
    await verifyExact(place),
    "verified: 5 events = 2 loaded + 1 rejected + 2 duplicates",
  );
});

rejectsTest(
  "a key conflict keeps its reason and key whatever text fails to mend it",
  async (place) => {
    await loadFile(place, "a.csv", csvText([eventLine(0), eventLine(0, { price: "13.00" })]));
    const before = await rejectRows(place);
    assertEquals([before[0]!.code, before[0]!.key], ["key_conflict", eventLine(0).slice(0, 36)]);
    const bad = await retryText(place, mendedCsv([[1, eventLine(1, { price: "x" })]]));
    assertStringIncludes(bad.output, 'bad_number: price is "x"');
    assertEquals(await rejectRows(place), before);
    await verifyExact(place);
    const same = await retryText(place, (await runRejects(place, "export")).output);
    assertStringIncludes(same.output, "0 loaded, 0 duplicates, 1 still rejected");
    assertEquals(await rejectRows(place), before);
    const mended = await retryText(place, mendedCsv([[1, eventLine(1, { price: "13.00" })]]));
    assertEquals(mended.exitCode, 0);
    await verifyExact(place);
  },
);

rejectsTest("what the database refuses stays, and the others load", async (place) => {
  const { sql } = place.database;
  await loadFile(
    place,
    "a.csv",
    csvText([eventLine(0), ...[1, 2, 3].map((number) => eventLine(number, { price: "x" }))]),
  );
  await sql`alter table user_events add constraint cheap check (price < 100)`;
  const rows = [
    [1, eventLine(1)],
    [2, eventLine(2, { price: "100.00" })],
    [3, eventLine(3)],
  ] as const;
  const { exitCode, output } = await retryText(place, mendedCsv(rows));
  assertEquals(exitCode, 3);
  assertStringIncludes(output, "2 loaded, 0 duplicates, 1 still rejected");
  const [, refused] = await rejectRows(place);
  assertEquals([refused!.state, refused!.code], ["open", "23514"]);
  assertStringIncludes(refused!.reason, "cheap");
  await verifyExact(place);
  await sql`alter table user_events drop constraint cheap`;
  assertEquals((await retryText(place, mendedCsv([rows[1]]))).exitCode, 0);
  assertEquals(
    await verifyExact(place),
    "verified: 4 events = 4 loaded + 0 rejected + 0 duplicates",
  );
});

rejectsTest("a mended text is one record, or it stays rejected with the reason", async (place) => {
  await loadFile(place, "a.csv", csvText(["1", "2", "3", "4", "5", "6"]));
  const long = eventLine(4).replace("Lamp", "x".repeat(2 * 1024 * 1024));
  const { output } = await retryText(
    place,
    mendedCsv([
      [1, `${eventLine(1)}\n${eventLine(2)}`],
      [2, '"a"b,2'],
      [3, '"never closed'],
      [4, long],
      [5, `\r\n${eventLine(5).replace("Lamp 5", '"Lamp\n""5"""')}\r\n\n`],
      [6, "\n"],
    ]),
  );
  assertEquals(
    output.split("\n").map((line) => line.replace(/^(reject \d), .* line \d+:/, "$1:")),
    [
      "reject 6: its raw is empty",
      "reject 1: several_records: it holds more than one record",
      "reject 2: malformed_quote: text follows a closing quote; a quote inside a quoted field must " +
      "be doubled",
      "reject 3: open_quote: a quoted field is not closed before the end",
      "reject 4: oversize_record: the record is longer than 1048576 bytes",
      "",
      "retried 6 rejects: 1 loaded, 0 duplicates, 5 still rejected",
      "",
    ],
  );
  assertEquals((await rejectRows(place)).map(({ code }) => code), [
    "several_records",
    "malformed_quote",
    "open_quote",
    "oversize_record",
    "short_record",
    "short_record",
  ]);
  const [row] = await place.database.sql`select product_name as name from user_events`;
  assertEquals(row!.name, 'Lamp\n"5"');
  await verifyExact(place);
});

rejectsTest("a retry reads the columns it needs, wherever they are", async (place) => {
  await loadFile(place, "a.csv", csvText(["1", "2"]));
  const raw = eventLine(1).replace("Lamp 1", '""Lamp""');
  const text = `\ufeffnote, RAW ,"Reject_ID"\r\n,"${raw}",1\r\n\r\n"a\nb","${eventLine(2)}",2`;
  const { exitCode, output } = await retryText(place, text, "--json");
  assertEquals(exitCode, 0);
  assertEquals(JSON.parse(output), { loaded: 2, duplicate: 0, kept: 0, firstKept: [] });
  await verifyExact(place);
});

rejectsTest("a retry that names the wrong ids changes nothing, and names them", async (place) => {
  await loadFile(place, "a.csv", csvText(["1", "2", "3", "4"]));
  await writeEvents(place, "b.csv", csvText(["too,short,too"]));
  await ingestOnce(place, { pipelineName: "shop" });
  await retryText(place, mendedCsv([[2, eventLine(2)]]));
  await runRejects(place, "discard", "3");
  const shop = Number(
    (await place.database.sql`
      select max(reject_id)::int as id from pgsluice.rejects`)[0]!.id,
  );
  const error = await notRetried(
    place,
    mendedCsv([1, 2, 3, 4, 4, shop, 99].map((id) => [id, eventLine(10 + id)])),
  );
  assertEquals(error.code, "rejects-not-open");
  assertEquals(
    error.message,
    `no reject of pipeline default: ${shop}, 99; no longer open: 2 (loaded), 3 (discarded); ` +
      "given more than once: 4; nothing was changed",
  );
});

rejectsTest("a mended CSV that is none changes nothing, and its line is named", async (place) => {
  await loadFile(place, "a.csv", csvText(["1", "2"]));
  const good = `1,"${eventLine(1)}"\n`;
  for (
    const [text, message] of [
      ["", "is empty"],
      [`id,raw\n${good}`, "has no column reject_id in its header"],
      [`reject_id,text\n${good}`, "has no column raw in its header"],
      [`raw,raw,reject_id\n`, "has more than one column raw in its header"],
      [`reject_id,raw\n${good}2\n`, "line 3: 1 fields, the header has 2"],
      [`reject_id,raw\n${good}2,${eventLine(2)}\n`, "line 3: 10 fields, the header has 2"],
      [`reject_id,raw\n${good}two,x\n`, 'line 3: reject_id is "two", no number'],
      [`reject_id,raw\n${good}2,"x"y\n`, "line 3: text follows a closing quote"],
      [`reject_id,raw\n${good}2,"x\n`, "line 3: a quoted field is not closed before the end"],
    ] as const
  ) {
    const error = await notRetried(place, text);
    assertEquals([error.code, error.exitCode], ["bad-mended-file", 1]);
    assertStringIncludes(error.message, message);
  }
  const missing = await assertRejects(
    () => runRejects(place, "retry", join(place.home, "none.csv")),
    PgsluiceError,
  );
  assertEquals(missing.code, "bad-mended-file");
});

rejectsTest("a header that the ledger does not have is read in the file", async (place) => {
  const { sql } = place.database;
  await loadFile(place, "a.csv", csvText(["1", "2"]));
  await sql`update pgsluice.files set header = null`;
  assertEquals((await retryText(place, mendedCsv([[1, eventLine(1)]]))).exitCode, 0);
  await verifyExact(place);
  // another file in its place must not decide what the fields mean
  const path = join(place.events, "a.csv");
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace("product_name,category", "category,product_name"));
  const before = await everything(place);
  const { exitCode, output } = await retryText(place, mendedCsv([[2, eventLine(2)]]));
  assertEquals(exitCode, 3);
  assertStringIncludes(
    output,
    "reject 2, a.csv line 3: the header of a.csv is not in the ledger, and cannot be read again: " +
      "the file has other bytes now\n",
  );
  assertEquals(await everything(place), before);
});

rejectsTest("more rejects than fit one page are retried together", async (place) => {
  const half = 6_000;
  const bad = (from: number) =>
    csvText([
      eventLine(100_000 + from),
      ...eventLines(from, from + half).map((line) => line.replace(",12.50,", ",x,")),
    ]);
  await loadFile(place, "a.csv", bad(0));
  await loadFile(place, "b.csv", bad(half));
  const { output } = await runRejects(place, "export");
  // the last one of all is wrong: it must not stop the others
  const mended = output.replaceAll(",x,1", ",12.50,1").replace(/12\.50,1"\n$/, 'y,1"\n');
  const retried = await retryText(place, mended, "--json");
  const { loaded, duplicate, kept, firstKept } = JSON.parse(retried.output);
  assertEquals([loaded, duplicate, kept, firstKept[0].line], [2 * half - 1, 0, 1, half + 2]);
  assertEquals(
    await verifyExact(place),
    `verified: ${2 * half + 2} events = ${2 * half + 1} loaded + 1 rejected + 0 duplicates`,
  );
});

/** Runs `work` while nobody else can write to the pipeline's row of the ledger. */
async function whilePipelineIsLocked(
  place: IngestPlace,
  work: (
    blocked: (count: number) => Promise<number[]>,
    transaction: TransactionSql,
  ) => Promise<void>,
): Promise<void> {
  const { sql } = place.database;
  await sql.begin(async (transaction) => {
    await transaction`select from pgsluice.pipelines for update`;
    await work(async (count) => {
      for (;;) {
        const rows = await sql<{ pid: number }[]>`
          select pid from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'
          order by pid`;
        if (rows.length === count) return rows.map(({ pid }) => pid);
      }
    }, transaction);
  });
}

rejectsTest("of two retries of the same rejects at once one moves them", async (place) => {
  await loadFile(place, "a.csv", csvText([eventLine(0), "1", "2"]));
  const text = mendedCsv([[1, eventLine(1)], [2, eventLine(0)]]);
  let outcomes: Promise<PromiseSettledResult<unknown>[]> | undefined;
  await whilePipelineIsLocked(place, async (blocked) => {
    outcomes = Promise.allSettled([retryText(place, text), retryText(place, text)]);
    await blocked(2); // one by this lock, one by the other's rejects
  });
  const lost = (await outcomes!).filter((outcome) => outcome.status === "rejected");
  assertEquals(lost.length, 1);
  assertStringIncludes(
    lost[0]!.reason.message,
    "no longer open: 1 (loaded), 2 (duplicate); nothing was changed",
  );
  assertEquals(await counts(place, "a.csv"), { loaded: 2, rejected: 0, duplicate: 1 });
  await verifyExact(place);
});

rejectsTest(
  "a retry that is killed between its rows and the ledger changed nothing",
  async (place) => {
    await loadFile(place, "a.csv", csvText([eventLine(0), "1", "2", "3"]));
    const text = mendedCsv([[1, eventLine(1)], [2, eventLine(0)], [3, "still bad"]]);
    const before = await everything(place);
    let retried: Promise<unknown> | undefined;
    await whilePipelineIsLocked(place, async (blocked) => {
      retried = assertRejects(() => retryText(place, text), PgsluiceError);
      const [pid] = await blocked(1);
      await place.database.sql`select pg_terminate_backend(${pid!})`;
      await retried;
    });
    assertEquals(await everything(place), before);
    assertEquals((await retryText(place, text)).exitCode, 3);
    await verifyExact(place);
  },
);

rejectsTest("a retry that the server ended because of a deadlock is done again", async (place) => {
  await loadFile(place, "a.csv", csvText([eventLine(0), "1"]));
  let retried: ReturnType<typeof retryText> | undefined;
  await whilePipelineIsLocked(place, async (blocked, transaction) => {
    // so that it is the retry that the server ends
    await transaction`set local deadlock_timeout = '60s'`;
    retried = retryText(place, mendedCsv([[1, eventLine(1)]]));
    await blocked(1);
    await transaction`select from pgsluice.rejects for update`;
  });
  assertEquals((await retried!).exitCode, 0);
  assertEquals(await counts(place, "a.csv"), { loaded: 2, rejected: 0, duplicate: 0 });
  await verifyExact(place);
});

rejectsTest("an ingester goes on while rejects are retried", async (place) => {
  const path = join(place.events, "a.csv");
  await Deno.writeTextFile(path, csvText([eventLine(0), "1", "2"]));
  const running = ingestWatching(place);
  await running.heard.until(() => running.heard.rejected === 2);
  assertEquals((await retryText(place, mendedCsv([[1, eventLine(1)]]))).exitCode, 0);
  await Deno.writeTextFile(path, eventLines(10, 20).map((line) => line + "\n").join(""), {
    append: true,
  });
  await running.heard.until(() => running.heard.loaded === 11);
  assertEquals((await retryText(place, mendedCsv([[2, eventLine(2)]]))).exitCode, 0);
  await writeEvents(place, "b.csv", csvText(eventLines(20, 30)));
  await running.heard.until(() => running.heard.loaded === 21);
  await running.stop();
  assertEquals(await counts(place, "a.csv"), { loaded: 13, rejected: 0, duplicate: 0 });
  assertEquals(
    await verifyExact(place),
    "verified: 23 events = 23 loaded + 0 rejected + 0 duplicates",
  );
});

rejectsTest("a mended last record is taken back when its file grows past it", async (place) => {
  const { sql } = place.database;
  const text = csvText([eventLine(0), eventLine(1, { price: "1x" })]);
  await loadFile(place, "a.csv", text.slice(0, -4)); // cut before the quantity
  assertEquals(await counts(place, "a.csv"), { loaded: 1, rejected: 1, duplicate: 0 });
  await retryText(place, mendedCsv([[1, eventLine(7)]]));
  assertEquals(await counts(place, "a.csv"), { loaded: 2, rejected: 0, duplicate: 0 });
  await Deno.writeTextFile(join(place.events, "a.csv"), text);
  await ingestOnce(place);
  assertEquals(await counts(place, "a.csv"), { loaded: 1, rejected: 1, duplicate: 0 });
  const ids = await sql`select event_id from user_events`;
  assertEquals(ids.map((row) => row.event_id), [eventLine(0).slice(0, 36)]);
  await verifyExact(place);
});

rejectsTest("rejects go through a pipe: export, mend, retry -", async (place) => {
  await loadFile(place, "a.csv", csvText([eventLine(0), eventLine(1, { price: "x" })]));
  const { output } = await runRejects(place, "export");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "-A", MAIN, "rejects", "retry", "-"],
    env: { DATABASE_URL: place.database.url, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(output.replace(",x,", ",2,")));
  await writer.close();
  const result = await child.output();
  const said = new TextDecoder().decode(result.stdout) + new TextDecoder().decode(result.stderr);
  assertEquals(
    [result.code, said],
    [0, "retried 1 rejects: 1 loaded, 0 duplicates, 0 still rejected\n"],
  );
  await verifyExact(place);
});

rejectsTest("a retry into a table that is another now is refused", async (place) => {
  await loadFile(place, "a.csv", csvText(["1"]));
  await place.database.sql`alter table user_events alter column price type numeric(14, 4)`;
  const path = await writeMended(place, mendedCsv([[1, eventLine(1)]]));
  const error = await assertRejects(() => runRejects(place, "retry", path), PgsluiceError);
  assertEquals(error.code, "table-differs");
  assert(error.message.includes("price"));
});
