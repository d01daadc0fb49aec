/** Time as the generator sees it, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  nowMs(): number;
  /** Resolves at `untilMs`, or as soon as the signal is aborted. */
  sleepUntil(untilMs: number, signal: AbortSignal | undefined): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  sleepUntil(untilMs, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, untilMs - performance.now());
      signal?.addEventListener("abort", wake);
    });
  },
};
