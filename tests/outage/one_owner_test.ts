import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { readJournal } from "../../src/checkpoint/read_journal.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { OWNER_TIMES, PipelineOwner } from "../../src/sink/pipeline_owner.ts";
import { TcpProxy } from "../database/tcp_proxy.ts";
import {
  csvText,
  eventLine,
  eventLines,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { SpawnedIngester } from "./spawned_ingester.ts";

/** What is promised, and how much later it may come on a slow machine. */
const AFTER_KILL_MS = 2_000;
const AFTER_FREEZE_MS = 15_000;
const SLOW_MACHINE = 4;

/** So many rows that their COPY takes a good part of a second. */
const LONG_COPY_ROWS = 150_000;
const LONG_COPY = ["--batch-rows", String(LONG_COPY_ROWS), "--batch-bytes", "256MiB"];

async function inPlace(run: (place: IngestPlace) => Promise<void>): Promise<void> {
  await withPlace(await testDatabase(), run);
}

function within(tookMs: number, { promisedMs, what }: { promisedMs: number; what: string }) {
  console.log(`  ${what}: the next owner had started after ${Math.round(tookMs)} ms`);
  assert(tookMs < promisedMs * SLOW_MACHINE, `${what}: ${tookMs} ms, promised ${promisedMs} ms`);
}

/** A second ingester that stands by in this process. */
async function standBy(place: IngestPlace, change: Parameters<typeof ingestWatching>[1] = {}) {
  const next = ingestWatching(place, { noWait: false, ...change });
  await next.heard.until(() => next.heard.standbys === 1);
  return next;
}

/** Whether a batch session of the pipeline waits for rows in the middle of a COPY. */
async function copyIsOpen({ database }: IngestPlace): Promise<boolean> {
  const [row] = await database.sql<{ open: boolean }[]>`
    select count(*) > 0 as open from pg_stat_activity
    where application_name like 'pgsluice:%' and datname = current_database()
      and state = 'active' and query ilike '%copy %' and wait_event = 'ClientRead'`;
  return row!.open;
}

async function loadedRows({ database }: IngestPlace): Promise<number> {
  const [row] = await database.sql<{ loaded: number }[]>`
    select coalesce(sum(loaded), 0)::int as loaded from pgsluice.files`;
  return row!.loaded;
}

async function loaded(place: IngestPlace, rows: number): Promise<void> {
  while (await loadedRows(place) < rows) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(await loadedRows(place), rows);
}

/** Gives it something to load and stops it while it sends. @returns the rows of all files */
async function freezeMidCopy(place: IngestPlace, ingester: SpawnedIngester): Promise<number> {
  for (let files = 1;; files++) {
    const rows = files * LONG_COPY_ROWS;
    await writeEvents(place, `${files}.csv`, csvText(eventLines(rows - LONG_COPY_ROWS, rows)));
    // on a busy machine a COPY may pass between two looks: then there is another file
    while (await loadedRows(place) < rows) {
      if (!await copyIsOpen(place)) continue;
      ingester.signal("SIGSTOP");
      if (await copyIsOpen(place)) return rows;
      ingester.signal("SIGCONT");
    }
  }
}

/** What was committed, by whom. */
async function batches({ database }: IngestPlace) {
  return [
    ...await database.sql`
      select batch_id::int as id, epoch::int as epoch from pgsluice.batches order by 1`,
  ];
}

const JOURNAL = join("checkpoints", "default", "journal.jsonl");

Deno.test("a killed owner is followed within 2 s, idle and in the middle of a COPY", async () => {
  await inPlace(async (place) => {
    await using first = new SpawnedIngester(place);
    await first.said("ingesting");
    const next = await standBy(place);
    const fromMs = performance.now();
    first.signal("SIGKILL");
    await next.heard.until(() => next.heard.starts === 1);
    within(performance.now() - fromMs, { promisedMs: AFTER_KILL_MS, what: "killed, idle" });
    await writeEvents(place, "a.csv", csvText([eventLine(0)]));
    await next.heard.until(() => next.heard.loaded === 1);
    await next.stop();
    await verifyExact(place);
  });
  await inPlace(async (place) => {
    await using first = new SpawnedIngester(place, { args: LONG_COPY });
    await first.said("ingesting");
    const next = await standBy(place);
    const rows = await freezeMidCopy(place, first);
    const fromMs = performance.now();
    first.signal("SIGKILL");
    await next.heard.until(() => next.heard.starts === 1);
    within(performance.now() - fromMs, { promisedMs: AFTER_KILL_MS, what: "killed, mid-COPY" });
    await loaded(place, rows);
    await next.stop();
    await verifyExact(place);
  });
});

/** Idle, with the journal in the folder that both use. */
async function frozenIdle(place: IngestPlace): Promise<void> {
  await using first = new SpawnedIngester(place);
  await first.said("ingesting");
  const next = await standBy(place);
  const fromMs = performance.now();
  first.signal("SIGSTOP");
  await next.heard.until(() => next.heard.starts === 1);
  within(performance.now() - fromMs, { promisedMs: AFTER_FREEZE_MS, what: "frozen, idle" });
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await next.heard.until(() => next.heard.loaded === 10);
  // the frozen one holds the journal's lock still
  assert(next.heard.journals.includes("trouble"));
  first.signal("SIGCONT");
  await first.said("standing by");
  await next.heard.until(() => next.heard.journals.includes("mended"));
  const found = await readJournal(join(place.home, "checkpoints", "default"));
  assert(found.kind === "whole");
  assertEquals(found.content.files.get("a.csv")?.committedByte, csvText(eventLines(0, 10)).length);
  await next.stop();
  // what was second is first again
  await first.said("ingesting", 2);
  await writeEvents(place, "b.csv", csvText(eventLines(10, 20)));
  await loaded(place, 20);
  first.signal("SIGTERM");
  assertEquals((await first.ended()).code, 0);
  await verifyExact(place);
}

/** With a COPY open, and a journal of its own that nobody else touches. */
async function frozenMidCopy(place: IngestPlace): Promise<void> {
  await using first = new SpawnedIngester(place, { args: LONG_COPY });
  await first.said("ingesting");
  const next = await standBy(place, { checkpointsDirectory: join(place.home, "other") });
  const rows = await freezeMidCopy(place, first);
  const fromMs = performance.now();
  const journal = await Deno.readTextFile(join(place.home, JOURNAL));
  await next.heard.until(() => next.heard.starts === 1);
  within(performance.now() - fromMs, { promisedMs: AFTER_FREEZE_MS, what: "frozen, mid-COPY" });
  await loaded(place, rows);
  const before = await batches(place);
  first.signal("SIGCONT");
  await first.said("standing by");
  assertEquals(await batches(place), before);
  assertEquals(await Deno.readTextFile(join(place.home, JOURNAL)), journal);
  await next.stop();
  await verifyExact(place);
}

/** Its packets go nowhere, and no close is ever seen. */
async function vanishedHost(place: IngestPlace): Promise<void> {
  await using proxy = new TcpProxy(place.database.url);
  const url = proxy.through(place.database.url);
  const sprung = proxy.trap({
    text: "copy ",
    from: "client",
    afterBytes: 100_000,
    then: "freeze",
  });
  const first = ingestWatching(place, { target: { kind: "server", url } });
  await first.heard.until(() => first.heard.starts === 1);
  const next = await standBy(place);
  await writeEvents(place, "a.csv", csvText(eventLines(0, 20_000)));
  await sprung;
  while (!await copyIsOpen(place));
  const fromMs = performance.now();
  proxy.freeze();
  await next.heard.until(() => next.heard.starts === 1);
  within(performance.now() - fromMs, { promisedMs: AFTER_FREEZE_MS, what: "vanished, mid-COPY" });
  await next.heard.until(() => next.heard.loaded === 20_000);
  await first.heard.until(() => first.heard.outages.length > 0);
  assertEquals(first.heard.loaded, 0);
  proxy.cut();
  await first.stop();
  await next.stop();
  await verifyExact(place);
}

Deno.test("a frozen owner is followed within 15 s, idle and in the middle of a COPY, and one whose host vanished; thawed, it commits nothing and writes no journal", async () => {
  // most of it is waiting
  await Promise.all([frozenIdle, frozenMidCopy, vanishedHost].map((run) => inPlace(run)));
});

Deno.test("an owner that slept longer than a lock keeps writes no journal for what it hears then", async () => {
  await inPlace(async (place) => {
    await writeEvents(place, "a.csv", csvText([eventLine(0)]));
    const journalPath = join(place.home, JOURNAL);
    let atFault = "";
    let hasSlept = false;
    const { heard, stop } = ingestWatching(place, {
      times: { owner: { ...OWNER_TIMES, idleLimitMs: 1_000, heartbeatMs: 100 } },
      probe: (point) => {
        if (hasSlept || point !== "sink.committed") return;
        hasSlept = true;
        // as SIGSTOP does: nothing of this process runs, while the server ends its idle sessions
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000);
      },
    });
    await heard.until(() => {
      if (heard.batches.length === 1 && atFault === "") {
        atFault = Deno.readTextFileSync(journalPath);
      }
      return heard.starts === 2;
    });
    assert(!atFault.includes("a.csv"), atFault);
    assertStringIncludes(await Deno.readTextFile(journalPath), "a.csv");
    assertEquals(heard.loaded, 1);
    await stop();
    await verifyExact(place);
  });
});

