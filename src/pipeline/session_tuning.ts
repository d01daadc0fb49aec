/** Has a session's batches and connections follow what it finds out about its database. */
import type { Batch } from "../sink/batch.ts";
import { BatchSize } from "./batch_size.ts";
import type { Batcher } from "./batcher.ts";
import type { BatchCarrier, CommitQueue } from "./commit_queue.ts";
import { ConnectionCount } from "./connection_count.ts";
import type { IngestOptions } from "./ingest_options.ts";

/**
 * Records that all batches may hold together: those that connections carry and the one that is
 * filled. It bounds the memory, however many connections there are.
 */
const HELD_RECORDS = 60_000;

export interface SessionTuningOptions extends Pick<IngestOptions, "connections" | "tuned"> {
  readonly batcher: Batcher;
  readonly queue: CommitQueue;
  /** Makes one more connection. */
  readonly openCarrier: () => Promise<BatchCarrier>;
}

export class SessionTuning {
  readonly #options: SessionTuningOptions;
  readonly #batchSize: BatchSize | null;
  readonly #connectionCount: ConnectionCount | null;
  #isOpening = false;

  constructor(options: SessionTuningOptions) {
    const { connections, tuned, batcher } = options;
    this.#options = options;
    this.#batchSize = tuned?.batchRows ? new BatchSize({ mostRecords: batcher.limits.rows }) : null;
    this.#connectionCount = tuned?.connections ? new ConnectionCount({ most: connections }) : null;
    this.#apply();
  }

  /** To be told in the order of commits. */
  committed({ recordCount: records, stages, isFull, connections }: Batch): void {
    if (isFull) {
      this.#batchSize?.committed({
        records,
        loadMs: stages.copyMs,
        fixedMs: stages.ledgerMs + stages.commitMs,
      });
    }
    const atMs = performance.now();
    this.#connectionCount?.committed({ records, isFull, connections, atMs });
    this.#apply();
  }

  #apply(): void {
    const { batcher, queue, connections } = this.#options;
    if (this.#batchSize !== null) {
      const batches = (this.#connectionCount?.wanted ?? connections) + 1;
      const rows = Math.min(this.#batchSize.records, Math.floor(HELD_RECORDS / batches));
      if (batcher.limits.rows !== rows) batcher.limits = { ...batcher.limits, rows };
    }
    if (this.#connectionCount === null) return;
    queue.limit = this.#connectionCount.wanted;
    if (queue.limit > queue.carrierCount && !this.#isOpening) this.#openOneMore();
  }

  async #openOneMore(): Promise<void> {
    const { queue, openCarrier } = this.#options;
    this.#isOpening = true;
    try {
      queue.addCarrier(await openCarrier());
    } catch {
      // it is no more than a try: those there are carry on, and notice themselves what is wrong
      this.#connectionCount?.refused(queue.carrierCount);
    } finally {
      this.#isOpening = false;
    }
  }
}
