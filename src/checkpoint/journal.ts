/**
 * The journal on disk: what the ledger said last, for those who have no database at hand, and the
 * means to notice another database or one that lost commits. It follows the ledger and is never
 * the truth, so that no failure of it stops the load.
 *
 * Invariants: the file is replaced whole or grows by whole lines; one process writes it, the one
 * that holds the lock beside it; what a crash leaves is at worst a last line cut short.
 */
import { join } from "@std/path";
import {
  decodeJournal,
  encodeFiles,
  encodeHead,
  type JournalContent,
  type JournalFile,
  type JournalHead,
} from "./journal_codec.ts";

const JOURNAL_NAME = "journal.jsonl";
const LOCK_NAME = "lock";
/** Files in one line of a compacted journal. */
const FILES_PER_LINE = 500;
/** Lines beyond this many, and beyond twice the files, are worth compacting. */
const COMPACT_LINES = 10_000;
/** After a failed write, wait so long before the next try. */
const RETRY_MS = 5_000;

/** What was found at start. */
export type JournalFound =
  | { readonly kind: "missing" }
  | { readonly kind: "whole"; readonly content: JournalContent }
  | { readonly kind: "damaged"; readonly reason: string };

export interface JournalOptions {
  /** The pipeline's own folder under the checkpoints. */
  readonly directory: string;
  /** Told once when writing begins to fail, and once when it works again (null). */
  readonly onTrouble: (error: unknown | null) => void;
}

/** Reads the journal without taking it. Never throws for what the file holds. */
export async function readJournal(directory: string): Promise<JournalFound> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(directory, JOURNAL_NAME));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "missing" };
    return { kind: "damaged", reason: String(error) };
  }
  try {
    return { kind: "whole", content: decodeJournal(text) };
  } catch (error) {
    return { kind: "damaged", reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Puts a damaged journal out of the way, beside the new one. @returns its new name */
export async function setAsideJournal(directory: string, stamp: string): Promise<string> {
  const kept = join(directory, `${JOURNAL_NAME}.damaged-${stamp}`);
  await Deno.rename(join(directory, JOURNAL_NAME), kept);
  return kept;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #files = new Map<string, JournalFile>();
  #head: JournalHead | undefined;
  #epoch = 0;
  #seq = 0;
  #file: Deno.FsFile | undefined;
  #lock: Deno.FsFile | undefined;
  #isTroubled = false;
  #retryAtMs = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Writes the whole journal anew, as the ledger has it. */
  rebuild(head: JournalHead, state: { epoch: number; files: Iterable<JournalFile> }): void {
    this.#head = head;
    this.#epoch = state.epoch;
    this.#files.clear();
    for (const file of state.files) this.#files.set(file.path, file);
    this.#attempt(() => this.#compact());
  }

  /** Notes how far these files are. While writing fails, the state is kept for the next try. */
  append(files: readonly JournalFile[]): void {
    for (const file of files) this.#files.set(file.path, file);
    this.#attempt(() => {
      if (this.#file === undefined || this.#seq > COMPACT_LINES + 2 * this.#files.size) {
        this.#compact();
      } else {
        writeAll(this.#file, encodeFiles(files, { seq: this.#seq, epoch: this.#epoch }));
        this.#seq++;
      }
    });
  }

  /** Flushes to disk and lets go. Safe twice. */
  close(): void {
    this.#attempt(() => this.#file?.syncDataSync());
    this.#file?.close();
    this.#file = undefined;
    this.#lock?.close();
    this.#lock = undefined;
  }

  #attempt(write: () => void): void {
    if (this.#isTroubled && performance.now() < this.#retryAtMs) return;
    try {
      write();
      if (this.#isTroubled) {
        this.#isTroubled = false;
        this.#options.onTrouble(null);
      }
    } catch (error) {
      // a line may be half written: only a whole new journal mends that
      this.#file?.close();
      this.#file = undefined;
      this.#retryAtMs = performance.now() + RETRY_MS;
      if (!this.#isTroubled) this.#options.onTrouble(error);
      this.#isTroubled = true;
    }
  }

  #compact(): void {
    if (this.#head === undefined) throw new TypeError("rebuild() comes before append()");
    const { directory } = this.#options;
    Deno.mkdirSync(directory, { recursive: true });
    this.#takeLock();
    const path = join(directory, JOURNAL_NAME);
    const temporary = join(directory, `.${JOURNAL_NAME}.tmp`);
    const file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
    try {
      this.#seq = 0;
      writeAll(file, encodeHead(this.#head, this.#epoch));
      this.#seq++;
      const files = [...this.#files.values()];
      for (let from = 0; from < files.length; from += FILES_PER_LINE) {
        const some = files.slice(from, from + FILES_PER_LINE);
        writeAll(file, encodeFiles(some, { seq: this.#seq, epoch: this.#epoch }));
        this.#seq++;
      }
      file.syncSync();
      Deno.renameSync(temporary, path);
      syncDirectory(directory);
    } catch (error) {
      file.close();
      throw error;
    }
    this.#file?.close();
    this.#file = file;
  }

  #takeLock(): void {
    if (this.#lock !== undefined) return;
    const lock = Deno.openSync(join(this.#options.directory, LOCK_NAME), {
      write: true,
      create: true,
    });
    if (!lock.tryLockSync(true)) {
      lock.close();
      throw new Error(`another process writes the journal in ${this.#options.directory}`);
    }
    this.#lock = lock;
  }
}

function writeAll(file: Deno.FsFile, text: string): void {
  const bytes = new TextEncoder().encode(text);
  let from = 0;
  while (from < bytes.length) from += file.writeSync(bytes.subarray(from));
}

function syncDirectory(directory: string): void {
  const handle = Deno.openSync(directory, { read: true });
  try {
    handle.syncSync();
  } finally {
    handle.close();
  }
}
