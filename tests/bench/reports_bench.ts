/**
 * What the reports take: all that the dashboard asks, with its windows, and the others with theirs;
 * and the dashboard's once more while events go on to come. The events are as the generator makes
 * them, some 86,400 a day, and then the same within a day. The answers that are read from the sums
 * by minute are the table's own, which is made sure of.
 */
import { join } from "@std/path";
import { formatCount, formatDuration, formatRate } from "../../src/cli/number_format.ts";
import { DASHBOARD_REPORTS } from "../../src/dashboard/dashboard_reports.ts";
import type { Sql } from "../../src/database/connect.ts";
import { generateEvents } from "../../src/generate/generate_events.ts";
import { findReportPipeline, type ReportPipeline } from "../../src/query/find_report_pipeline.ts";
import { REPORTS } from "../../src/query/reports.ts";
import { runReport } from "../../src/query/run_report.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { until } from "../support/until.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import type { BenchRow } from "./bench_row.ts";
import { FIRST_EVENT } from "./datasets.ts";
import { ingestProcess } from "./ingest_process.ts";
import { expectPlainAnswers, expectSums } from "./report_answers.ts";
import { median } from "./rounds.ts";
import { squeezeTimes } from "./squeeze_times.ts";
import { freshTable, settle, TABLE, tableContent } from "./target_table.ts";
import { emptyFolder, whileIngesting } from "./watched_folder.ts";

const GOAL_MS = 200;
const EVENTS = 10_000_000;
/** Under `--quick`. */
const QUICK_EVENTS = 200_000;
const EVENTS_PER_FILE = 20_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Of the records; some for the reports on them. */
const DIRTY_PERCENT = 0.5;
const DUPLICATES_PERCENT = 0.5;
/** So often each report is asked, in turn, in a round; once is enough for a slow one. */
const ASKED_PER_ROUND = 5;
const SLOW_MS = 1_000;
/** What goes on to come: so many files, for longer than it is asked meanwhile. */
const ARRIVING = { files: 2_000, filesPerSecond: 10, eventsPerFile: 500 };
/**
 * So many come before it is asked: more than a report's window holds, all newer than what the server
 * has in its statistics of the table.
 */
const NEWEST_EVENTS = 60_000;

interface Density {
  readonly name: string;
  /** Into how much the events are squeezed, from the first to the last; null for as they are. */
  readonly spanMs: number | null;
}

const DENSITIES: readonly Density[] = [
  { name: "some 86,400 a day", spanMs: null },
  { name: "all within a day", spanMs: DAY_MS },
];

export async function reportsBench(options: BenchOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const density of DENSITIES) rows.push(...await measureDensity(options, density));
  return rows;
}

async function measureDensity(options: BenchOptions, density: Density): Promise<BenchRow[]> {
  const { place, quick, say } = options;
  const { sql } = place.database;
  const events = options.events ?? (quick ? QUICK_EVENTS : EVENTS);
  const data = `${formatCount(events)} events, ${density.name}`;
  say(`generating ${data}`);
  await emptyFolder(place.events);
  const { valid } = await generate(place.events, { events, start: FIRST_EVENT, seed: 1 });
  const lastMs = await lastEvent(place.events);
  const factor = density.spanMs === null ? 1 : (lastMs - FIRST_EVENT.getTime()) / density.spanMs;
  await squeezeFiles(place.events, factor);
  await freshTable(place, "built-in");
  say(`loading ${data}`);
  await ingestProcess(place, place.events);
  const { rows } = await tableContent(place);
  if (rows !== valid) throw new Error(`${rows} rows of ${valid}`);
  await expectSums(sql);
  // as autovacuum does, sooner or later
  await sql.unsafe(`vacuum analyze ${TABLE}`);
  await sql.unsafe("vacuum analyze pgsluice.minutes, pgsluice.minute_deltas");
  await settle(place);
  const pipeline = await findReportPipeline(sql, "default");
  const plainMs = await expectPlainAnswers(sql, pipeline);
  const asked = await ask(options, [
    ...dashboardQuestions(sql, pipeline),
    ...[...REPORTS.values()].map((report): Question => ({
      name: `query ${report.name}`,
      goalMs: null,
      plainMs: plainMs.get(report.name) ?? null,
      ask: async () => (await runReport(sql, { pipeline, report })).rows.length,
    })),
  ], data);
  const arriving = join(place.home, "arriving");
  await generate(arriving, {
    events: ARRIVING.files * ARRIVING.eventsPerFile,
    start: new Date(lastMs),
    seed: 2,
  }, ARRIVING.eventsPerFile);
  await squeezeFiles(arriving, factor);
  const rate = formatRate(ARRIVING.filesPerSecond * ARRIVING.eventsPerFile, "events");
  const meanwhile = await whileArriving(
    place,
    arriving,
    () => ask(options, dashboardQuestions(sql, pipeline), `${data}, ${rate} coming meanwhile`),
  );
  await Deno.remove(arriving, { recursive: true });
  await expectSums(sql);
  return [...asked, ...meanwhile];
}

