import { EventFiles, type EventFilesOptions } from "./event_files.ts";

/** Where records go, in whole rows. */
export interface RecordOutput {
  /** How many rows may come in the next `write`, at least 1. */
  readonly roomRows: number;
  readonly sizeBytes: number;
  /** Complete files; 0 for a stream. */
  readonly fileCount: number;
  write(rows: Uint8Array, { rowCount, nowMs }: { rowCount: number; nowMs: number }): Promise<void>;
  /** No row will come before `untilMs`, on the clock of `nowMs`. */
  pause(untilMs: number): Promise<void>;
  /** No row will come any more. */
  finish(): Promise<void>;
  /** Removes what is unfinished, and lets go; after `finish` too. */
  close(): Promise<void>;
}

/** One CSV with one header. */
export class StreamOutput implements RecordOutput {
  readonly roomRows = Infinity;
  readonly fileCount = 0;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #header: Uint8Array;
  #sizeBytes = 0;

  /** @param write has taken the bytes when it resolves; they are overwritten then */
  constructor(write: (bytes: Uint8Array) => Promise<void>, header: Uint8Array) {
    this.#write = write;
    this.#header = header;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async write(rows: Uint8Array): Promise<void> {
    if (this.#sizeBytes === 0) await this.#send(this.#header);
    await this.#send(rows);
  }

  async pause(): Promise<void> {}

  async finish(): Promise<void> {
    if (this.#sizeBytes === 0) await this.#send(this.#header);
  }

  async close(): Promise<void> {}

  async #send(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes);
    this.#sizeBytes += bytes.length;
  }
}

export interface FolderOutputOptions extends EventFilesOptions {
  readonly rowsPerFile: number;
  /** A file is finished this long after its first row, full or not; Infinity for never. */
  readonly maxAgeMs: number;
}

/** Many files, cut by rows and age. */
export class FolderOutput implements RecordOutput {
  readonly #files: EventFiles;
  readonly #rowsPerFile: number;
  readonly #maxAgeMs: number;
  #rowsInFile = 0;
  /** When the open file must be finished. */
  #deadlineMs = Infinity;

  private constructor(files: EventFiles, options: FolderOutputOptions) {
    this.#files = files;
    this.#rowsPerFile = options.rowsPerFile;
    this.#maxAgeMs = options.maxAgeMs;
  }

  /** @throws {PgsluiceError} `folder-not-writable`, `events-exist` */
  static async open(options: FolderOutputOptions): Promise<FolderOutput> {
    return new FolderOutput(await EventFiles.open(options), options);
  }

  get roomRows(): number {
    return this.#rowsPerFile - this.#rowsInFile;
  }

  get sizeBytes(): number {
    return this.#files.sizeBytes;
  }

  get fileCount(): number {
    return this.#files.committedCount;
  }

  async write(
    rows: Uint8Array,
    { rowCount, nowMs }: { rowCount: number; nowMs: number },
  ): Promise<void> {
    if (!this.#files.isOpen) this.#deadlineMs = nowMs + this.#maxAgeMs;
    await this.#files.write(rows);
    this.#rowsInFile += rowCount;
    if (this.#rowsInFile >= this.#rowsPerFile || nowMs >= this.#deadlineMs) await this.#cut();
  }

  /** Ends the open file at once if it could get no further row in its time. */
  async pause(untilMs: number): Promise<void> {
    if (untilMs >= this.#deadlineMs) await this.#cut();
  }

  async finish(): Promise<void> {
    await this.#files.finish();
  }

  async #cut(): Promise<void> {
    await this.#files.cut();
    this.#rowsInFile = 0;
    this.#deadlineMs = Infinity;
  }

  async close(): Promise<void> {
    await this.#files.close();
  }
}
