import { assert, assertEquals, assertGreater } from "@std/assert";
import { join } from "@std/path";
import type { Sql } from "../../src/database/connect.ts";
import { prefersOpenMetrics } from "../../src/metrics/exposition.ts";
import { IngestMetrics } from "../../src/metrics/ingest_metrics.ts";
import type { CommittedBatch } from "../../src/pipeline/ingest_observer.ts";
import { noStages, STAGE_NAMES } from "../../src/sink/batch_stages.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, eventLine, eventLines, writeEvents } from "../support/ingest_fixture.ts";
import { BUILD, OPEN_METRICS, OperatedIngest } from "./operated_ingest.ts";
import { parseExposition } from "./parse_exposition.ts";

const DEFECTS = [
  eventLine(1_000, { price: "free" }),
  eventLine(1_001, { price: "-1" }),
  eventLine(1_002, { price: "1.234" }),
  "short,record",
];

ingestCase("the metrics are what was loaded, in both formats", async (place) => {
  const text = csvText([...eventLines(0, 100), ...DEFECTS]);
  await writeEvents(place, "a.csv", text);
  // the same events again, and one more
  const again = csvText(eventLines(0, 101));
  await using operated = new OperatedIngest(place);
  const { heard } = operated;
  await heard.until(() => heard.loaded === 100);
  await writeEvents(place, "b.csv", again);
  await heard.until(() => heard.loaded === 101);
  const page = await operated.scrape();
  // OpenMetrics calls a counter's family by another name, and must not do so in plain text
  for (const { values } of [page, await operated.scrape(OPEN_METRICS), await operated.scrape()]) {
    const value = (name: string) => values.get(`${name}{pipeline="default"}`);
    assertEquals(value("pgsluice_rows_total"), 101);
    assertEquals(value("pgsluice_duplicates_total"), 100);
    assertEquals(value("pgsluice_bytes_total"), text.length + again.length);
    assertEquals(value("pgsluice_batches_total"), heard.batches.length);
    assertEquals(value("pgsluice_commit_seconds_count"), heard.batches.length);
    assertEquals(value("pgsluice_end_to_end_latency_seconds_count"), heard.batches.length);
    assertEquals(value("pgsluice_backlog_files"), 0);
    assertEquals(value("pgsluice_backlog_bytes"), 0);
    assertEquals(value("pgsluice_oldest_unread_file_age_seconds"), 0);
    assertEquals(value("pgsluice_database_up"), 1);
    assertEquals(value("pgsluice_owner"), 1);
    assertEquals(value("pgsluice_journal_up"), 1);
    assertEquals(value("pgsluice_journal_errors_total"), 0);
    const build = 'pipeline="default",revision="0123abc",version="1.2.3"';
    assertEquals(values.get(`pgsluice_build_info{${build}}`), 1);
    assertGreater(value("process_resident_memory_bytes")!, 1e6);
    assertGreater(value("process_cpu_seconds_total")!, 0);
    for (const stage of STAGE_NAMES) {
      const key = `pgsluice_stage_seconds_total{pipeline="default",stage="${stage.slice(0, -2)}"}`;
      const toldS = heard.batches.reduce((sum, { stages }) => sum + stages[stage] / 1000, 0);
      assertEquals(values.get(key), toldS);
    }
  }
  assertEquals(rejectsOf(page.values), await rejectsInTable(place.database.sql));
  const [row] = await place.database.sql`select count(*)::int as count from user_events`;
  assertEquals(row!.count, 101);
});