Deno.test("with --no-wait an ingester leaves when another one owns the pipeline, after an outage as well", async () => {
  await inPlace(async (place) => {
    const first = ingestWatching(place, { noWait: true });
    await first.heard.until(() => first.heard.starts === 1);
    const error = await assertRejects(() => ingestOnce(place), PgsluiceError);
    assertEquals([error.code, error.exitCode], ["pipeline-owned", 75]);
    // quick to take over, where the first one pauses before it tries again
    const next = await standBy(place, { times: { owner: { ...OWNER_TIMES, standbyPollMs: 5 } } });
    while (next.heard.starts === 0) {
      const starts = first.heard.starts;
      await place.database.sql`
        select pg_terminate_backend(pid) from pg_locks
        where locktype = 'advisory' and granted
          and database = (select oid from pg_database where datname = current_database())`;
      // either of the two may be the quicker one
      await Promise.any([
        next.heard.until(() => next.heard.starts > 0),
        first.heard.until(() => first.heard.starts > starts),
      ]);
    }
    const left = await assertRejects(() => first.ended, PgsluiceError);
    assertEquals(left.code, "pipeline-owned");
    await next.stop();
  });
});

Deno.test("an owner that has ended has let go: the next one need not wait", async () => {
  await inPlace(async ({ database }) => {
    for (let round = 0; round < 30; round++) {
      const owner = await PipelineOwner.take(database.target, {
        name: "default",
        noWait: true,
        onStandby: () => {},
        onLost: (cause) => {
          throw cause;
        },
        signal: new AbortController().signal,
      });
      await owner!.release();
    }
  });
});
