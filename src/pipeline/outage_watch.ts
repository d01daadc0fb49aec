/** While an outage lasts, it is told again after so long. */
const REMINDER_MS = 30_000;

export interface OutageFact {
  /** Since the first failure of this outage; 0 for the first one. */
  readonly awayMs: number;
}

/**
 * Makes of many failed attempts what a person wants to hear of an outage: that it began, at
 * intervals that it lasts, and that it is over.
 *
 * Invariant: between a beginning and an end there is no other beginning.
 */
export class OutageWatch {
  #beganMs: number | null = null;
  #toldMs = 0;

  /** An attempt failed. @returns what is to be told now, if anything */
  failed(nowMs: number): OutageFact | null {
    if (this.#beganMs === null) {
      this.#beganMs = nowMs;
    } else if (nowMs - this.#toldMs < REMINDER_MS) {
      return null;
    }
    this.#toldMs = nowMs;
    return { awayMs: nowMs - this.#beganMs };
  }

  /** It works again. @returns the outage that is over by that, if there was one */
  worked(nowMs: number): OutageFact | null {
    if (this.#beganMs === null) return null;
    const awayMs = nowMs - this.#beganMs;
    this.#beganMs = null;
    return { awayMs };
  }
}