function rejectsOf(values: ReadonlyMap<string, number>): [string, number][] {
  return [...values].flatMap(([key, count]): [string, number][] => {
    const code = /^pgsluice_rejects_total\{code="(.+?)"/.exec(key)?.[1];
    return code === undefined ? [] : [[code, count]];
  }).sort();
}

async function rejectsInTable(sql: Sql): Promise<[string, number][]> {
  const rows = await sql<{ code: string; count: number }[]>`
    select code, count(*)::int as count from pgsluice.rejects group by code`;
  return rows.map(({ code, count }): [string, number] => [code, count]).sort();
}

ingestCase("the backlog and its age are of the moment of the scrape", async (place) => {
  await using operated = new OperatedIngest(place, { connections: 1 });
  const { heard } = operated;
  await heard.until(() => heard.scans === 1);
  const text = csvText(eventLines(0, 10));
  await place.database.sql.begin(async (sql) => {
    await sql`lock table user_events in share mode`;
    await writeEvents(place, "a.csv", text);
    const turns = heard.turns;
    await heard.until(() => heard.turns > turns && heard.backlog!().files > 0);
    assertEquals(await operated.value("pgsluice_backlog_files"), 1);
    assertEquals(await operated.value("pgsluice_backlog_bytes"), text.length);
  });
  await heard.until(() => heard.loaded === 10);
  await heard.until(() => heard.backlog!().files === 0);
  assertEquals(await operated.value("pgsluice_backlog_bytes"), 0);
});

ingestCase("a file that cannot be loaded is counted", async (place) => {
  await writeEvents(place, "bad.csv", "<html>\n");
  await writeEvents(place, "good.csv", csvText(eventLines(0, 10)));
  await using operated = new OperatedIngest(place);
  const { heard } = operated;
  await heard.until(() => heard.troubles.length > 0 && heard.loaded === 10);
  const { values } = await operated.scrape();
  const troubles = (state: string) =>
    values.get(`pgsluice_file_troubles_total{pipeline="default",state="${state}"}`);
  assertEquals([troubles("failed"), troubles("held")], [1, 0]);
});

ingestCase("a journal that cannot be written is told until it can be", async (place) => {
  const inTheWay = join(place.home, "checkpoints", "default", ".journal.jsonl.tmp");
  await Deno.mkdir(join(inTheWay, "full"), { recursive: true });
  await using operated = new OperatedIngest(place);
  const { heard } = operated;
  await heard.until(() => heard.journals.includes("trouble"));
  assertEquals(await operated.value("pgsluice_journal_up"), 0);
  assertEquals(await operated.value("pgsluice_journal_errors_total"), 1);
  await Deno.remove(inTheWay, { recursive: true });
  await heard.until(() => heard.journals.includes("mended"));
  assertEquals(await operated.value("pgsluice_journal_up"), 1);
  assertEquals(await operated.value("pgsluice_journal_errors_total"), 1);
});

const BATCH: CommittedBatch = {
  files: [{ path: "a.csv", isDone: true, modifiedMs: null }],
  loaded: 1,
  rejected: 0,
  duplicate: 0,
  sizeBytes: 100,
  rejectsByCode: new Map(),
  stages: noStages(),
  backlogBytes: null,
};

const BEGAN_MS = 1_800_000_000_000;

Deno.test("latency runs from a file's last change, but from before the ingester began", async () => {
  let nowMs = BEGAN_MS;
  const metrics = new IngestMetrics({ pipeline: "p", build: BUILD, now: () => nowMs });
  const commit = (modifiedMs: number | null) =>
    metrics.committed({ ...BATCH, files: [{ path: "a.csv", isDone: true, modifiedMs }] });
  const seen = async () => {
    const { text } = await metrics.expose(null);
    const { values } = parseExposition(text, { isOpenMetrics: false });
    const of = (name: string) => values.get(`pgsluice_${name}{pipeline="p"}`) ?? null;
    return [
      of("end_to_end_latency_seconds_sum"),
      of("end_to_end_latency_seconds_count"),
      of("last_commit_timestamp_seconds"),
    ];
  };
  assertEquals(await seen(), [0, 0, null]);
  nowMs += 5_000;
  commit(BEGAN_MS - 1e9);
  assertEquals(await seen(), [5, 1, nowMs / 1000]);
  commit(nowMs - 2_000);
  assertEquals(await seen(), [7, 2, nowMs / 1000]);
  // by a clock that is ahead; and a stream
  commit(nowMs + 60_000);
  commit(null);
  assertEquals(await seen(), [7, 3, nowMs / 1000]);
});

Deno.test("an outage ends in the metrics when something was loaded, not when a session stands", async () => {
  const metrics = new IngestMetrics({ pipeline: "p", build: BUILD });
  const told = async (...names: string[]) => {
    const { text } = await metrics.expose(null);
    const { values } = parseExposition(text, { isOpenMetrics: false });
    return names.map((name) => values.get(`pgsluice_${name}{pipeline="p"}`) ?? null);
  };
  const state = () => told("database_up", "owner", "outages_total", "backlog_files");
  const backlog = () => ({ files: 3, sizeBytes: 9, oldestModifiedMs: null });
  const start = { epoch: 1, source: "s", table: "t", did: [], backlog };
  assertEquals(await state(), [0, 0, 0, null]);
  metrics.started(start);
  assertEquals(await state(), [1, 1, 0, 3]);
  metrics.outage({ awayMs: 0 });
  assertEquals(await state(), [0, 0, 1, 3]);
  // a session stands, but nothing was loaded yet: a full disk takes connections
  metrics.started(start);
  metrics.outage({ awayMs: 30_000 });
  metrics.started(start);
  assertEquals(await state(), [0, 1, 1, 3]);
  metrics.recovered();
  assertEquals(await state(), [1, 1, 1, 3]);
  metrics.standby();
  assertEquals(await state(), [1, 0, 1, null]);
});

Deno.test("OpenMetrics is what Accept says it is", () => {
  const cases: [string | null, boolean][] = [
    [null, false],
    ["*/*", false],
    ["text/html,*/*;q=0.8", false],
    ["application/openmetrics-text", true],
    ["application/openmetrics-text; q=0", false],
    ["text/plain;version=0.0.4;q=0.5, Application/OpenMetrics-Text;version=1.0.0;q=0.75", true],
    ["application/openmetrics-text;q=0.2,text/plain;q=0.9", false],
  ];
  for (const [accept, expected] of cases) {
    assertEquals(prefersOpenMetrics(accept), expected, String(accept));
  }
});

Deno.test("a pipeline's name with blanks, dots and letters of any language stays one label", async () => {
  const metrics = new IngestMetrics({ pipeline: "Größe 2.a", build: BUILD });
  for (const accept of [null, OPEN_METRICS]) {
    const { text } = await metrics.expose(accept);
    const { values } = parseExposition(text, { isOpenMetrics: accept !== null });
    assert(values.has('pgsluice_rows_total{pipeline="Größe 2.a"}'));
  }
});
