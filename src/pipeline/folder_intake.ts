/**
 * The folder's side of a session: which files are to be looked at, and in which order.
 *
 * Invariants: the queue holds each path once; a path leaves it when the look at it begins, so a
 * change that comes during the look is looked at again.
 */
import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { writeFirstScan } from "../sink/first_scan.ts";
import { eachFile, registerFiles } from "../sink/ledger.ts";
import { type Candidate, scanFolder, statCandidate } from "../source/folder_scan.ts";
import { FolderWatch } from "../source/folder_watch.ts";
import { FileLedger, type FileLedgerOptions } from "./file_ledger.ts";
import { FileReplacement, type FileReplacementOptions } from "./file_replacement.ts";
import { FileVisitor, type FileVisitorOptions } from "./file_visitor.ts";
import { FolderScans } from "./folder_scans.ts";
import { LoadedContents } from "./loaded_contents.ts";
import { LookQueue } from "./look_queue.ts";
import { PutAway, type PutAwayOptions } from "./put_away.ts";
import { isPutAway, isUnchanged, type TrackedFile, trackFile } from "./tracked_file.ts";
import type { TrackedFiles } from "./tracked_files.ts";

/** New files entered in the ledger with one statement. */
const REGISTER_FILES = 500;
/** A file or folder that could not be read is tried again after this. */
const READ_RETRY_MS = 2_000;

type Made = "ledger" | "contents" | "replacement" | "putAway" | "onReturned";

export interface FolderIntakeOptions
  extends
    Omit<FileVisitorOptions, Made>,
    Omit<FileReplacementOptions, Made>,
    Omit<PutAwayOptions, Made>,
    FileLedgerOptions {
  readonly recursive: boolean;
  readonly fromNow: boolean;
  readonly files: TrackedFiles;
  /** Something new is there to be looked at. */
  readonly onNews: () => void;
}

/** What a session has once it has begun. */
interface Parts {
  readonly visitor: FileVisitor;
  readonly putAway: PutAway;
  readonly scans: FolderScans;
}

export class FolderIntake {
  readonly #options: FolderIntakeOptions;
  readonly #watch: FolderWatch | null;
  #parts: Parts | null = null;
  /** In the order of looks. */
  readonly #queue = new LookQueue();
  /** Paths to be looked at again, and when (performance clock). */
  readonly #later = new Map<string, number>();
  #hasScanned = false;
  #fault: { readonly error: unknown } | null = null;
  #visiting: { readonly file: TrackedFile; readonly candidate: Candidate } | null = null;

  constructor(options: FolderIntakeOptions) {
    this.#options = options;
    // watching begins before the first scan, so that nothing falls between them
    this.#watch = options.once ? null : this.#beginWatch();
  }

  /** Resolves when nothing of it is under way. */
  async close(): Promise<void> {
    this.#watch?.close();
    await this.#parts?.scans.close();
  }

  /** True if all was looked at that was there when the session began. */
  get hasScanned(): boolean {
    return this.#hasScanned;
  }

  /** True if no file is waiting to be looked at now; a file that settles is for later. */
  get isIdle(): boolean {
    return this.#queue.size === 0;
  }

  /** Files that wait to be looked at, and the one that is being read. */
  get unreadFiles(): number {
    return this.#queue.size + (this.#visiting === null ? 0 : 1);
  }

