/**
 * Holds back lines that say the same of ever more things: 10,000 files that fail are not to hide an
 * outage. No clock but what it is told.
 */

/** So many of a kind pass in each interval. */
const PASSING = 20;
const INTERVAL_MS = 60_000;

interface Kind {
  /** Of its interval. */
  readonly sinceMs: number;
  passed: number;
  heldBack: number;
}

export class RepeatLimit {
  readonly #kinds = new Map<string, Kind>();

  /** True if one more of this kind may be shown. Over intervals are to be taken out before. */
  passes(kind: string, nowMs: number): boolean {
    const known = this.#kinds.get(kind) ?? { sinceMs: nowMs, passed: 0, heldBack: 0 };
    this.#kinds.set(kind, known);
    if (known.passed < PASSING) {
      known.passed++;
      return true;
    }
    known.heldBack++;
    return false;
  }

  /** Ends the intervals that are over, or all; tells how many of which kind were held back in them. */
  takeOver(nowMs = Infinity): { kind: string; heldBack: number }[] {
    const over: { kind: string; heldBack: number }[] = [];
    for (const [kind, { sinceMs, heldBack }] of this.#kinds) {
      if (nowMs - sinceMs < INTERVAL_MS) continue;
      this.#kinds.delete(kind);
      if (heldBack > 0) over.push({ kind, heldBack });
    }
    return over;
  }
}
