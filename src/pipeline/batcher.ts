/**
 * Gathers records into batches and cuts them: by rows, by bytes, and by age. While the database is
 * idle every batch goes at once (latency); while it is busy they grow (throughput).
 *
 * Invariant: there are `poolSize` batches in all, so the rows held in memory are bounded by
 * poolSize times the larger of the two limits and one record.
 */
import { Batch, type Segment } from "../sink/batch.ts";

export interface BatchLimits {
  readonly rows: number;
  /** Bytes of input. */
  readonly sizeBytes: number;
  /** How long a batch may wait for company while others are being committed. */
  readonly lingerMs: number;
}

export interface BatcherOptions {
  readonly limits: BatchLimits;
  readonly poolSize: number;
  /** Resolves when there is room for another batch. */
  readonly offer: (batch: Batch) => Promise<void>;
}

export class Batcher {
  readonly #options: BatcherOptions;
  readonly #idle: Batch[];
  #current: Batch | null = null;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#idle = Array.from({ length: options.poolSize }, () => new Batch());
  }

  /** The batch that is being filled. */
  get current(): Batch {
    if (this.#current === null) {
      const batch = this.#idle.pop();
      if (batch === undefined) throw new Error("more batches are open than the pool holds");
      this.#current = batch;
    }
    return this.#current;
  }

  get isEmpty(): boolean {
    return this.#current === null || this.#current.isEmpty;
  }

  get limits(): BatchLimits {
    return this.#options.limits;
  }

  /** Begins a file's part of the current batch. */
  openSegment(segment: Segment): Segment {
    const { current } = this;
    if (current.isEmpty) current.openedAtMs = performance.now();
    current.segments.push(segment);
    return segment;
  }

  /** ms until the batch has waited long enough; 0 or less if it has. */
  lingerLeftMs(nowMs: number): number {
    return this.isEmpty
      ? Infinity
      : this.current.openedAtMs + this.#options.limits.lingerMs - nowMs;
  }

  /** Hands the batch over, if there is anything in it. */
  async flush(): Promise<void> {
    if (this.isEmpty) return;
    const batch = this.current;
    this.#current = null;
    await this.#options.offer(batch);
  }

  /** A batch came back. */
  recycle(batch: Batch): void {
    batch.reset();
    this.#idle.push(batch);
  }
}
