/**
 * Copy in parallel, commit in order. Batches are taken by several connections at once and commit
 * in the order in which they were read.
 *
 * Invariants: at most as many batches are here as there are connections, plus one that waits; no
 * more than `limit` are begun at a time; the oldest one may wait for any lock, a younger one that
 * blocks it is rolled back and done again.
 */
import type { Batch } from "../sink/batch.ts";
import { type CommitResult, type CommitTurn, YieldToOlderError } from "../sink/batch_sink.ts";

/** How often it is looked whether the oldest batch waits for a younger one. */
const BLOCKER_POLL_MS = 100;

/** What carries a batch; `BatchSink` in the program. */
export interface BatchCarrier {
  readonly processId: number;
  commit(batch: Batch, turn: CommitTurn): Promise<CommitResult>;
}

export interface CommitQueueOptions {
  /** Those to begin with. */
  readonly carriers: readonly BatchCarrier[];
  /** The server processes that hold what the given one waits for, at first or second hand. */
  readonly blockersOf: (processId: number) => Promise<readonly number[]>;
  /** Called in the order of commits, when the batch is durable; then it is free to be used again. */
  readonly onCommitted: (batch: Batch, result: CommitResult) => void;
  /** Called once, with the first error; nothing commits after it that had not begun to. */
  readonly onFault: (error: unknown) => void;
  /** Called when a connection has become free. */
  readonly onFree: () => void;
}

interface WaitingBatch {
  readonly batch: Batch;
  readonly order: number;
  /** By the performance clock. */
  readonly sinceMs: number;
}

interface Flight {
  readonly order: number;
  readonly carrier: BatchCarrier;
  /** Set while it waits for its turn. */
  wake: (() => void) | null;
  giveWay: ((error: unknown) => void) | null;
  mustYield: boolean;
}

export class CommitQueue {
  /** So many connections are used at most; may be changed at any time. */
  limit = Infinity;
  readonly #options: CommitQueueOptions;
  readonly #free: BatchCarrier[];
  readonly #flights: Flight[] = [];
  #carrierCount: number;
  #waiting: WaitingBatch | null = null;
  #roomWaiters: (() => void)[] = [];
  #nextOrder = 0;
  #fault: { error: unknown } | null = null;
  readonly #timer: ReturnType<typeof setInterval>;
  #isPolling = false;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
    this.#free = [...options.carriers];
    this.#carrierCount = this.#free.length;
    this.#timer = setInterval(() => this.#pollBlockers(), BLOCKER_POLL_MS);
  }

  /** True if a connection stands idle that may be used. */
  get hasFreeCarrier(): boolean {
    return this.#free.length > 0 && this.#flights.length < this.limit;
  }

  /** One more connection. */
  addCarrier(carrier: BatchCarrier): void {
    this.#carrierCount++;
    this.#free.push(carrier);
    this.#becameFree();
  }

  get carrierCount(): number {
    return this.#carrierCount;
  }

  /** True if nothing is being committed. */
  get isEmpty(): boolean {
    return this.#flights.length === 0 && this.#waiting === null;
  }

  /** Hands a batch over; resolves when there is room for the next one. @throws after a fault */
  async offer(batch: Batch): Promise<void> {
    this.throwFault();
    this.#waiting = { batch, order: this.#nextOrder++, sinceMs: performance.now() };
    this.#launchWaiting();
    while (this.#waiting !== null && this.#fault === null) await this.#change();
    this.throwFault();
  }

  /** Resolves when all batches have committed. @throws after a fault */
  async drain(): Promise<void> {
    while (!this.isEmpty && this.#fault === null) await this.#change();
    this.throwFault();
  }

  /** Ends its timer; batches still here must be given up with their connections. */
  close(): void {
    clearInterval(this.#timer);
    this.fail(new Error("the queue was closed"));
  }

  /** Ends everything with this error, as a fault of the owner's connection does. */
  fail(error: unknown): void {
    if (this.#fault !== null) return;
    this.#fault = { error };
    for (const flight of this.#flights) flight.giveWay?.(error);
    this.#announceChange();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  #announceChange(): void {
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const resolve of waiters) resolve();
  }

  /** @throws the first error, if there was one */
  throwFault(): void {
    if (this.#fault !== null) throw this.#fault.error;
  }

  #launchWaiting(): void {
    if (this.#waiting === null || !this.hasFreeCarrier || this.#fault !== null) return;
    const { batch, order, sinceMs } = this.#waiting;
    this.#waiting = null;
    batch.stages.queueMs = performance.now() - sinceMs;
    batch.connections = Math.min(this.limit, this.#carrierCount);
    this.#launch({ batch, order, carrier: this.#free.pop()! });
  }

  #becameFree(): void {
    this.#launchWaiting();
    this.#announceChange();
    this.#options.onFree();
  }

  async #launch(
    { batch, order, carrier }: { batch: Batch; order: number; carrier: BatchCarrier },
  ): Promise<void> {
    const flight: Flight = { order, carrier, wake: null, giveWay: null, mustYield: false };
    this.#flights.push(flight);
    try {
      const result = await carrier.commit(batch, {
        wait: () => this.#waitTurn(flight, { mayYield: true }),
        waitWithoutLocks: () => this.#waitTurn(flight, { mayYield: false }),
      });
      this.#flights.splice(this.#flights.indexOf(flight), 1);
      this.#flights[0]?.wake?.();
      this.#options.onCommitted(batch, result);
    } catch (error) {
      this.#flights.splice(this.#flights.indexOf(flight), 1);
      if (this.#fault === null) {
        this.fail(error);
        this.#options.onFault(error);
      }
      return;
    }
    this.#free.push(carrier);
    this.#becameFree();
  }

  /** Flights are in order, so the first one is the oldest. */
  #isOldest(flight: Flight): boolean {
    return this.#flights[0] === flight;
  }

  async #waitTurn(flight: Flight, { mayYield }: { mayYield: boolean }): Promise<void> {
    while (!this.#isOldest(flight)) {
      this.throwFault();
      if (mayYield && flight.mustYield) {
        flight.mustYield = false;
        throw new YieldToOlderError();
      }
      await new Promise<void>((resolve, reject) => {
        flight.wake = resolve;
        flight.giveWay = reject;
      }).finally(() => {
        flight.wake = null;
        flight.giveWay = null;
      });
    }
    flight.mustYield = false;
    this.throwFault();
  }

  async #pollBlockers(): Promise<void> {
    const oldest = this.#flights[0];
    if (this.#isPolling || oldest === undefined || this.#flights.length < 2) return;
    this.#isPolling = true;
    try {
      const blockers = await this.#options.blockersOf(oldest.carrier.processId);
      if (!this.#isOldest(oldest)) return;
      for (const flight of this.#flights.slice(1)) {
        if (!blockers.includes(flight.carrier.processId)) continue;
        flight.mustYield = true;
        flight.wake?.();
      }
    } catch {
      // the owner's connection is gone, which its own watch reports
    } finally {
      this.#isPolling = false;
    }
  }
}
