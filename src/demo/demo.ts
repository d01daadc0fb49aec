import { generateEvents } from "../generate/generate_events.ts";
import type { Manifest } from "../generate/manifest.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import {
  concludeDemo,
  DEMO_START,
  type DemoGround,
  type DemoListener,
  type DemoResult,
  DIRTY_PERCENT,
  DUPLICATES_PERCENT,
  withDemoGround,
} from "./demo_ground.ts";
import { endedByItself, killAndRestart, startIngester } from "./demo_ingester.ts";
import { readProgress } from "./demo_queries.ts";
import type { IngesterProcess } from "./ingester_process.ts";
import { Pace } from "./pace.ts";

const EVENT_COUNT = 20_000;
/** Events a second: the demo's files arrive over about five seconds. */
const RATE = 4_000;
const ROWS_PER_FILE = 200;
const SEED = 20_26;
const POLL_MS = 50;
/** The ingester is behind by milliseconds; a machine that needs longer than this is stuck. */
const CATCH_UP_DEADLINE_MS = 120_000;

/**
 * Generates, ingests (and kills the ingester in the middle), and verifies, with a server and a
 * folder of its own. Ends every process it began.
 * @param options.home an empty folder
 */
export async function runDemo(
  options: { home: string; signal: AbortSignal },
  listener: DemoListener,
): Promise<DemoResult> {
  return await withDemoGround(options, listener, async (ground) => {
    const manifest = await loadEvents(ground, listener);
    return await concludeDemo(ground, listener, manifest);
  });
}

async function loadEvents(ground: DemoGround, listener: DemoListener): Promise<Manifest> {
  const { sql, events, signal } = ground;
  let ingester = startIngester(ground);
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
          ingester = await killAndRestart(ingester, ground, listener);
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

async function stuck(ingester: IngesterProcess): Promise<PgsluiceError> {
  const { stderr } = await ingester.end("SIGKILL");
  return new PgsluiceError(
    "demo-stuck",
    `the demo's ingester did not load everything within ${CATCH_UP_DEADLINE_MS / 1000} s: ` +
      stderr.trim(),
    { hint: "look into the folder of the demo with `pgsluice status`" },
  );
}
