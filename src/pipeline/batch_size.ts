/**
 * How many records a batch may have, found out from what batches cost. A batch has a part that
 * grows with its records and one that does not (the ledger's move, the commit, the way there and
 * back); it is to be so large that the second is little of it, and no larger than that takes.
 *
 * Pure: no clock but what it is told.
 */

/** Few, so that the first rows come early; also a size that every server takes at once. */
const FIRST_RECORDS = 2_000;
/** A server that is slower than this many a quarter second gets batches of this size. */
const LEAST_RECORDS = 500;
/** A batch need not take longer than this if its fixed part is little of it. */
const ENOUGH_MS = 250;
/** The fixed part is to be at most one part in so many. */
const FIXED_SHARE = 10;
/** However long the way to the server is: that much is done again after a lost connection. */
const LONGEST_MS = 2_000;
/** At most so much larger or smaller from one batch to the next. */
const STEP = 2;

/** What became of one batch that was cut because it was full. */
export interface CarriedBatch {
  /** Rows and rejects. */
  readonly records: number;
  /** ms until the server had its rows. */
  readonly loadMs: number;
  /** ms of the ledger's move and the commit; not of waiting for older batches. */
  readonly fixedMs: number;
}

export class BatchSize {
  readonly #mostRecords: number;
  #records: number;

  constructor({ mostRecords }: { mostRecords: number }) {
    this.#mostRecords = mostRecords;
    this.#records = Math.min(FIRST_RECORDS, mostRecords);
  }

  /** The limit to cut at, in records. */
  get records(): number {
    return this.#records;
  }

  /** To be told of full batches only: what a small one costs says nothing of a large one. */
  committed({ records, loadMs, fixedMs }: CarriedBatch): void {
    if (records === 0 || loadMs <= 0) return;
    const wantedMs = Math.min(LONGEST_MS, Math.max(ENOUGH_MS, fixedMs * FIXED_SHARE));
    const wanted = wantedMs * records / loadMs;
    // half the way, in proportion: a single batch may have met a checkpoint, or a lock
    const next = Math.sqrt(this.#records * wanted);
    const stepped = Math.min(this.#records * STEP, Math.max(this.#records / STEP, next));
    this.#records = Math.round(Math.min(this.#mostRecords, Math.max(LEAST_RECORDS, stepped)));
  }
}
