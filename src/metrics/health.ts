import { PgsluiceError } from "../pgsluice_error.ts";
import type { IngestObserver } from "../pipeline/ingest_observer.ts";

/** A transaction may take long, and the loop waits for it. */
const HANG_MS = 180_000;

export interface HealthOptions {
  /** The loop hangs if it does not come round for so long; 180 s unless given. */
  readonly hangMs?: number;
  /** ms; those since the process began unless given. */
  readonly now?: () => number;
}

/** Whether an ingester lives, and whether it does its work. */
export class Health implements IngestObserver {
  readonly #hangMs: number;
  readonly #now: () => number;
  #turnedMs: number;
  #state: "starting" | "standby" | "owner" = "starting";
  #hasScanned = false;
  /** Since when, by `now`, and the code of its error if it has one. */
  #outage: { readonly sinceMs: number; readonly code: string | null } | null = null;

  constructor({ hangMs = HANG_MS, now = () => performance.now() }: HealthOptions = {}) {
    this.#hangMs = hangMs;
    this.#now = now;
    this.#turnedMs = now();
  }

  /** Why it is to be restarted, in sentences; empty if it lives. */
  notLive(): readonly string[] {
    const hungMs = this.#now() - this.#turnedMs;
    return hungMs <= this.#hangMs
      ? []
      : [`the loop has not come round for ${seconds(hungMs)}: something hangs`];
  }

  /** Why nothing is loaded now, in sentences; empty if it is ready. */
  notReady(): readonly string[] {
    const reasons = [...this.notLive()];
    if (this.#outage !== null) {
      const { sinceMs, code } = this.#outage;
      const why = code === null ? "" : ` (${code})`;
      reasons.push(`the database is down, for ${seconds(this.#now() - sinceMs)}${why}`);
    } else if (this.#state === "starting") {
      reasons.push("the database has not answered yet");
    } else if (this.#state === "standby") {
      reasons.push("another ingester owns the pipeline: standing by");
    }
    if (this.#state === "owner" && !this.#hasScanned) {
      reasons.push("the files that were there at the start have not all been looked at");
    }
    return reasons;
  }

  standby(): void {
    this.#state = "standby";
    this.#hasScanned = false;
  }

  started(): void {
    this.#state = "owner";
    this.#hasScanned = false;
  }

  scanned(): void {
    this.#hasScanned = true;
  }

  turned(): void {
    this.#turnedMs = this.#now();
  }

  committed(): void {}
  caughtUp(): void {}
  fileTrouble(): void {}
  fileNote(): void {}
  readError(): void {}
  journal(): void {}
  journalTrouble(): void {}

  outage({ error, awayMs }: { error: unknown; awayMs: number }): void {
    // the session has ended; whoever is the owner next, it is looked at anew
    this.#state = "starting";
    this.#hasScanned = false;
    const code = error instanceof PgsluiceError ? error.code : null;
    this.#outage = { sinceMs: this.#now() - awayMs, code };
  }

  recovered(): void {
    this.#outage = null;
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
