/**
 * Writes event files into a folder that somebody may be watching.
 *
 * Invariants:
 * - A file under its final name is complete: whole rows, on disk to the last byte, never touched
 *   again. Names appear in the order of their sequence numbers.
 * - No file that was there before is overwritten.
 * - At most two files are unfinished: one being written, and the one before on its way to disk. A
 *   kill leaves them under names that no watcher takes.
 */
import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { AtomicFile } from "./atomic_file.ts";
import { systemReason } from "./system_reason.ts";

export interface EventFilesOptions {
  /** Created if it is missing. */
  readonly directory: string;
  /** What every name begins with; a sequence number and `.csv` follow. */
  readonly stem: string;
  /** The first line of each file, newline included. */
  readonly header: Uint8Array;
}

/** Digits of the sequence number: a file a second for three years. */
const SEQUENCE_DIGITS = 8;

export class EventFiles {
  readonly #options: EventFilesOptions;
  #file: AtomicFile | null = null;
  /** What becomes of the file before. */
  #committing: Promise<void> = Promise.resolve();
  #createdCount = 0;
  #committedCount = 0;
  #sizeBytes = 0;

  private constructor(options: EventFilesOptions) {
    this.#options = options;
  }

  /**
   * Creates the folder and looks for files of the same stem. The caller closes what this gives.
   * @throws {PgsluiceError} `folder-not-writable`, `events-exist`
   */
  static async open(options: EventFilesOptions): Promise<EventFiles> {
    const { directory, stem } = options;
    let names: string[];
    try {
      await Deno.mkdir(directory, { recursive: true });
      names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
    } catch (error) {
      throw notWritable(directory, error);
    }
    const former = names.find((name) => name.startsWith(`${stem}-`));
    if (former !== undefined) throw alreadyThere(join(directory, former));
    return new EventFiles(options);
  }

  /** Files under their final names. */
  get committedCount(): number {
    return this.#committedCount;
  }

  /** Bytes written, headers and the open file included. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** True while a file waits for more rows. */
  get isOpen(): boolean {
    return this.#file !== null;
  }

  /**
   * Appends whole rows to the open file, or to a new one.
   * @throws {PgsluiceError} `folder-not-writable`, `output`
   */
  async write(rows: Uint8Array): Promise<void> {
    if (this.#file === null) {
      this.#file = await this.#create();
      await this.#append(this.#file, this.#options.header);
    }
    await this.#append(this.#file, rows);
  }

  /**
   * Ends the open file, if any, which gets its final name while the next one is written. Waits for
   * the file before it.
   * @throws {PgsluiceError} `events-exist`, `output`: what became of the file before
   */
  async cut(): Promise<void> {
    await this.#committing;
    const file = this.#file;
    if (file === null) return;
    this.#file = null;
    this.#committing = this.#commit(file);
    // heard of when the next cut, or `finish`, waits for it
    this.#committing.catch(() => {});
  }

  /** Cuts, and waits until every file has its final name. */
  async finish(): Promise<void> {
    await this.cut();
    await this.#committing;
  }

  /** Removes the open file, if any. May be called twice. */
  async close(): Promise<void> {
    await this.#committing.catch(() => {});
    await this.#file?.discard();
    this.#file = null;
  }

  async #commit(file: AtomicFile): Promise<void> {
    try {
      await file.commit({ replace: false });
    } catch (error) {
      await file.discard();
      if (error instanceof Deno.errors.AlreadyExists) throw alreadyThere(file.path);
      throw notWritten(file.path, error);
    }
    this.#committedCount++;
  }

  async #create(): Promise<AtomicFile> {
    const { directory, stem } = this.#options;
    const sequence = String(++this.#createdCount).padStart(SEQUENCE_DIGITS, "0");
    try {
      return await AtomicFile.create(join(directory, `${stem}-${sequence}.csv`));
    } catch (error) {
      throw notWritable(directory, error);
    }
  }

  async #append(file: AtomicFile, bytes: Uint8Array): Promise<void> {
    try {
      await file.write(bytes);
    } catch (error) {
      throw notWritten(file.path, error);
    }
    this.#sizeBytes += bytes.length;
  }
}

function alreadyThere(path: string): PgsluiceError {
  return new PgsluiceError(
    "events-exist",
    `${path} is there already: events of this seed and start have been generated here before`,
    { hint: "give another --seed or --start, another folder, or move those files away" },
  );
}

function notWritable(directory: string, cause: unknown): PgsluiceError {
  return new PgsluiceError(
    "folder-not-writable",
    `cannot write event files into ${directory}: ${systemReason(cause)}`,
    { hint: "name a folder you may write to with --out, or change its permissions", cause },
  );
}

function notWritten(path: string, cause: unknown): PgsluiceError {
  return new PgsluiceError("output", `cannot write ${path}: ${systemReason(cause)}`, {
    hint: "free space, or name a folder on another disk with --out",
    cause,
  });
}
