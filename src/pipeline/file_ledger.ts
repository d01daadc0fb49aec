import type { Sql } from "../database/connect.ts";
import type { Probe } from "../probe.ts";
import { markFile, supersedeFile } from "../sink/ledger.ts";
import type { FileState } from "../sink/ledger_file.ts";
import type { PipelineBinding } from "../sink/pipeline_binding.ts";
import type { FileStat } from "../source/byte_source.ts";
import { type TrackedFile, trackFile } from "./tracked_file.ts";

export interface FileLedgerOptions {
  readonly sql: Sql;
  readonly binding: PipelineBinding;
  /** Resolves when everything handed over has committed. */
  readonly drain: () => Promise<void>;
  /** The ledger's row of the file changed, other than by a batch. */
  readonly onMarked: (file: TrackedFile) => void;
  readonly probe: Probe;
}

/**
 * Changes a file's row of the ledger other than by a batch. Invariant: it does so only when no batch
 * carries the file, for batches carry the revision they began with.
 */
export class FileLedger {
  readonly #options: FileLedgerOptions;

  constructor(options: FileLedgerOptions) {
    this.#options = options;
  }

  /** Brings `file` up to what is committed. */
  async drain(): Promise<void> {
    await this.#options.drain();
  }

  async mark(
    file: TrackedFile,
    facts: { state: FileState; reason: string | null; stat: FileStat | null },
  ): Promise<void> {
    await this.drain();
    this.#options.probe("ledger.mark");
    const marked = await markFile(this.#options.sql, { file, ...facts });
    const { digests } = file;
    Object.assign(file, trackFile(marked), { digests });
    this.#options.onMarked(file);
  }

  /** Makes `file` a new generation. @returns the one before, as it was */
  async supersede(file: TrackedFile, reason: string): Promise<TrackedFile> {
    await this.drain();
    const { sql, binding, probe } = this.#options;
    probe("ledger.mark");
    const before = { ...file, state: "superseded" as const };
    Object.assign(file, trackFile(await supersedeFile(sql, { file, reason, meaning: binding })));
    this.#options.onMarked(file);
    return before;
  }

  /** The ledger's row of the file was changed by others. */
  noteMarked(file: TrackedFile): void {
    this.#options.onMarked(file);
  }
}