async function generate(
  directory: string,
  { events, start, seed }: { events: number; start: Date; seed: number },
  eventsPerFile = EVENTS_PER_FILE,
): Promise<{ valid: number }> {
  return await generateEvents({
    events,
    rowsPerFile: eventsPerFile,
    seed,
    start,
    dirtyPercent: DIRTY_PERCENT,
    duplicatesPercent: DUPLICATES_PERCENT,
    schema: USER_EVENTS,
    output: { kind: "folder", directory },
  });
}

/** In the order of their events. */
function filesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

/** ms since 1970. */
async function lastEvent(directory: string): Promise<number> {
  const last = await Deno.readTextFile(join(directory, filesIn(directory).at(-1)!));
  const times = [...last.matchAll(/^[^,]{36},([^,]{24}),/gm)]
    .map(([, time]) => Date.parse(time!))
    .filter(Number.isFinite);
  return Math.max(...times);
}

async function squeezeFiles(directory: string, factor: number): Promise<void> {
  if (factor === 1) return;
  for (const name of filesIn(directory)) {
    const path = join(directory, name);
    const bytes = await Deno.readFile(path);
    squeezeTimes(bytes, { originMs: FIRST_EVENT.getTime(), factor });
    await Deno.writeFile(path, bytes);
  }
}

interface Question {
  readonly name: string;
  readonly goalMs: number | null;
  /** What the same takes from the table's rows. */
  readonly plainMs: number | null;
  /** @returns how many rows the answer has */
  ask(): Promise<number>;
}

function dashboardQuestions(sql: Sql, pipeline: ReportPipeline): Question[] {
  return DASHBOARD_REPORTS.map((report) => ({
    name: `dashboard's ${report.name}`,
    goalMs: GOAL_MS,
    plainMs: null,
    ask: async () => (await report.ask(sql, pipeline)).rows.length,
  }));
}

async function ask(
  { rounds, say }: BenchOptions,
  questions: readonly Question[],
  data: string,
): Promise<BenchRow[]> {
  const tookMs = questions.map((): number[] => []);
  const counts = questions.map(() => 0);
  for (let turn = 0; turn < rounds * ASKED_PER_ROUND; turn++) {
    for (const [index, question] of questions.entries()) {
      const isSlow = question.goalMs === null && (tookMs[index]![0] ?? 0) > SLOW_MS;
      if (isSlow && turn % ASKED_PER_ROUND > 0) continue;
      const startedMs = performance.now();
      counts[index] = await question.ask();
      tookMs[index]!.push(performance.now() - startedMs);
    }
    say(`${data}: asked ${turn + 1} times`);
  }
  return questions.map(({ name, goalMs, plainMs }, index) => {
    const middleMs = median(tookMs[index]!);
    return {
      name: `${name}: ${data}`,
      goal: goalMs === null ? "" : `median ${formatDuration(goalMs)} or less`,
      figure: `median ${formatDuration(middleMs)}, worst ` +
        `${formatDuration(Math.max(...tookMs[index]!))}, ${formatCount(counts[index]!)} rows`,
      ...(plainMs !== null && { baseline: `without the sums: ${formatDuration(plainMs)}` }),
      met: goalMs === null || middleMs <= goalMs,
    };
  });
}

/** Does the work while an ingester loads what comes into its folder. */
async function whileArriving<T>(
  place: BenchPlace,
  directory: string,
  work: () => Promise<T>,
): Promise<T> {
  return await whileIngesting(place, async () => {
    const names = filesIn(directory);
    let isOver = false;
    const arrive = async () => {
      while (!isOver) {
        const name = names.shift();
        if (name === undefined) throw new Error("more events were to come");
        await Deno.rename(join(directory, name), join(place.events, `more-${name}`));
        await new Promise((resolve) => setTimeout(resolve, 1000 / ARRIVING.filesPerSecond));
      }
    };
    const arrived = arrive();
    arrived.catch(() => {}); // awaited below
    try {
      await until("events come", async () => await loadedOf(place) > NEWEST_EVENTS);
      return await work();
    } finally {
      isOver = true;
      await arrived;
    }
  });
}

/** Events of what came meanwhile. */
async function loadedOf({ database: { sql } }: BenchPlace): Promise<number> {
  const [files] = await sql<{ loaded: number }[]>`
    select coalesce(sum(loaded), 0)::float8 as loaded
    from pgsluice.files
    where path like 'more-%'`;
  return files!.loaded;
}
