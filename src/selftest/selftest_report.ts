import type { Tally } from "./tally.ts";

export interface SelftestReport {
  readonly seed: number;
  readonly kills: number;
  readonly killsByPhase: Readonly<Record<string, number>>;
  /** How much of the input had been loaded at the last kill, from 0 to 1; null if none came. */
  readonly lastKillPart: number | null;
  readonly faults: number;
  /** By the operation that failed. */
  readonly faultsByPoint: Readonly<Record<string, number>>;
  readonly databaseFaults: number;
  /** Lives of ingesters. */
  readonly lives: number;
  /** Rows that were judged, those of every judgement added up. */
  readonly rows: number;
  readonly lost: number;
  readonly doubled: number;
  /** The first ones, as sentences. */
  readonly violations: readonly string[];
  readonly violationCount: number;
  readonly elapsedMs: number;
  /** True if nothing was lost or doubled, and all else was as promised. */
  readonly isKept: boolean;
  /** One line, ending in `lost 0, doubled 0` if the promise was kept. */
  readonly summary: string;
}

export function selftestReport(
  tally: Tally,
  { seed, elapsedMs }: { seed: number; elapsedMs: number },
): SelftestReport {
  const { kills, faults, databaseFaults, lives, rows, lost, doubled, violationCount } = tally;
  const isKept = violationCount === 0;
  const counts = [
    `seed ${seed}`,
    `${kills} kills`,
    `${faults} faults`,
    `${databaseFaults} database faults`,
    `${rows} rows`,
    ...(isKept ? [] : [`${violationCount} violations`]),
  ];
  return {
    seed,
    kills,
    lastKillPart: tally.lastKillPart,
    killsByPhase: Object.fromEntries(tally.killsByPhase),
    faults,
    faultsByPoint: Object.fromEntries(tally.faultsByPoint),
    databaseFaults,
    lives,
    rows,
    lost,
    doubled,
    violations: tally.violations,
    violationCount,
    elapsedMs,
    isKept,
    summary: `selftest: ${counts.join(", ")}: lost ${lost}, doubled ${doubled}`,
  };
}
