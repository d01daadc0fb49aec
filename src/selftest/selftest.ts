/**
 * Faults, kills and outages made on purpose, on the user's own machine and database, with the proof
 * of verify after each: what pgsluice promises, tried.
 */
import type { DatabaseTarget } from "../database/database_target.ts";
import { type Campaign, type CampaignContext, CAMPAIGNS } from "./campaign.ts";
import { runFaultCampaign } from "./fault_campaign.ts";
import { runKillCampaign } from "./kill_campaign.ts";
import { runOutageCampaign } from "./outage_campaign.ts";
import { runBatchCampaign } from "./batch_campaign.ts";
import { SelftestGround } from "./selftest_ground.ts";
import { type SelftestReport, selftestReport } from "./selftest_report.ts";
import { Tally } from "./tally.ts";

export interface SelftestOptions {
  readonly target: DatabaseTarget;
  /** A whole number below 2^52. */
  readonly seed: number;
  readonly kills: number;
  readonly faults: number;
  readonly campaigns: readonly Campaign[];
  /** Aborted: clean up, and throw its reason. */
  readonly signal: AbortSignal;
}

export interface SelftestListener {
  /** How far it is. */
  progress(text: string): void;
  /** A fact worth a line. */
  say(text: string): void;
}

/** Outages are few beside the faults, for each takes a moment to get over. */
const FAULTS_PER_OUTAGE = 4;

/** Runs the campaigns, up to the first violation, and leaves nothing behind. */
export async function runSelftest(
  options: SelftestOptions,
  listener: SelftestListener,
): Promise<SelftestReport> {
  const { target, seed, kills, faults, campaigns, signal } = options;
  const startedMs = performance.now();
  const say = (text: string) => listener.say(text);
  const id = crypto.randomUUID().slice(0, 8);
  const ground = await SelftestGround.open(target, { id, say });
  const tally = new Tally();
  try {
    const context: CampaignContext = {
      ground,
      tally,
      seed,
      signal,
      say,
      progress: (text) => listener.progress(text),
    };
    const run: Readonly<Record<Campaign, () => Promise<void>>> = {
      batches: () => runBatchCampaign(context),
      faults: () => runFaultCampaign(context, { faults }),
      outages: () => runOutageCampaign(context, { faults: Math.ceil(faults / FAULTS_PER_OUTAGE) }),
      kills: () => runKillCampaign(context, { kills }),
    };
    for (const campaign of CAMPAIGNS) {
      if (campaigns.includes(campaign) && !tally.isBroken) await run[campaign]();
    }
  } finally {
    await ground.close();
  }
  return selftestReport(tally, { seed, elapsedMs: performance.now() - startedMs });
}
