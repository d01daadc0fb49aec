/**
 * Gathers records into batches and cuts them: by rows, by bytes, and by age. While the database is
 * idle every batch goes at once (latency); while it is busy they grow (throughput).
 *
 * Invariant: there are at most `poolSize` batches in all, made when they are first needed, so the
 * rows held in memory are bounded by poolSize times the larger of the two limits and one record.
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
  /** Those to begin with. */
  readonly limits: BatchLimits;
  readonly poolSize: number;
  /** Resolves when there is room for another batch. */
  readonly offer: (batch: Batch) => Promise<void>;
}

export class Batcher {
  /** May be changed at any time; looked at before each piece of a source is taken in. */
  limits: BatchLimits;
  readonly #options: BatcherOptions;
  readonly #idle: Batch[] = [];
  #madeCount = 0;
  #current: Batch | null = null;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.limits = options.limits;
  }

  /** The batch that is being filled. */
  get current(): Batch {
    return this.#current ??= this.#idle.pop() ?? this.#make();
  }

  get isEmpty(): boolean {
    return this.#current === null || this.#current.isEmpty;
  }

  /** Bytes of input in the batch that is being filled. */
  get currentBytes(): number {
    return this.#current?.sizeBytes ?? 0;
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
    return this.isEmpty ? Infinity : this.current.openedAtMs + this.limits.lingerMs - nowMs;
  }

  /** Hands the batch over, if there is anything in it. */
  async flush(): Promise<void> {
    if (this.isEmpty) return;
    const batch = this.current;
    const { rows, sizeBytes } = this.limits;
    batch.isFull = batch.recordCount >= rows || batch.sizeBytes >= sizeBytes;
    this.#current = null;
    await this.#options.offer(batch);
  }

  /** A batch came back. */
  recycle(batch: Batch): void {
    batch.reset();
    this.#idle.push(batch);
  }

  #make(): Batch {
    if (this.#madeCount === this.#options.poolSize) {
      throw new Error("more batches are open than the pool holds");
    }
    this.#madeCount++;
    return new Batch();
  }
}
