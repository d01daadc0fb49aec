import type { SelftestGround } from "./selftest_ground.ts";
import type { Tally } from "./tally.ts";

/** The campaigns, in their order. */
export const CAMPAIGNS = ["batches", "faults", "outages", "kills"] as const;

export type Campaign = (typeof CAMPAIGNS)[number];

/** What every campaign works with. */
export interface CampaignContext {
  readonly ground: SelftestGround;
  readonly tally: Tally;
  /** Decides the input, and where kills and faults fall. */
  readonly seed: number;
  /** Aborted: end at once, throwing its reason. */
  readonly signal: AbortSignal;
  /** Hears how far the campaign is. */
  readonly progress: (text: string) => void;
  /** Hears what a person should know. */
  readonly say: (text: string) => void;
}
