import type { DatabaseClient } from "../database/connect.ts";
import { faultKind, isConnectionError } from "../database/fault.ts";
import { mergeMinutes } from "../sink/merge_minutes.ts";
import { summarizeIndexes } from "../sink/summarize_indexes.ts";

/** What came in so long is merged at once: the reports add it up themselves until then. */
const INTERVAL_MS = 5_000;

/**
 * Where more came in an interval, the server has enough to do: the indexes take it in when less
 * comes, or when autovacuum gets to it.
 */
const BUSY_EVENTS = 200_000;

/** Of the time: all stretches of an index are looked at to find the new ones. */
const SUMMARIZING_SHARE = 0.02;

export interface MinutesWorkerOptions {
  /** Quoted. */
  readonly table: string;
  /** Makes the connection it works on. */
  readonly open: () => Promise<DatabaseClient>;
  /** Called once, if what is wrong does not pass by itself; it does nothing any more then. */
  readonly onFault: (error: unknown) => void;
  /** 5,000 unless given. */
  readonly intervalMs?: number;
}

/**
 * Merges a session's sums by minute from time to time, beside its batches, and has the table's
 * indexes of time take in what is new.
 *
 * Invariant: at most one merge is under way, and none begins within the interval after another.
 */
export class MinutesWorker {
  readonly #options: MinutesWorkerOptions;
  #client: DatabaseClient | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isMerging = false;
  #hasMore = false;
  #isOver = false;
  /** By the performance clock: until then the indexes have had their share of the time. */
  #restUntilMs = 0;

  constructor(options: MinutesWorkerOptions) {
    this.#options = options;
  }

  /** There is something to merge. */
  committed(): void {
    if (this.#isOver) return;
    if (this.#isMerging) this.#hasMore = true;
    else this.#timer ??= this.#inAWhile();
  }

  /** Gives up what is under way, which the next session does then. Twice is safe. */
  close(): void {
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#isMerging) this.#client?.destroy();
  }

  #inAWhile(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#merge(), this.#options.intervalMs ?? INTERVAL_MS);
  }

  async #merge(): Promise<void> {
    this.#timer = null;
    this.#isMerging = true;
    try {
      this.#client ??= await this.#options.open();
      if (!this.#isOver) await this.#work(this.#client);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isMerging = false;
    }
    if (!this.#hasMore) return;
    this.#hasMore = false;
    this.committed();
  }

  /** The reports can wait; a session that has all else it needs must not end for them. */
  #failed(error: unknown): void {
    if (this.#isOver) return;
    if (isConnectionError(error)) this.#client = null;
    this.#hasMore = true;
    if (faultKind(error) === "retry") return;
    this.#isOver = true;
    this.#options.onFault(error);
  }

  async #work({ sql }: DatabaseClient): Promise<void> {
    const eventCount = await mergeMinutes(sql);
    const startedMs = performance.now();
    if (eventCount > BUSY_EVENTS || startedMs < this.#restUntilMs) {
      this.#hasMore = true;
      return;
    }
    await summarizeIndexes(sql, this.#options.table);
    const endedMs = performance.now();
    this.#restUntilMs = endedMs + (endedMs - startedMs) / SUMMARIZING_SHARE;
  }
}
