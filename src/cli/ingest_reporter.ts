import type { CommittedBatch, IngestObserver, StartFacts } from "../pipeline/ingest_observer.ts";
import { type BatchStages, noStages, STAGE_NAMES } from "../sink/batch_stages.ts";
import type { Terminal } from "./command.ts";
import { IngestProgress } from "./ingest_progress.ts";
import { formatBytes, formatCount, formatDuration, formatRate } from "./number_format.ts";

/** The facts of a whole run, as `--json` gives them. */
export interface IngestSummary {
  loaded: number;
  rejected: number;
  duplicate: number;
  sizeBytes: number;
  batches: number;
  filesDone: number;
  filesFailed: number;
  rejectsByCode: Record<string, number>;
  elapsedMs: number;
  /** Summed over the batches; those of several pass side by side. */
  stages: BatchStages;
}

/** Adds up what an ingester does, and shows it live on a terminal. */
export class IngestReporter implements IngestObserver {
  readonly #terminal: Terminal;
  readonly #startedMs = performance.now();
  readonly #rejectsByCode = new Map<string, number>();
  readonly #troubled = new Set<string>();
  readonly #stages = noStages();
  readonly #progress: IngestProgress;
  #loaded = 0;
  #rejected = 0;
  #duplicate = 0;
  #sizeBytes = 0;
  #batches = 0;
  #filesDone = 0;
  #isStream = false;

  /** @param options.hasEnd it ends when all that is there is loaded */
  constructor(terminal: Terminal, { hasEnd }: { hasEnd: boolean }) {
    this.#terminal = terminal;
    this.#progress = new IngestProgress({ hasEnd, startedMs: this.#startedMs });
  }

  /** True if a file could not be loaded. */
  get hasTrouble(): boolean {
    return this.#troubled.size > 0;
  }

  summary(): IngestSummary {
    return {
      loaded: this.#loaded,
      rejected: this.#rejected,
      duplicate: this.#duplicate,
      sizeBytes: this.#sizeBytes,
      batches: this.#batches,
      filesDone: this.#filesDone,
      filesFailed: this.#troubled.size,
      rejectsByCode: Object.fromEntries(this.#rejectsByCode),
      elapsedMs: performance.now() - this.#startedMs,
      stages: { ...this.#stages },
    };
  }

  /** The summary in a sentence. */
  sayEnd(): void {
    this.#terminal.live(null);
    const { elapsedMs } = this.summary();
    const records = this.#loaded + this.#rejected + this.#duplicate;
    const files = this.#isStream ? "" : ` from ${formatCount(this.#filesDone)} files`;
    this.#terminal.log({
      level: "info",
      event: "finished",
      message: `${this.#counts()}${files}, ${formatBytes(this.#sizeBytes)} in ` +
        `${formatDuration(elapsedMs)} (${formatRate(records / (elapsedMs / 1000), "records")})`,
      fields: {
        loaded: this.#loaded,
        rejected: this.#rejected,
        duplicate: this.#duplicate,
        bytes: this.#sizeBytes,
        elapsed_ms: Math.round(elapsedMs),
      },
    });
  }

  standby(): void {}

  started({ source }: StartFacts): void {
    this.#isStream = source === "-";
  }

  scanned(): void {}

  turned(): void {}

  committed(batch: CommittedBatch): void {
    this.#loaded += batch.loaded;
    this.#rejected += batch.rejected;
    this.#duplicate += batch.duplicate;
    this.#sizeBytes += batch.sizeBytes;
    this.#batches++;
    for (const file of batch.files) {
      if (!file.isDone) continue;
      this.#filesDone++;
      this.#troubled.delete(file.path);
    }
    for (const [code, count] of batch.rejectsByCode) {
      this.#rejectsByCode.set(code, (this.#rejectsByCode.get(code) ?? 0) + count);
    }
    for (const name of STAGE_NAMES) this.#stages[name] += batch.stages[name];
    if (!this.#terminal.stderrIsTerminal) return;
    const atMs = performance.now();
    this.#progress.committed({
      atMs,
      records: batch.loaded + batch.rejected + batch.duplicate,
      sizeBytes: batch.sizeBytes,
      backlogBytes: batch.backlogBytes,
    });
    this.#showLive(atMs);
  }

  caughtUp(): void {
    this.#showLive(performance.now());
  }

  fileTrouble({ path }: { path: string }): void {
    this.#troubled.add(path);
  }

  fileNote(): void {}

  readError({ path }: { path: string }): void {
    this.#troubled.add(path);
  }

  journal(): void {}
  journalTrouble(): void {}
  outage(): void {}
  recovered(): void {}

  #counts(): string {
    return `${formatCount(this.#loaded)} loaded, ${formatCount(this.#rejected)} rejected, ` +
      `${formatCount(this.#duplicate)} duplicates`;
  }

  #showLive(nowMs: number): void {
    if (!this.#terminal.stderrIsTerminal) return;
    this.#terminal.live(this.#progress.line(nowMs, this.#counts()));
  }
}
