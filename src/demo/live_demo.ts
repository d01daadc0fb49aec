import { DASHBOARD_ADDRESS } from "../dashboard/dashboard_address.ts";
import { type DashboardServer, serveDashboard } from "../dashboard/dashboard_server.ts";
import { PAGE_ASSETS, PAGE_TAG } from "../dashboard/page_assets.ts";
import { pause } from "../pause.ts";
import { generateEvents, type GenerateOptions } from "../generate/generate_events.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import {
  concludeDemo,
  DEMO_PIPELINE,
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
import { Pace } from "./pace.ts";

/** A day of the shop's, so that the page has one to show: with this seed they reach to midnight. */
const DAY_EVENTS = 90_400;
const DAY_MS = 86_400_000;
const DAY_ROWS_PER_FILE = 2_000;
/** Records a second: of the shop's own time, more than six minutes. */
const RATE = 400;
const ROWS_PER_FILE = 100;
const SEED = 20_26;
/** Long enough to have looked at the page. */
const KILLED_AFTER_MS = 20_000;
const POLL_MS = 250;
/** Ctrl-C at a terminal reaches the ingester, too, and may end it before it is heard here. */
const HEARD_WITHIN_MS = 1_000;

export interface LiveDemoListener extends DemoListener {
  /** The page is there. */
  serving(url: string): void;
}

/**
 * Generates without end and ingests (and kills the ingester once), with the live page, until the
 * signal; then loads what is left and verifies. Ends every process it began.
 * @param options.home an empty folder
 */
export async function runLiveDemo(
  options: { home: string; signal: AbortSignal },
  listener: LiveDemoListener,
): Promise<DemoResult> {
  return await withDemoGround(options, listener, async (ground) => {
    const dashboard = serveHereOrElsewhere(ground, listener);
    try {
      listener.serving(dashboard.url);
      await loadUntilSignal(ground, listener);
    } finally {
      await dashboard.close();
    }
    listener.step("loading what is left …");
    const last = startIngester(ground, "--once");
    const { code } = await last.ended();
    if (code !== 0) throw await endedByItself(last);
    return await concludeDemo(ground, listener);
  });
}

async function loadUntilSignal(ground: DemoGround, listener: LiveDemoListener): Promise<void> {
  const { sql, signal } = ground;
  let ingester = startIngester(ground);
  let failure: { readonly error: unknown } | null = null;
  const over = new AbortController();
  const generation = generateAll(
    { ...ground, signal: AbortSignal.any([signal, over.signal]) },
    listener,
  ).catch((error) => {
    failure = { error };
  });
  const pace = new Pace();
  let killAtMs = performance.now() + KILLED_AFTER_MS;
  try {
    while (!signal.aborted) {
      if (failure !== null) throw (failure as { readonly error: unknown }).error;
      if (ingester.hasEnded) {
        await pause(HEARD_WITHIN_MS, signal);
        if (!signal.aborted) throw await endedByItself(ingester);
        break;
      }
      const progress = await readProgress(sql);
      if (progress !== null) {
        const records = progress.loaded + progress.rejected + progress.duplicate;
        listener.progress({ ...progress, recordsPerSecond: pace.perSecond(records) });
      }
      if (performance.now() > killAtMs) {
        killAtMs = Infinity;
        ingester = await killAndRestart(ingester, ground, listener);
      }
      await pause(POLL_MS, signal);
    }
  } finally {
    over.abort();
    await generation;
    await ingester.end("SIGTERM");
  }
}

/** A demo has no flag for its address: if the port is taken, another one will do. */
function serveHereOrElsewhere(
  { target }: DemoGround,
  listener: LiveDemoListener,
): DashboardServer {
  const serve = (listen: string) =>
    serveDashboard({
      listen,
      target,
      pipeline: DEMO_PIPELINE,
      page: { assets: PAGE_ASSETS, tag: PAGE_TAG },
      say: (text) => listener.step(text),
    });
  try {
    return serve(DASHBOARD_ADDRESS);
  } catch (error) {
    const isTaken = error instanceof Error && error.cause instanceof Deno.errors.AddrInUse;
    if (!isTaken) throw error;
    return serve(":0");
  }
}

/** A day at once, then the days after it as they go by. */
async function generateAll(
  { events: directory, signal }: DemoGround,
  listener: DemoListener,
): Promise<void> {
  const shared = {
    dirtyPercent: DIRTY_PERCENT,
    duplicatesPercent: DUPLICATES_PERCENT,
    schema: USER_EVENTS,
    output: { kind: "folder", directory },
    signal,
  } satisfies Partial<GenerateOptions>;
  listener.step(
    `generating a day of the shop's at once, then ${RATE} events a second: ` +
      "six minutes of its time go by in each",
  );
  await generateEvents({
    ...shared,
    events: DAY_EVENTS,
    rowsPerFile: DAY_ROWS_PER_FILE,
    seed: SEED,
    start: DEMO_START,
  });
  if (signal.aborted) return;
  await generateEvents({
    ...shared,
    events: Infinity,
    rate: RATE,
    rowsPerFile: ROWS_PER_FILE,
    seed: SEED + 1,
    start: new Date(DEMO_START.getTime() + DAY_MS),
  });
}