  /** When the one of them was changed that was changed first (ms since 1970); null if there is none. */
  oldestModifiedMs(): number | null {
    const times = [this.#visiting?.candidate.modifiedMs ?? null, this.#queue.oldestModifiedMs()]
      .filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** What is still to be read of those files. */
  get unreadBytes(): number {
    const leftBytes = this.#visiting === null
      ? 0
      : Math.max(0, this.#visiting.candidate.sizeBytes - this.#visiting.file.readByte);
    return this.#queue.sizeBytes + leftBytes;
  }

  /** ms until something is due by the clock. */
  dueInMs(nowMs: number): number {
    let due = this.#parts?.putAway.dueMs ?? Infinity;
    for (const atMs of this.#later.values()) due = Math.min(due, atMs);
    return Math.max(0, due - nowMs);
  }

  /** Takes in news, then the second looks and the moves that are due. */
  async gather(): Promise<void> {
    const { files, once } = this.#options;
    const { putAway, scans } = this.#parts ??= await this.#begin();
    if (this.#fault !== null) throw this.#fault.error;
    files.pack();
    const news = this.#watch?.take() ?? null;
    const nowMs = performance.now();
    if (news !== null) scans.noteNews();
    for (const path of news ?? []) await this.#lookAt(path, putAway);
    for (const [path, atMs] of this.#later) {
      if (atMs > nowMs) continue;
      this.#later.delete(path);
      await this.#lookAt(path, putAway);
    }
    if (!once) await putAway.run(nowMs);
  }

  /** Reads the next file of the queue as far as it goes. False if the queue is empty. */
  async visitNext(): Promise<boolean> {
    if (this.#queue.size === 0 || this.#parts === null) return false;
    await this.#registerAhead();
    const candidate = this.#queue.take()!;
    const { path } = candidate;
    const file = this.#options.files.get(path)!;
    this.#visiting = { file, candidate };
    try {
      const settledInMs = await this.#parts.visitor.visit(file, candidate);
      if (settledInMs === null) this.#options.files.release(path);
      else this.#later.set(path, performance.now() + settledInMs);
      this.#parts.putAway.restart(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return true;
      if (!mayPass(error)) throw error;
      this.#tryLater(path, error);
    } finally {
      this.#visiting = null;
    }
    return true;
  }

  /** To be called at the end of `--once`, when everything has committed. */
  async finish(): Promise<void> {
    await this.#parts?.putAway.finish();
  }

  /** What takes the database: levels what an earlier process left half moved. */
  async #begin(): Promise<Parts> {
    const options = this.#options;
    const ledger = new FileLedger(options);
    const contents = await LoadedContents.load(options);
    const replacement = new FileReplacement({ ...options, ledger, contents });
    const putAway = new PutAway({ ...options, onReturned: (path) => this.#later.set(path, 0) });
    await putAway.recover();
    const visitor = new FileVisitor({ ...options, ledger, contents, replacement, putAway });
    this.#parts = { visitor, putAway, scans: this.#makeScans(putAway) };
    await this.#passOver();
    if (options.once) {
      await this.#parts.scans.scanAll();
      this.#hasScanned = true;
    } else this.#parts.scans.start();
    return this.#parts;
  }

  #makeScans(putAway: PutAway): FolderScans {
    const { files, onNews } = this.#options;
    return new FolderScans({
      ...this.#options,
      isWatched: this.#watch !== null,
      knownPath: (path) => files.pathHere(path),
      isNews: (candidate) => this.#isNews(candidate, putAway),
      onFound: (candidates) => {
        for (const candidate of candidates) this.#enqueue(candidate);
        onNews();
      },
      onUnreadable: (path, error) => {
        if (!mayPass(error)) throw error;
        this.#tryLater(path, error);
      },
      onUnlisted: (error) => this.#noteUnlisted(error),
      onFirstOver: () => {
        this.#hasScanned = true;
        onNews();
      },
      onFault: (error) => {
        this.#fault = { error };
        onNews();
      },
    });
  }

  #beginWatch(): FolderWatch | null {
    const { directory, recursive, onNews, observer } = this.#options;
    try {
      return new FolderWatch(directory, { recursive, onNews });
    } catch (error) {
      // as when the system has no more watches to give; a folder that is gone ends the first scan
      const why = error instanceof Error ? error.message : String(error);
      observer.fileNote({
        path: directory,
        note: `cannot be watched (${why}); it is scanned instead`,
      });
      return null;
    }
  }

  #noteUnlisted(error: unknown): void {
    const { directory, once, observer } = this.#options;
    if (!(error instanceof Error)) throw error;
    const isGone = error instanceof Deno.errors.NotFound;
    if (once || !this.#hasScanned || isGone || !mayPass(error)) {
      throw new PgsluiceError("source-folder", `cannot read ${directory}: ${error.message}`, {
        hint: "put the folder back, or make it readable; what was loaded stays loaded",
        cause: error,
      });
    }
    observer.readError({ path: directory, error, retryMs: READ_RETRY_MS });
  }

  /** Passes over everything, if this is the beginning and `--from now` was given. */
  async #passOver(): Promise<void> {
    const { sql, pipelineId, binding, files, fromNow, observer, directory } = this.#options;
    const isBeginning = files.size === 0 && await writeFirstScan(sql, {
      pipelineId,
      skipped: fromNow ? await this.#everyFile() : [],
      meaning: binding,
    });
    if (!fromNow) return;
    if (!isBeginning) {
      const note = "--from now has no effect: the pipeline began before, and what came since is " +
        "loaded";
      observer.fileNote({ path: directory, note });
      return;
    }
    await eachFile(sql, { pipelineId, take: (file) => files.add(file) });
    const note = `${files.size} files that are there already are passed over (--from now)`;
    observer.fileNote({ path: directory, note });
  }

  async #everyFile(): Promise<Candidate[]> {
    const { directory } = this.#options;
    const candidates = await scanFolder(directory, this.#options).catch((error) => {
      this.#noteUnlisted(error);
      return [];
    });
    return candidates.filter(({ path }) => !this.#isInArchive(path));
  }

  async #lookAt(path: string, putAway: PutAway): Promise<void> {
    const { directory, probe } = this.#options;
    try {
      const candidate = await statCandidate(directory, path, probe);
      if (candidate !== null && this.#isNews(candidate, putAway)) this.#enqueue(candidate);
    } catch (error) {
      if (!mayPass(error)) throw error;
      this.#tryLater(path, error);
    }
  }

  #enqueue(candidate: Candidate): void {
    const readByte = this.#options.files.peek(candidate.path)?.readByte ?? 0;
    this.#queue.put(candidate, readByte);
  }

  #tryLater(path: string, error: unknown): void {
    this.#options.observer.readError({ path, error, retryMs: READ_RETRY_MS });
    this.#later.set(path, performance.now() + READ_RETRY_MS);
    this.#options.onNews();
  }

