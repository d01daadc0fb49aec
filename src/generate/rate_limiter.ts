/** Rows are released in steps of at least so long, lest every row cost a wake-up. */
const STEP_MS = 10;

/** What more than so long a stall held back is not made up for: rows should not come in a flood. */
const MAX_DEBT_MS = 10_000;

/**
 * Says how many rows are due. It keeps to a schedule from the start on, so that delays do not add
 * up: rows held back by a stall follow at once.
 */
export class RateLimiter {
  readonly #perSecond: number;
  /** Row n (from 1) is due n seconds / rate after this. */
  #startMs: number;
  #taken = 0;

  constructor({ perSecond, startMs }: { perSecond: number; startMs: number }) {
    this.#perSecond = perSecond;
    this.#startMs = startMs;
  }

  /** Rows due now and not yet taken. */
  due(nowMs: number): number {
    const dueMs = this.#startMs + (this.#taken / this.#perSecond) * 1000;
    if (nowMs - dueMs > MAX_DEBT_MS) this.#startMs += nowMs - dueMs - MAX_DEBT_MS;
    // rounded a little up, so that a row is due at the very time that `nextDueMs` said
    const scheduled = ((nowMs - this.#startMs) / 1000) * this.#perSecond + 1e-6;
    return Math.max(Math.floor(scheduled) - this.#taken, 0);
  }

  take(rowCount: number): void {
    this.#taken += rowCount;
  }

  /** When to look again, if nothing is due now. */
  nextDueMs(nowMs: number): number {
    const dueMs = this.#startMs + ((this.#taken + 1) / this.#perSecond) * 1000;
    return Math.max(dueMs, nowMs + STEP_MS);
  }
}
