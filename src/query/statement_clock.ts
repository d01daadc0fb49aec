/** How long the server works on a statement, apart from what its reader takes. */
export class StatementClock {
  readonly #timeoutMs: number;
  readonly #onLate: () => void;
  /** While the server works; by the performance clock. */
  #askedMs: number | null = null;
  #tookMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param options.timeoutMs the longest that it may work at a stretch; 0 for no limit
   * @param options.onLate called when it has worked longer
   */
  constructor({ timeoutMs, onLate }: { timeoutMs: number; onLate: () => void }) {
    this.#timeoutMs = timeoutMs;
    this.#onLate = onLate;
  }

  get tookMs(): number {
    return this.#tookMs;
  }

  /** It was asked for something. */
  go(): void {
    this.#askedMs = performance.now();
    if (this.#timeoutMs > 0) this.#timer = setTimeout(this.#onLate, this.#timeoutMs);
  }

  /** It has answered. Twice is safe. */
  rest(): void {
    if (this.#askedMs !== null) this.#tookMs += performance.now() - this.#askedMs;
    this.#askedMs = null;
    clearTimeout(this.#timer);
  }
}
