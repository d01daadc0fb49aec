/**
 * Faults of the database while the ingester runs: backends terminated, connections cut, answers to
 * COMMIT lost, and commits lost as by a failover to a late replica. Each ingester must get through
 * by itself, so what is judged is what it left, with no restart in between.
 */
import type { DatabaseTarget } from "../database/database_target.ts";
import { Random } from "../generate/random.ts";
import { findPipeline } from "../sink/pipeline_binding.ts";
import type { CampaignContext } from "./campaign.ts";
import { checkJournal } from "./check_journal.ts";
import { CuttingProxy } from "./cutting_proxy.ts";
import { judge } from "./judge.ts";
import { laneInput } from "./lane_input.ts";
import { Life } from "./life.ts";
import { LedgerCopy } from "./ledger_copy.ts";
import { applyChanges } from "./planted_input.ts";
import type { TestedPipeline } from "./selftest_ground.ts";
import { endSessions, pipelineSessions } from "./pipeline_sessions.ts";
import { untilLoaded } from "./until_loaded.ts";

/** Batches between two faults, at most. */
const CALM_BATCHES = 4;
/** Events for each fault: as many as load between two of them, and more. */
const EVENTS_PER_FAULT = 150;
/** Sessions in a row without a commit. */
const SESSIONS_BORNE = 8;
const LOST_EVENTS = 600;

export async function runOutageCampaign(
  context: CampaignContext,
  options: { readonly faults: number },
): Promise<void> {
  const { ground, say } = context;
  const most = Math.max(2, Math.ceil(options.faults / 3));
  await runWithLostCommits(context);
  await runWithTerminations(context, most);
  const proxy = CuttingProxy.open(ground.target.url);
  if (proxy === null) {
    say("the server may be reached with TLS: no connection is cut, no answer to COMMIT lost");
    return;
  }
  try {
    await runWithCuts(context, { proxy, most });
    await runWithLostAnswers(context, { proxy, most });
  } finally {
    await proxy.close();
  }
}

async function runWithTerminations(context: CampaignContext, most: number): Promise<void> {
  const { ground, tally, seed } = context;
  const random = new Random(seed, 1);
  await runWhileFailing(context, {
    what: "backends terminated",
    target: ground.target,
    most,
    fail: async ({ name }) => {
      const known = await findPipeline(ground.sql, name);
      const sessions = await pipelineSessions(ground.sql, { ...known!, name });
      // some of them, or all of them as when the server goes down
      const chosen = random.below(2) === 0
        ? sessions
        : sessions.slice(random.below(sessions.length));
      if (await endSessions(ground.sql, chosen) > 0) tally.databaseFaults++;
    },
  });
}

async function runWithCuts(
  context: CampaignContext,
  { proxy, most }: { proxy: CuttingProxy; most: number },
): Promise<void> {
  await runWhileFailing(context, {
    what: "connections cut",
    target: { kind: "server", url: proxy.url },
    most,
    fail: () => {
      if (proxy.cut() > 0) context.tally.databaseFaults++;
      return Promise.resolve();
    },
  });
}

async function runWithLostAnswers(
  context: CampaignContext,
  { proxy, most }: { proxy: CuttingProxy; most: number },
): Promise<void> {
  await runWhileFailing(context, {
    what: "answers to COMMIT lost",
    target: { kind: "server", url: proxy.url },
    most,
    fail: () => {
      proxy.loseNextAnswer();
      return Promise.resolve();
    },
  });
  context.tally.databaseFaults += proxy.lostAnswers;
  if (proxy.lostAnswers === 0 && !context.tally.isBroken) {
    context.tally.violate("answers to COMMIT lost", ["none was lost: the proxy saw no COMMIT"]);
  }
}

/** Loads input with one ingester, and lets something fail every few batches. */
async function runWhileFailing(
  context: CampaignContext,
  { what, target, most, fail }: {
    what: string;
    target: DatabaseTarget;
    most: number;
    fail: (pipeline: TestedPipeline) => Promise<void>;
  },
): Promise<void> {
  const { ground, tally, seed, signal, progress } = context;
  if (tally.isBroken) return;
  const random = new Random(seed, what.length);
  const input = await laneInput({
    seed: seed + what.length,
    events: EVENTS_PER_FAULT * most,
    growths: 0,
    home: ground.home,
  });
  const pipeline = await ground.newPipeline("outages");
  await applyChanges(input.changes, pipeline);
  const failing: Promise<void>[] = [];
  let failed = 0;
  let calmBatches = 1 + random.below(CALM_BATCHES);
  const life = new Life({
    pipeline,
    target,
    signal,
    sessionsBorne: SESSIONS_BORNE,
    onCommitted: () => {
      if (failed === most || --calmBatches > 0) return;
      progress(`outages: ${what}, ${++failed} of ${most}`);
      calmBatches = 1 + random.below(CALM_BATCHES);
      const failure = fail(pipeline);
      failure.catch(() => {}); // met below
      failing.push(failure);
    },
  });
  await life.ended;
  await Promise.all(failing);
  signal.throwIfAborted();
  tally.lives++;
  if (life.isStuck) tally.violate(what, ["the ingester did not recover"]);
  if (life.error !== null) tally.violate(what, [`the ingester ended with ${life.error}`]);
  tally.violate(what, await checkJournal(ground.sql, { pipeline, end: "clean" }));
  tally.judge(what, await judge(ground.sql, { pipeline, truth: input.truth }));
  await ground.dropPipeline(pipeline);
}

/** An ingester that watches, whose database falls back behind files that were done long ago. */
async function runWithLostCommits(context: CampaignContext): Promise<void> {
  const { ground, tally, seed, signal, progress } = context;
  const what = "commits lost";
  const input = await laneInput({ seed, events: LOST_EVENTS, growths: 2, home: ground.home });
  const pipeline = await ground.newPipeline("outages");
  const half = Math.ceil(input.changes.length / 2);
  await applyChanges([...input.changes.slice(0, half), input.growths[0]!], pipeline);
  const life = new Life({
    pipeline,
    target: ground.target,
    signal,
    once: false,
    sessionsBorne: SESSIONS_BORNE,
  });
  try {
    progress(`outages: ${what}`);
    const isLoaded = async (session?: number) => {
      const loaded = await untilLoaded(ground.sql, {
        pipeline,
        life,
        ...(session !== undefined && { session }),
      });
      if (!loaded) tally.violate(what, [`not everything was loaded: ${life.error ?? "no error"}`]);
      return loaded;
    };
    if (!await isLoaded()) return;
    const known = await findPipeline(ground.sql, pipeline.name);
    const copy = await LedgerCopy.take(ground.sql, {
      pipeline: { ...known!, name: pipeline.name },
      table: pipeline.quotedTable,
      schema: ground.schema,
    });
    await applyChanges([...input.changes.slice(half), input.growths[1]!], pipeline);
    if (!await isLoaded()) return;
    const next = life.starts + 1;
    await copy.putBack();
    tally.databaseFaults++;
    if (!await isLoaded(next)) return;
    await copy.drop();
    if (!life.journalStandings.includes("ahead")) {
      tally.violate(what, ["the ingester did not notice that its journal was ahead"]);
    }
  } finally {
    life.stop();
    await life.ended;
  }
  signal.throwIfAborted();
  tally.lives++;
  if (life.error !== null) tally.violate(what, [`the ingester ended with ${life.error}`]);
  tally.violate(what, await checkJournal(ground.sql, { pipeline, end: "clean" }));
  tally.judge(what, await judge(ground.sql, { pipeline, truth: input.truth }));
  await ground.dropPipeline(pipeline);
}
