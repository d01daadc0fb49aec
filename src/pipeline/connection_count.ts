/**
 * How many connections carry batches at a time, found out by trying. A trial compares a number of
 * them with one more, by rows a second while the database is what is waited for: fewer, more, more,
 * fewer, so that a rate which rises or falls by itself favours neither. One more stays if it gains.
 *
 * Pure: no clock but what it is told.
 */

export const FIRST_CONNECTIONS = 2;
/** One more connection has to bring that much: it takes memory here and a place on the server. */
const LEAST_GAIN = 1.05;
/**
 * Batches in each part of a trial. Those of several connections commit in bursts of as many;
 * whole bursts of 2, 3 and 4 are in it.
 */
const PART_BATCHES = 12;
/** The order of a trial's parts: true is one more. */
const PARTS = [false, true, true, false] as const;
/** Full batches before the first trial, while their size is still found out. */
const WARM_UP_BATCHES = 10;
/** What was found out holds for so long. */
const REST_MS = 60_000;

/** A batch that has committed. */
export interface CommittedCount {
  readonly records: number;
  /** True if it was cut because it was full: there was more to load than was taken. */
  readonly isFull: boolean;
  /** How many connections there were when it began. */
  readonly connections: number;
  /** When it was known to be durable, by a clock that only goes forward. */
  readonly atMs: number;
}

export class ConnectionCount {
  #most: number;
  /** What was found to be best so far. */
  #settled: number;
  /** The next trial looks at one fewer, not at one more. */
  #looksDown = false;
  #trial: Trial | null = null;
  #restUntilMs = -Infinity;
  #warmUpLeft = WARM_UP_BATCHES;

  /** @param options.most of 1 or 2 leaves nothing to find out */
  constructor({ most }: { most: number }) {
    this.#most = most;
    this.#settled = Math.min(FIRST_CONNECTIONS, most);
  }

  /** How many there should be now. */
  get wanted(): number {
    return this.#trial?.wanted ?? this.#settled;
  }

  committed(batch: CommittedCount): void {
    if (this.#most <= FIRST_CONNECTIONS) return;
    if (!batch.isFull) return this.#trial?.interrupt();
    if (this.#trial === null) {
      if (batch.atMs < this.#restUntilMs || this.#warmUpLeft-- > 0) return;
      this.#trial = new Trial(this.#fewerOfTrial());
    }
    const gain = this.#trial.committed(batch);
    if (gain === null) return;
    const { fewer } = this.#trial;
    this.#trial = null;
    this.#restUntilMs = batch.atMs + REST_MS;
    this.#settled = gain >= LEAST_GAIN ? fewer + 1 : fewer;
    this.#looksDown = !this.#looksDown;
  }

  /** The server gives no more than there are. */
  refused(connections: number): void {
    this.#most = connections;
    this.#settled = Math.min(this.#settled, connections);
    this.#trial = null;
  }

  #fewerOfTrial(): number {
    const mayLookUp = this.#settled < this.#most;
    const mayLookDown = this.#settled > FIRST_CONNECTIONS;
    const looksDown = mayLookDown && (this.#looksDown || !mayLookUp);
    return looksDown ? this.#settled - 1 : this.#settled;
  }
}

class Trial {
  readonly fewer: number;
  /** Records a ms, of the parts that are over. */
  readonly #rates: number[] = [];
  #part: { readonly sinceMs: number; records: number; batches: number } | null = null;

  constructor(fewer: number) {
    this.fewer = fewer;
  }

  get wanted(): number {
    return this.fewer + Number(PARTS[this.#rates.length]);
  }

  /** The source was not fast enough, so what was measured is not the database. */
  interrupt(): void {
    this.#part = null;
  }

  /** @returns how much faster it was with one more, when that is known */
  committed({ records, connections, atMs }: CommittedCount): number | null {
    // it began before the number was changed, or the connection is still being made
    if (connections !== this.wanted) return null;
    if (this.#part === null) {
      this.#part = { sinceMs: atMs, records: 0, batches: 0 };
      return null;
    }
    this.#part.records += records;
    this.#part.batches++;
    if (this.#part.batches < PART_BATCHES || atMs <= this.#part.sinceMs) return null;
    this.#rates.push(this.#part.records / (atMs - this.#part.sinceMs));
    this.#part = null;
    if (this.#rates.length < PARTS.length) return null;
    const sum = (isMore: boolean) =>
      this.#rates.reduce((sum, rate, index) => PARTS[index] === isMore ? sum + rate : sum, 0);
    return sum(true) / sum(false);
  }
}
