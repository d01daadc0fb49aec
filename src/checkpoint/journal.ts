/**
 * The journal on disk: what the ledger said last, for those who have no database at hand, and the
 * means to notice another database or one that lost commits. It follows the ledger and is never
 * the truth, so that no failure of it stops the load.
 *
 * Invariants: the file is replaced whole or grows by whole lines; one process writes it, the one
 * that holds the lock beside it, and only while it is certain to own the pipeline; what a crash
 * leaves is at worst a last line cut short. After a failed write the file is behind, perhaps torn:
 * it is not appended to again, but written whole by the next try, which comes by the clock.
 */
import { join } from "@std/path";
import { noProbe, type Probe } from "../probe.ts";
import {
  encodeFiles,
  encodeHead,
  type JournalContent,
  type JournalFile,
  type JournalHead,
} from "./journal_codec.ts";
import { type JournalDisk, type JournalHandle, localDisk } from "./journal_disk.ts";
import { journalPath } from "./read_journal.ts";

const LOCK_NAME = "lock";
/** Files in one line of a compacted journal. */
const FILES_PER_LINE = 500;
/** Lines beyond this many, and beyond twice the files, are worth compacting. */
const COMPACT_LINES = 10_000;
/** After a failed write the next try comes so late, then twice as late each time. */
const RETRY_FIRST_MS = 250;
const RETRY_LONGEST_MS = 5_000;

export interface JournalOptions {
  /** The pipeline's own folder under the checkpoints. */
  readonly directory: string;
  /** Told once when writing begins to fail, and once when it works again (null). */
  readonly onTrouble: (error: unknown | null) => void;
  readonly probe?: Probe;
  /** The local file system unless given. */
  readonly disk?: JournalDisk;
}

