import { PgsluiceError } from "../pgsluice_error.ts";
import type {
  CommittedBatch,
  FileTrouble,
  IngestObserver,
  StartFacts,
} from "../pipeline/ingest_observer.ts";
import { type BatchStages, STAGE_NAMES } from "../sink/batch_stages.ts";
import type { Terminal } from "./command.ts";
import { escapeControls } from "../escape_controls.ts";
import type { LogLine } from "./log_line.ts";
import { formatBytes, formatCount, formatDuration } from "./number_format.ts";
import { RepeatLimit } from "./repeat_limit.ts";

/** What to do about a file that failed, by the code of why. */
const FAILED_HINTS: Readonly<Record<string, string>> = {
  too_many_rejects: "see `pgsluice rejects list`; mend the file or raise --max-rejects",
  all_rejected: "see `pgsluice rejects list`; if it is as it should be, give --max-rejects",
};
const FAILED_HINT = "mend it, and it is looked at again";
const HELD_HINT =
  "`pgsluice files reload` loads it in place of what was loaded, `files accept` in " +
  "addition";

/** What an ingester tells, a line a fact. */
export class IngestLog implements IngestObserver {
  readonly #terminal: Pick<Terminal, "log">;
  readonly #tellsBatches: boolean;
  readonly #limit = new RepeatLimit();

  /** @param options.tellsBatches a line for each, at level debug; not unless given */
  constructor(
    terminal: Pick<Terminal, "log">,
    { tellsBatches = false }: { tellsBatches?: boolean } = {},
  ) {
    this.#terminal = terminal;
    this.#tellsBatches = tellsBatches;
  }

  /** Says what was held back until now. */
  close(): void {
    this.#sayHeldBack(Infinity);
  }

