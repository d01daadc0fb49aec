import type { ProbePoint } from "../probe.ts";
import type { Verdict } from "./judge.ts";
import { KILL_PHASES, type KillPhase } from "./kill_phase.ts";

/** Violations that are told; one defect may cause many. */
const TOLD_VIOLATIONS = 50;

/** What the campaigns did and found, added up. */
export class Tally {
  lives = 0;
  faults = 0;
  databaseFaults = 0;
  /** Rows that were judged. */
  rows = 0;
  lost = 0;
  doubled = 0;
  /** How much of the input had been loaded at the last kill, from 0 to 1; null if none came. */
  lastKillPart: number | null = null;
  violationCount = 0;
  /** The first ones, each with where it was found. */
  readonly violations: string[] = [];
  readonly #kills = new Map<KillPhase, number>(KILL_PHASES.map((phase) => [phase, 0]));
  readonly #faults = new Map<ProbePoint, number>();

  get kills(): number {
    return [...this.#kills.values()].reduce((sum, count) => sum + count, 0);
  }

  /** How many kills fell in each phase. */
  get killsByPhase(): ReadonlyMap<KillPhase, number> {
    return this.#kills;
  }

  /** How often each operation failed. */
  get faultsByPoint(): ReadonlyMap<ProbePoint, number> {
    return this.#faults;
  }

  /** How much of its input a lane of the kill campaign had loaded at its last kill: the largest. */
  noteLastKill(part: number): void {
    this.lastKillPart = Math.max(part, this.lastKillPart ?? 0);
  }

  countKill(phase: KillPhase): void {
    this.#kills.set(phase, this.#kills.get(phase)! + 1);
  }

  countFault(point: ProbePoint): void {
    this.faults++;
    this.#faults.set(point, (this.#faults.get(point) ?? 0) + 1);
  }

  judge(where: string, verdict: Verdict): void {
    this.rows += verdict.rows;
    this.lost += verdict.lost;
    this.doubled += verdict.doubled;
    this.violate(where, [
      ...(verdict.lost > 0 ? [`lost ${verdict.lost} events`] : []),
      ...(verdict.doubled > 0 ? [`doubled ${verdict.doubled} events`] : []),
      ...verdict.violations,
    ]);
  }

  /** True if something was found. One defect shows in many places, so a campaign may end then. */
  get isBroken(): boolean {
    return this.violationCount > 0;
  }

  violate(where: string, sentences: readonly string[]): void {
    this.violationCount += sentences.length;
    for (const sentence of sentences) {
      if (this.violations.length < TOLD_VIOLATIONS) this.violations.push(`${where}: ${sentence}`);
    }
  }
}