/** What the ledger says, by one who owns the pipeline. */
export interface JournalState {
  readonly epoch: number;
  /**
   * All files, now and whenever the journal is written whole: not kept here as well, for there may be
   * 100,000. What is appended is in it by then.
   */
  readonly files: Pick<ReadonlyMap<string, JournalFile>, "values" | "size">;
  /** The name that the journal found there is kept under, in the same folder. */
  readonly keepAs?: string;
  /** Asked before each write. False: this process may no longer own the pipeline; it waits. */
  readonly isOwner?: () => boolean;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #disk: JournalDisk;
  readonly #probe: Probe;
  readonly #path: string;
  #head: JournalHead | undefined;
  #state: JournalState = { epoch: 0, files: new Map() };
  #seq = 0;
  #keepAs: string | null = null;
  /** Between `rebuild()` or `resume()` and `close()` or `abandon()`. */
  #isOpen = false;
  #file: JournalHandle | null = null;
  #lock: JournalHandle | null = null;
  #isTroubled = false;
  #failures = 0;
  /** Set if and only if the file on disk is known to lack something of the state. */
  #retryTimer: number | null = null;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#disk = options.disk ?? localDisk;
    this.#probe = options.probe ?? noProbe;
    this.#path = journalPath(options.directory);
  }

  /** Writes the whole journal anew, as the ledger has it. Opens a closed or abandoned one. */
  rebuild(head: JournalHead, state: JournalState): void {
    this.#begin(head, state);
    this.#write(() => this.#compact());
  }

  /**
   * Goes on with the journal that is there, where a start need not write that of 100,000 files anew.
   *
   * @param content what was read of it, whole and level with the ledger
   */
  resume({ head, ...size }: JournalContent, state: JournalState): void {
    this.#begin(head, state);
    this.#write(() => this.#goOn(size));
  }

  /**
   * Notes how far these files are. While writing fails, the next try writes all of them. Does
   * nothing before `rebuild()` or `resume()` and after `close()` or `abandon()`: the next owner has
   * it from the ledger.
   */
  append(files: readonly JournalFile[]): void {
    if (!this.#isOpen || this.#retryTimer !== null) return;
    this.#write(() => this.#appendLine(files));
  }

  /** Makes it whole if it can be, flushes it to disk and lets go. Safe twice. */
  close(): void {
    if (this.#isOpen) {
      const isBehind = this.#retryTimer !== null || !this.#file!.isAt(this.#path);
      this.#cancelRetry();
      this.#write(() => isBehind ? this.#compact() : this.#file!.sync());
      // what a failed flush lost cannot be flushed again; only a new file mends that
      if (!isBehind && this.#retryTimer !== null) this.#write(() => this.#compact());
    }
    this.abandon();
  }

  /** Lets go at once, and writes nothing more: the pipeline has, or may have, another owner. */
  abandon(): void {
    this.#isOpen = false;
    this.#cancelRetry();
    this.#closeFile();
    this.#lock?.close();
    this.#lock = null;
  }

  #begin(head: JournalHead, state: JournalState): void {
    this.#cancelRetry();
    this.#head = head;
    this.#state = state;
    this.#keepAs = state.keepAs ?? null;
    this.#isOpen = true;
  }

  #write(write: () => void): void {
    if (this.#state.isOwner?.() === false) return this.#retryLater();
    try {
      write();
      this.#cancelRetry();
      this.#failures = 0;
      if (!this.#isTroubled) return;
      this.#isTroubled = false;
      this.#options.onTrouble(null);
    } catch (error) {
      // a line may be half written: only a whole new journal mends that
      this.#closeFile();
      this.#retryLater();
      this.#failures++;
      if (this.#isTroubled) return;
      this.#isTroubled = true;
      this.#options.onTrouble(error);
    }
  }

  #retryLater(): void {
    if (!this.#isOpen || this.#retryTimer !== null) return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      this.#write(() => this.#compact());
    }, Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** this.#failures));
    // a process that has nothing else to do ends: `close()` tries for the last time
    Deno.unrefTimer(this.#retryTimer);
  }

  #cancelRetry(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = null;
  }

  #goOn({ lineCount, sizeBytes }: Pick<JournalContent, "lineCount" | "sizeBytes">): void {
    this.#disk.makeDirectory(this.#options.directory);
    this.#takeLock();
    this.#closeFile();
    this.#file = this.#disk.reopen(this.#path);
    // a former owner may have written behind what was read, before it noticed
    if (this.#file.sizeBytes() !== sizeBytes) return this.#compact();
    this.#seq = lineCount;
    this.#appendLine([]); // tells the epoch
  }

  #appendLine(files: readonly JournalFile[]): void {
    const isLong = this.#seq > COMPACT_LINES + 2 * this.#state.files.size;
    // somebody may have moved the folder away, as our own hints have it
    if (this.#file === null || isLong || !this.#file.isAt(this.#path)) return this.#compact();
    this.#probe("journal.append");
    writeAll(this.#file, encodeFiles(files, { seq: this.#seq, epoch: this.#state.epoch }));
    this.#seq++;
    this.#probe("journal.appended");
  }

  #compact(): void {
    const { directory } = this.#options;
    this.#disk.makeDirectory(directory);
    this.#takeLock();
    this.#probe("journal.compact");
    const temporary = join(directory, ".journal.jsonl.tmp");
    const file = this.#disk.create(temporary);
    try {
      this.#seq = this.#writeWhole(file);
      file.sync();
      this.#keepFound();
      this.#probe("journal.rename");
      this.#disk.rename(temporary, this.#path);
    } catch (error) {
      file.close();
      this.#discard(temporary);
      throw error;
    }
    this.#closeFile();
    this.#file = file;
    this.#disk.syncDirectory(directory);
  }

  /** @returns the sequence number of the next line */
  #writeWhole(file: JournalHandle): number {
    const { epoch, files } = this.#state;
    writeAll(file, encodeHead(this.#head!, epoch));
    let seq = 1;
    let some: JournalFile[] = [];
    const writeSome = () => {
      if (some.length === 0) return;
      writeAll(file, encodeFiles(some, { seq: seq++, epoch }));
      some = [];
    };
    for (const each of files.values()) {
      if (isOnlyEntered(each)) continue;
      if (some.push(each) === FILES_PER_LINE) writeSome();
    }
    writeSome();
    return seq;
  }

  #keepFound(): void {
    if (this.#keepAs === null) return;
    try {
      this.#disk.rename(this.#path, join(this.#options.directory, this.#keepAs));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    this.#keepAs = null;
  }

  /** A full disk wants the room back. */
  #discard(path: string): void {
    try {
      this.#disk.remove(path);
    } catch {
      // it is written over by the next try, and no reader looks at it
    }
  }

  #takeLock(): void {
    const path = join(this.#options.directory, LOCK_NAME);
    if (this.#lock?.isAt(path)) return;
    this.#lock?.close();
    this.#lock = this.#disk.lock(path);
    if (this.#lock === null) throw new JournalHeldError(this.#options.directory);
  }
}

/** Another process has the journal's lock. */
export class JournalHeldError extends Error {
  constructor(directory: string) {
    super(`another process writes the journal in ${directory}`);
    this.name = "JournalHeldError";
  }
}

/** The name beside the journal that one is kept under which must not be lost. */
export function keptJournalName(kind: "damaged" | "ahead", at: Date): string {
  return `journal.jsonl.${kind}-${at.toISOString()}`;
}

/**
 * Nothing was done with it yet. A server that crashes may forget that it was entered, for that commit
 * does not wait for the disk: a journal that knows of it would tell of lost commits.
 */
function isOnlyEntered({ generation, committedByte, revision }: JournalFile): boolean {
  return generation === 1 && committedByte === 0 && revision === 0;
}

function writeAll(file: JournalHandle, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let from = 0; from < bytes.length;) {
    const written = file.write(bytes.subarray(from));
    if (written < 1) throw new Error("the file system wrote nothing, and gave no error");
    from += written;
  }
}
