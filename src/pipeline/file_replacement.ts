import type { Sql } from "../database/connect.ts";
import type { Probe } from "../probe.ts";
import { loadFile } from "../sink/ledger.ts";
import type { PipelineBinding } from "../sink/pipeline_binding.ts";
import type { ByteSource, FileStat } from "../source/byte_source.ts";
import type { Batcher } from "./batcher.ts";
import type { Meaning } from "./file_cursor.ts";
import type { FileLedger } from "./file_ledger.ts";
import type { IngestObserver } from "./ingest_observer.ts";
import type { OnReplaced } from "./ingest_options.ts";
import type { LoadedContents } from "./loaded_contents.ts";
import { readHeader } from "./read_header.ts";
import { reloadFile } from "./reload_file.ts";
import { isPutAway, type TrackedFile, trackFile } from "./tracked_file.ts";

export interface FileReplacementOptions {
  readonly sql: Sql;
  readonly pipelineId: number;
  readonly binding: PipelineBinding;
  readonly meaning: Meaning;
  readonly directory: string;
  readonly batcher: Batcher;
  readonly onReplaced: OnReplaced;
  readonly observer: IngestObserver;
  readonly signal: AbortSignal;
  readonly probe: Probe;
  readonly ledger: FileLedger;
  readonly contents: LoadedContents;
}

/** What is done about a file that does not hold the bytes that were loaded from it. */
export class FileReplacement {
  readonly #options: FileReplacementOptions;

  constructor(options: FileReplacementOptions) {
    this.#options = options;
  }

  /**
   * Makes the file a new generation, loads that in place of the one before, or holds it.
   * @returns true if it is now a new generation, to be read from its start
   * @throws FileFault if its header is not one of this schema
   */
  async replace(
    file: TrackedFile,
    { source, stat, reason }: { source: ByteSource; stat: FileStat; reason: string },
  ): Promise<boolean> {
    const { ledger, meaning, onReplaced } = this.#options;
    await ledger.drain();
    // "same": its records are another file's
    const hasRecords = file.state === "same" || file.loaded + file.duplicate > 0;
    if (isPutAway(file) || !hasRecords) return await this.#add(file, reason);
    const { key } = meaning.schema;
    const isEmpty = stat.sizeBytes === 0;
    if (!isEmpty && await this.#hasKeys(source)) return await this.#add(file, reason);
    if (onReplaced === "add" && !isEmpty) return await this.#add(file, reason);
    if (onReplaced === "reload" && !isEmpty && file.state !== "same") {
      await this.#reload(file, reason);
      return false;
    }
    await this.#hold(
      file,
      stat,
      `replaced: ${reason}; ` +
        (isEmpty ? "it is empty" : `without ${key} its records cannot be told from those loaded`),
    );
    return false;
  }

  async #hasKeys(source: ByteSource): Promise<boolean> {
    const { meaning } = this.#options;
    const mapping = await readHeader(source, meaning);
    const index = meaning.schema.columns.findIndex(({ name }) => name === meaning.schema.key);
    return (mapping.fieldIndexes[index] ?? -1) >= 0;
  }

  async #add(file: TrackedFile, reason: string): Promise<true> {
    const { ledger, contents, observer } = this.#options;
    const before = await ledger.supersede(file, reason);
    if (before.loaded + before.rejected + before.duplicate > 0) contents.add(before);
    observer.fileNote({
      path: file.path,
      note: `replaced (${reason}): loading it as generation ${file.generation}`,
    });
    return true;
  }

  async #reload(file: TrackedFile, reason: string): Promise<void> {
    const { sql, ledger, observer, batcher, signal } = this.#options;
    const { limits } = batcher;
    try {
      const { file: next } = await reloadFile({ ...this.#options, file, reason, limits });
      Object.assign(file, trackFile(await loadFile(sql, next)));
      ledger.noteMarked(file);
    } catch (error) {
      // rolled back, and done at the next start
      if (signal.aborted) return;
      throw error;
    }
    observer.fileNote({
      path: file.path,
      note: `replaced (${reason}): loaded in place of what was loaded before`,
    });
  }

  async #hold(file: TrackedFile, stat: FileStat, reason: string): Promise<void> {
    const { observer, ledger } = this.#options;
    if (file.state !== "held") {
      observer.fileTrouble({ path: file.path, state: "held", code: null, reason });
    }
    await ledger.mark(file, { state: "held", reason, stat });
  }
}