  /** True if the file is to be read, as it looks. */
  #isNews(candidate: Candidate, putAway: PutAway): boolean {
    const { path } = candidate;
    if (this.#isInArchive(path)) return false;
    const file = this.#options.files.peek(path);
    const visiting = this.#visiting?.candidate;
    if (visiting?.path === path && isUnchanged(visiting, candidate)) return false;
    if (file === undefined || isPutAway(file)) return true;
    const isKnown = isUnchanged(file.stat, candidate);
    if (isKnown && file.state !== "open" && (this.#hasScanned || !this.#mayBeLoadedNow(file))) {
      putAway.consider(file);
      return false;
    }
    const lastSeen = file.lastLook?.stat ?? file.stat;
    return !(this.#later.has(path) && isUnchanged(lastSeen, candidate));
  }

  /** What other flags may make of a file that an earlier process did not load. */
  #mayBeLoadedNow({ state, reason }: Readonly<TrackedFile>): boolean {
    if (state === "held") return this.#options.onReplaced !== "hold";
    return state === "failed" && /^(?:too_many_rejects|all_rejected):/.test(reason ?? "");
  }

  /** True for what is moved there, even if the mark of the archive was removed. */
  #isInArchive(path: string): boolean {
    const { after, directory } = this.#options;
    return after.kind === "archive" && join(directory, path).startsWith(after.directory + "/");
  }

  /** Enters the next new files in the ledger, many at a time. */
  async #registerAhead(): Promise<void> {
    const { files, sql, pipelineId, binding } = this.#options;
    const paths: string[] = [];
    for (const path of this.#queue.paths()) {
      if (!files.has(path)) paths.push(path);
      // not before the next one is new
      if (paths.length === 0 || paths.length === REGISTER_FILES) break;
    }
    if (paths.length === 0) return;
    for (const file of await registerFiles(sql, { pipelineId, paths, meaning: binding })) {
      files.set(file.path, trackFile(file));
    }
  }
}

/** Codes of the operating system that say nothing of the file's content. */
const PASSING_CODES = [
  "EIO",
  "ESTALE",
  "EMFILE",
  "ENFILE",
  "EBUSY",
  "EAGAIN",
  "ENOMEM",
  "ETIMEDOUT",
];

/** Errors that concern one file or folder and may pass. */
function mayPass(error: unknown): boolean {
  if (error instanceof PgsluiceError) return error.code === "table-busy";
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.IsADirectory ||
    error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.FilesystemLoop ||
    error instanceof Deno.errors.TimedOut ||
    (error instanceof Error && "code" in error && typeof error.code === "string" &&
      PASSING_CODES.includes(error.code));
}