  standby(): void {
    this.#write({
      level: "info",
      event: "standby",
      message: "another ingester owns the pipeline: standing by",
    });
  }

  started({ source, table, did, epoch }: StartFacts): void {
    for (const message of did) this.#write({ level: "info", event: "set_up", message });
    const from = source === "-" ? "standard input" : escapeControls(source);
    this.#write({
      level: "info",
      event: "started",
      message: `ingesting ${from} into ${table}`,
      fields: { source, table, epoch },
    });
  }

  scanned(): void {}

  turned(): void {
    this.#sayHeldBack(performance.now());
  }

  committed(batch: CommittedBatch): void {
    // there may be a hundred a second, and to word one that nobody sees takes as long as to write it
    if (!this.#tellsBatches) return;
    const { files, loaded, rejected, duplicate, sizeBytes, stages } = batch;
    const [first] = files;
    const more = files.length > 1 ? ` and ${formatCount(files.length - 1)} more` : "";
    this.#terminal.log({
      level: "debug",
      event: "committed",
      message: `committed: ${formatCount(loaded)} loaded, ${formatCount(rejected)} rejected, ` +
        `${formatCount(duplicate)} duplicates of ${escapeControls(first?.path ?? "")}${more}`,
      fields: {
        file: first?.path ?? null,
        files: files.length,
        loaded,
        rejected,
        duplicate,
        bytes: sizeBytes,
        ...stageFields(stages),
      },
    });
  }

  caughtUp(): void {}

  fileTrouble({ path, state, code, reason }: FileTrouble): void {
    const hint = state === "held" ? HELD_HINT : FAILED_HINTS[code ?? ""] ?? FAILED_HINT;
    this.#write({
      level: "warning",
      event: `file_${state}`,
      message: `${escapeControls(path)}: ${state}: ${escapeControls(reason)} (${hint})`,
      fields: { file: path, code, reason },
    });
  }

  fileNote({ path, note }: { path: string; note: string }): void {
    this.#write({
      level: "info",
      event: "file_note",
      message: `${escapeControls(path)}: ${escapeControls(note)}`,
      fields: { file: path, note },
    });
  }

  readError({ path, error, retryMs }: { path: string; error: unknown; retryMs: number }): void {
    this.#write({
      level: "warning",
      event: "file_unreadable",
      message: `${escapeControls(path)}: cannot be read (${messageOf(error)}); ` +
        `trying again in ${formatDuration(retryMs)}`,
      fields: { file: path, error: messageOf(error), retry_ms: retryMs },
    });
  }

  journal(facts: Parameters<IngestObserver["journal"]>[0]): void {
    const event = `journal_${facts.kind}`;
    switch (facts.kind) {
      case "level":
        return;
      case "behind":
        return this.#write({
          level: "info",
          event,
          message: `journal: behind the database for ${formatCount(facts.files)} files; rebuilt ` +
            "from it",
          fields: { files: facts.files },
        });
      case "ahead":
        return this.#write({
          level: "warning",
          event,
          message: "warning: the database lost commits that the journal knows of " +
            `(${formatCount(facts.files)} files, ${formatBytes(facts.bytes)}): was it restored, ` +
            "or did it fail over? Going on from what it has; the source files fill the gap",
          fields: { files: facts.files, bytes: facts.bytes },
        });
      case "torn":
        return this.#write({
          level: "info",
          event,
          message: "journal: its last line was cut short; rebuilt",
        });
      case "missing":
        return this.#write({
          level: "info",
          event,
          message: `journal: missing in ${facts.detail}; rebuilt from the database`,
        });
      case "damaged":
        return this.#write({
          level: "warning",
          event,
          message: `journal: damaged (${facts.detail}); rebuilt from the database`,
        });
    }
  }

  journalTrouble(error: unknown | null): void {
    if (error === null) {
      this.#write({ level: "info", event: "journal_written", message: "journal: written again" });
      return;
    }
    this.#write({
      level: "warning",
      event: "journal_unwritable",
      message: `warning: the journal cannot be written (${messageOf(error)}); the load goes on, ` +
        "the ledger in the database is complete",
      fields: { error: messageOf(error) },
    });
  }

  outage(
    { error, awayMs, hasStood }: { error: unknown; awayMs: number; hasStood: boolean },
  ): void {
    const isNew = awayMs === 0;
    const since = isNew ? "" : `for ${formatDuration(awayMs)}: `;
    // what was in order a moment ago needs no advice, unless it lasts
    const hint = error instanceof PgsluiceError && !(isNew && hasStood) ? ` (${error.hint})` : "";
    this.#write({
      level: "warning",
      event: "database_down",
      message: `database: ${since}${messageOf(error)}; ${isNew ? "" : "still "}trying until it ` +
        `works${hint}`,
      fields: { error: messageOf(error), away_ms: Math.round(awayMs) },
    });
  }

  recovered({ awayMs }: { awayMs: number }): void {
    this.#write({
      level: "info",
      event: "database_up",
      message: `database: works again, after ${formatDuration(awayMs)}`,
      fields: { away_ms: Math.round(awayMs) },
    });
  }

  #write(line: LogLine): void {
    const nowMs = performance.now();
    this.#sayHeldBack(nowMs);
    if (this.#limit.passes(line.event, nowMs)) this.#terminal.log(line);
  }

  #sayHeldBack(nowMs: number): void {
    for (const { kind, heldBack } of this.#limit.takeOver(nowMs)) {
      this.#terminal.log({
        level: "warning",
        event: "held_back",
        message: `… and ${formatCount(heldBack)} more lines as those before (${kind}); ` +
          "`pgsluice files list` has all files",
        fields: { of: kind, lines: heldBack },
      });
    }
  }
}

/** As in `read_ms`, to a microsecond. */
function stageFields(stages: Readonly<BatchStages>): Record<string, number> {
  return Object.fromEntries(
    STAGE_NAMES.map((name) => [name.replace("Ms", "_ms"), Math.round(stages[name] * 1000) / 1000]),
  );
}

function messageOf(error: unknown): string {
  return escapeControls(error instanceof Error ? error.message : String(error));
}
