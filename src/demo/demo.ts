import { join } from "@std/path";
import { connect, type Sql } from "../database/connect.ts";
import type { DatabaseTarget } from "../database/database_target.ts";
import { setUp } from "../database/set_up.ts";
import { generateEvents } from "../generate/generate_events.ts";
import type { Manifest } from "../generate/manifest.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import { verifyPipeline, type VerifyReport } from "../verify/verify_pipeline.ts";
import {
  type DemoProgress,
  type HourOfEvents,
  type LatencyPercentiles,
  readHours,
  readLatencies,
  readProgress,
  readRejects,
  type RejectsOfCode,
} from "./demo_queries.ts";
import { IngesterProcess } from "./ingester_process.ts";

const EVENT_COUNT = 20_000;
/** Events a second: the demo's files arrive over about five seconds. */
const RATE = 4_000;
const ROWS_PER_FILE = 200;
const DIRTY_PERCENT = 2;
const DUPLICATES_PERCENT = 1;
const SEED = 20_26;
const PIPELINE = "default";
const POLL_MS = 50;
/** The ingester is behind by milliseconds; a machine that needs longer than this is stuck. */
const CATCH_UP_DEADLINE_MS = 120_000;

export interface DemoListener {
  /** A step, worth a line. */
  step(text: string): void;
  progress(progress: DemoProgress & { recordsPerSecond: number }): void;
}

export interface DemoResult {
  readonly manifest: Manifest;
  readonly report: VerifyReport;
  readonly hours: readonly HourOfEvents[];
  readonly rejects: readonly RejectsOfCode[];
  readonly latencies: LatencyPercentiles;
}

/**
 * Generates, ingests (and kills the ingester in the middle), and verifies, with a server and a
 * folder of its own. Ends every process it began.
 * @param home an empty folder
 */
export async function runDemo(
  options: { home: string; signal: AbortSignal },
  listener: DemoListener,
): Promise<DemoResult> {
  const { home, signal } = options;
  const events = join(home, "data", "events");
  await Deno.mkdir(events, { recursive: true });
  const target: DatabaseTarget = {
    kind: "embedded",
    dataDirectory: join(home, "data", "postgres"),
    database: "spark_db",
  };
  listener.step("starting PostgreSQL, unpacked and made for this demo …");
  // holds the server from here on, whatever becomes of the ingesters
  const maintenance = await connect({ ...target, database: "postgres" }, {
    applicationName: "pgsluice demo",
    say: (text) => listener.step(text),
  });
  try {
    const schema = USER_EVENTS;
    await setUp(target, { schema, table: schema.table });
    const client = await connect(target, { applicationName: "pgsluice demo" });
    try {
      const manifest = await loadEvents({ sql: client.sql, home, events, signal }, listener);
      listener.step("verifying: every file is read again and compared with the table …");
      const report = await verifyPipeline({
        sql: client.sql,
        schema,
        pipeline: PIPELINE,
        manifest,
      });
      return {
        manifest,
        report,
        hours: await readHours(client.sql),
        rejects: await readRejects(client.sql),
        latencies: await readLatencies(client.sql),
      };
    } finally {
      await client.close();
    }
  } finally {
    await maintenance.close();
  }
}

interface DemoRun {
  readonly sql: Sql;
  readonly home: string;
  readonly events: string;
  readonly signal: AbortSignal;
}

async function loadEvents(run: DemoRun, listener: DemoListener): Promise<Manifest> {
  const { sql, home, events, signal } = run;
  const startIngester = () =>
    // the files are whole when they appear, so what looks unfinished need not wait long
    new IngesterProcess(["ingest", events, "--settle", "200ms"], {
      environment: ingesterEnvironment(home),
    });
  let ingester = startIngester();
  let generated: Manifest | null = null;
  const generation = generateEvents({
    events: EVENT_COUNT,
    rate: RATE,
    rowsPerFile: ROWS_PER_FILE,
    seed: SEED,
    start: DEMO_START,
    dirtyPercent: DIRTY_PERCENT,
    duplicatesPercent: DUPLICATES_PERCENT,
    schema: USER_EVENTS,
    output: { kind: "folder", directory: events },
    signal,
  }).then((manifest) => generated = manifest);
  // its failure is met below, where it is awaited
  generation.catch(() => {});
  listener.step(
    `generating ${EVENT_COUNT.toLocaleString("en")} events into files of ` +
      `${ROWS_PER_FILE}, while an ingester (process ${ingester.processId}) loads them …`,
  );
  const pace = new Pace();
  let hasBeenKilled = false;
  let caughtUpByMs = Infinity;
  try {
    for (;;) {
      signal.throwIfAborted();
      if (ingester.hasEnded) throw await endedByItself(ingester);
      const progress = await readProgress(sql);
      if (progress !== null) {
        const records = progress.loaded + progress.rejected + progress.duplicate;
        listener.progress({ ...progress, recordsPerSecond: pace.perSecond(records) });
        if (!hasBeenKilled && records >= EVENT_COUNT / 2) {
          hasBeenKilled = true;
          const { processId } = ingester;
          await ingester.end("SIGKILL");
          ingester = startIngester();
          listener.step(
            `killed the ingester on purpose (SIGKILL, process ${processId}) and started another ` +
              `(process ${ingester.processId}), which goes on where the ledger stands`,
          );
        }
        if (generated !== null && records >= (generated as Manifest).events) break;
      }
      if (generated !== null && caughtUpByMs === Infinity) {
        caughtUpByMs = performance.now() + CATCH_UP_DEADLINE_MS;
      }
      if (performance.now() > caughtUpByMs) throw await stuck(ingester);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return await generation;
  } finally {
    await ingester.end(signal.aborted ? "SIGKILL" : "SIGTERM");
    await generation.catch(() => {});
  }
}

/** A Saturday; a day and its rhythm are in what follows. Fixed, so that the demo is the same. */
const DEMO_START = new Date("2026-03-14T00:00:00Z");

/** The environment without what would point the ingester elsewhere: libpq's variables and ours. */
function ingesterEnvironment(home: string): Record<string, string> {
  const inherited = Object.entries(Deno.env.toObject())
    .filter(([name]) => !name.startsWith("PG") && name !== "DATABASE_URL");
  return { ...Object.fromEntries(inherited), PGSLUICE_HOME: home };
}

async function endedByItself(ingester: IngesterProcess): Promise<PgsluiceError> {
  const { code, stderr } = await ingester.end("SIGKILL");
  return new PgsluiceError(
    "demo-ingester",
    `the demo's ingester ended with code ${code}: ${stderr.trim()}`,
    { hint: "run the demo again; if it stays so, this is a defect worth a report" },
  );
}

async function stuck(ingester: IngesterProcess): Promise<PgsluiceError> {
  const { stderr } = await ingester.end("SIGKILL");
  return new PgsluiceError(
    "demo-stuck",
    `the demo's ingester did not load everything within ${CATCH_UP_DEADLINE_MS / 1000} s: ` +
      stderr.trim(),
    { hint: "look into the folder of the demo with `pgsluice status`" },
  );
}

/** Records a second over the last second. */
class Pace {
  #samples: { atMs: number; records: number }[] = [];

  perSecond(records: number): number {
    const nowMs = performance.now();
    this.#samples = this.#samples.filter(({ atMs }) => nowMs - atMs <= 1_000);
    this.#samples.push({ atMs: nowMs, records });
    const first = this.#samples[0]!;
    return nowMs === first.atMs ? 0 : (records - first.records) / (nowMs - first.atMs) * 1000;
  }
}
