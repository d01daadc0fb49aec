import { PgsluiceError } from "../pgsluice_error.ts";
import type { CommittedBatch, IngestObserver, StartFacts } from "../pipeline/ingest_observer.ts";
import { type BatchStages, noStages, STAGE_NAMES } from "../sink/batch_stages.ts";
import type { Terminal } from "./command.ts";
import { escapeControls } from "./escape_controls.ts";
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

/** Tells people on stderr what an ingester does, and adds it all up. */
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
    this.#terminal.say(
      `${this.#counts()}${this.#isStream ? "" : ` from ${formatCount(this.#filesDone)} files`}, ` +
        `${formatBytes(this.#sizeBytes)} in ${formatDuration(elapsedMs)} ` +
        `(${formatRate(records / (elapsedMs / 1000), "records")})`,
    );
  }

  standby(): void {
    this.#terminal.say("another ingester owns the pipeline: standing by");
  }

  started({ source, table, did }: StartFacts): void {
    this.#isStream = source === "-";
    for (const what of did) this.#terminal.say(what);
    this.#terminal.say(
      `ingesting ${this.#isStream ? "standard input" : escapeControls(source)} into ${table}`,
    );
  }

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

  scanned(): void {}

  turned(): void {}

  caughtUp(): void {
    this.#showLive(performance.now());
  }

  fileTrouble(facts: { path: string; state: "failed" | "held"; reason: string }): void {
    this.#troubled.add(facts.path);
    this.#terminal.say(`${escapeControls(facts.path)}: ${facts.state}: ${facts.reason}`);
  }

  fileNote({ path, note }: { path: string; note: string }): void {
    this.#terminal.say(`${escapeControls(path)}: ${escapeControls(note)}`);
  }

  readError({ path, error, retryMs }: { path: string; error: unknown; retryMs: number }): void {
    this.#troubled.add(path);
    this.#terminal.say(
      `${escapeControls(path)}: cannot be read (${messageOf(error)}); ` +
        `trying again in ${formatDuration(retryMs)}`,
    );
  }

  journal(facts: Parameters<IngestObserver["journal"]>[0]): void {
    switch (facts.kind) {
      case "level":
        return;
      case "behind":
        return this.#terminal.say(
          `journal: behind the database for ${formatCount(facts.files)} files; rebuilt from it`,
        );
      case "ahead":
        return this.#terminal.say(
          `warning: the database lost commits that the journal knows of ` +
            `(${formatCount(facts.files)} files, ${
              formatBytes(facts.bytes)
            }): was it restored, or ` +
            "did it fail over? Going on from what it has; the source files fill the gap",
        );
      case "torn":
        return this.#terminal.say("journal: its last line was cut short; rebuilt");
      case "missing":
        return this.#terminal.say(`journal: missing in ${facts.detail}; rebuilt from the database`);
      case "damaged":
        return this.#terminal.say(`journal: damaged (${facts.detail}); rebuilt from the database`);
    }
  }

  journalTrouble(error: unknown | null): void {
    this.#terminal.say(
      error === null
        ? "journal: written again"
        : `warning: the journal cannot be written (${messageOf(error)}); the load goes on, the ` +
          "ledger in the database is complete",
    );
  }

  outage(
    { error, awayMs, hasStood }: { error: unknown; awayMs: number; hasStood: boolean },
  ): void {
    const isNew = awayMs === 0;
    const since = isNew ? "" : `for ${formatDuration(awayMs)}: `;
    // what was in order a moment ago needs no advice, unless it lasts
    const hint = error instanceof PgsluiceError && !(isNew && hasStood) ? ` (${error.hint})` : "";
    this.#terminal.say(
      `database: ${since}${messageOf(error)}; ${isNew ? "" : "still "}trying until it works${hint}`,
    );
  }

  recovered({ awayMs }: { awayMs: number }): void {
    this.#terminal.say(`database: works again, after ${formatDuration(awayMs)}`);
  }

  #counts(): string {
    return `${formatCount(this.#loaded)} loaded, ${formatCount(this.#rejected)} rejected, ` +
      `${formatCount(this.#duplicate)} duplicates`;
  }

  #showLive(nowMs: number): void {
    if (!this.#terminal.stderrIsTerminal) return;
    this.#terminal.live(this.#progress.line(nowMs, this.#counts()));
  }
}

function messageOf(error: unknown): string {
  return escapeControls(error instanceof Error ? error.message : String(error));
}
