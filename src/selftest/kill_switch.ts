import type { Probe, ProbePoint } from "../probe.ts";
import { type KillPhase, phaseOf } from "./kill_phase.ts";

export interface KillPlan {
  readonly phase: KillPhase;
  /** Let so many batches commit first. */
  readonly afterCommits: number;
  /** Wait so long once the phase has begun: the kill then falls wherever it falls; 0 for at once. */
  readonly delayMs: number;
}

/** Where a kill fell. */
export interface KillReport {
  readonly phase: KillPhase;
  /** Batches that had begun and neither committed nor were rolled back. */
  readonly openBatches: number;
}

/** Kills its own process, at a moment of the plan when a batch is open. */
export class KillSwitch {
  readonly #plan: KillPlan;
  readonly #kill: (report: KillReport) => void;
  #openBatches = 0;
  #commits = 0;
  #phase: KillPhase = "read";
  /** Set when the delay is over. */
  #isDue = false;
  #isWaiting = false;

  /** @param kill does not return */
  constructor(plan: KillPlan, kill: (report: KillReport) => void) {
    this.#plan = plan;
    this.#kill = kill;
  }

  readonly probe: Probe = (point) => {
    if (point === "sink.begin") this.#openBatches++;
    const phase = phaseOf(point);
    this.#phase = phase ?? this.#phase;
    if (this.#isDue) this.#killIfOpen();
    else if (phase === this.#plan.phase && this.#commits >= this.#plan.afterCommits) this.#strike();
    if (point === "sink.committed") this.#commits++;
    if (ENDS_OF_BATCHES.includes(point)) this.#openBatches--;
  };

  #strike(): void {
    const { delayMs } = this.#plan;
    if (delayMs === 0) return this.#killIfOpen();
    if (this.#isWaiting || this.#openBatches === 0) return;
    this.#isWaiting = true;
    setTimeout(() => {
      this.#isDue = true;
      this.#killIfOpen();
    }, delayMs);
  }

  #killIfOpen(): void {
    if (this.#openBatches === 0) return;
    this.#kill({ phase: this.#phase, openBatches: this.#openBatches });
  }
}

const ENDS_OF_BATCHES: readonly ProbePoint[] = ["sink.committed", "sink.rolled-back"];
