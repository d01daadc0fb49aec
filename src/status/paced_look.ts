/**
 * A look that may cost much is taken so seldom that looking is a small part of the time.
 *
 * Invariant: at most one look is under way, and the next begins no earlier than `intervalMs` after
 * the last one began, nor before `idleShare` times as long as it took has passed since its end.
 */

/** 5 % of the time is spent looking, at most. */
const IDLE_SHARE = 20;
/** A look that takes no longer is waited for, so that a picture is of one moment. */
const PATIENCE_MS = 200;

export interface Pace {
  readonly intervalMs: number;
  /** 20 unless given; 100 means that 1 % of the time is spent looking, at most. */
  readonly idleShare?: number;
}

export class PacedLook<Found> {
  readonly #look: () => Promise<Found>;
  readonly #intervalMs: number;
  readonly #idleShare: number;
  #found: Found | null = null;
  #running: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #nextMs = -Infinity;

  constructor(look: () => Promise<Found>, { intervalMs, idleShare = IDLE_SHARE }: Pace) {
    this.#look = look;
    this.#intervalMs = intervalMs;
    this.#idleShare = idleShare;
  }

  /**
   * What was found last, by a look that is taken now if it is time; null before the first is over.
   * @throws what the look before has thrown
   */
  async get(): Promise<Found | null> {
    if (this.#running === null && performance.now() >= this.#nextMs) this.#running = this.#take();
    if (this.#running !== null) await waitAtMost(this.#running, PATIENCE_MS);
    if (this.#failure !== null) throw this.#failure.error;
    return this.#found;
  }

  /** Resolves when no look is under way. Never rejects. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #take(): Promise<void> {
    const beganMs = performance.now();
    try {
      this.#found = await this.#look();
    } catch (error) {
      this.#failure = { error };
    }
    const endedMs = performance.now();
    const idleMs = (endedMs - beganMs) * this.#idleShare;
    this.#nextMs = Math.max(beganMs + this.#intervalMs, endedMs + idleMs);
    this.#running = null;
  }
}

async function waitAtMost(promise: Promise<void>, timeoutMs: number): Promise<void> {
  const { promise: timeout, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
