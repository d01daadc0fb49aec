/** The live line of an ingest: how much, how fast, how far, how long yet. */
import { formatBytes, formatDuration, formatRate } from "./number_format.ts";

/** The rates shown are over this much of the recent past. */
const RATE_WINDOW_MS = 3_000;
/** What the time left is told from: long enough not to jump about with each batch. */
const FORECAST_WINDOW_MS = 10_000;
/** Before that much has passed the rate says nothing of the time left. */
const FORECAST_AFTER_MS = 1_000;

export interface ProgressOptions {
  /** It ends when all that is there is loaded, so that it is known how far it is. */
  readonly hasEnd: boolean;
  /** On the clock of all times here. */
  readonly startedMs: number;
}

/** What one batch was, at the time when it committed. */
export interface ProgressStep {
  readonly atMs: number;
  readonly records: number;
  readonly sizeBytes: number;
  /** As in `CommittedBatch`. */
  readonly backlogBytes: number | null;
}

/** Keeps no more than the last seconds. No clock but what it is told. */
export class IngestProgress {
  readonly #options: ProgressOptions;
  #recent: { atMs: number; records: number; sizeBytes: number }[] = [];
  #doneBytes = 0;
  #backlogBytes: number | null = null;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  committed({ atMs, records, sizeBytes, backlogBytes }: ProgressStep): void {
    this.#doneBytes += sizeBytes;
    this.#backlogBytes = backlogBytes;
    this.#recent.push({ atMs, records, sizeBytes });
    this.#recent = this.#recent.filter((step) => atMs - step.atMs < FORECAST_WINDOW_MS);
  }

  /** @param counts what was loaded so far, in words */
  line(nowMs: number, counts: string): string {
    const { records, sizeBytes } = this.#ratesOver(RATE_WINDOW_MS, nowMs);
    return [
      this.#share(),
      counts,
      formatRate(records, "records"),
      `${formatBytes(Math.round(sizeBytes))}/s`,
      this.#left(nowMs),
    ].filter((part) => part !== null).join("  ");
  }

  /** Rounded down, so that 100 % is all of it. */
  #share(): string | null {
    if (!this.#options.hasEnd || this.#backlogBytes === null) return null;
    const totalBytes = this.#doneBytes + this.#backlogBytes;
    if (totalBytes === 0) return null;
    return `${Math.floor(this.#doneBytes * 100 / totalBytes)} %`;
  }

  #left(nowMs: number): string | null {
    const { hasEnd, startedMs } = this.#options;
    const leftBytes = this.#backlogBytes ?? 0;
    if (leftBytes === 0) return null;
    if (!hasEnd) return `${formatBytes(leftBytes)} waiting`;
    const { sizeBytes } = this.#ratesOver(FORECAST_WINDOW_MS, nowMs);
    if (sizeBytes === 0 || nowMs - startedMs < FORECAST_AFTER_MS) return null;
    // no more exact than a rate of the past can tell
    const seconds = Math.max(1, Math.round(leftBytes / sizeBytes));
    return `${seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000)} left`;
  }

  /** A second. */
  #ratesOver(windowMs: number, nowMs: number): { records: number; sizeBytes: number } {
    const recent = this.#recent.filter(({ atMs }) => nowMs - atMs < windowMs);
    const seconds = Math.max(1, Math.min(windowMs, nowMs - this.#options.startedMs)) / 1000;
    return {
      records: recent.reduce((sum, step) => sum + step.records, 0) / seconds,
      sizeBytes: recent.reduce((sum, step) => sum + step.sizeBytes, 0) / seconds,
    };
  }
}
