/**
 * The folder's side of a session: which files are to be looked at, and in which order.
 *
 * Invariants: the queue holds each path once; a path leaves it when the look at it begins, so a
 * change that comes during the look is looked at again.
 */
import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { writeFirstScan } from "../sink/first_scan.ts";
import { loadFiles, registerFiles } from "../sink/ledger.ts";
import { type Candidate, scanFolder, statCandidate } from "../source/folder_scan.ts";
import { FolderWatch } from "../source/folder_watch.ts";
import { FileLedger, type FileLedgerOptions } from "./file_ledger.ts";
import { FileReplacement, type FileReplacementOptions } from "./file_replacement.ts";
import { FileVisitor, type FileVisitorOptions } from "./file_visitor.ts";
import { LoadedContents } from "./loaded_contents.ts";
import { LookQueue } from "./look_queue.ts";
import { isPutAway, PutAway, type PutAwayOptions } from "./put_away.ts";
import { isUnchanged, type TrackedFile, trackFile } from "./tracked_file.ts";

/** New files entered in the ledger with one statement. */
const REGISTER_FILES = 500;
/** Scans take at most one part in so many of the time: 2 %. */
const SCAN_SHARE = 50;
/** Time between scans of a quiet folder, at least. */
const QUIET_SCAN_INTERVAL_MS = 5_000;
/**
 * The same while the watch brings news, or there is none: Deno drops events beyond 16 that wait,
 * without a word, so that behind news there may be more.
 */
const NEWS_SCAN_INTERVAL_MS = 100;
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
  readonly files: Map<string, TrackedFile>;
  /** Something new is there to be looked at. */
  readonly onNews: () => void;
}

/** Of a session's two ways to reach its files. */
interface Parts {
  readonly visitor: FileVisitor;
  readonly putAway: PutAway;
}

export class FolderIntake {
  readonly #options: FolderIntakeOptions;
  readonly #watch: FolderWatch | null;
  #parts: Parts | null = null;
  /** In the order of looks. */
  readonly #queue = new LookQueue();
  /** Paths to be looked at again, and when (performance clock). */
  readonly #later = new Map<string, number>();
  /** When the last scan began (performance clock), and how long it took. */
  #lastScan: { startedMs: number; tookMs: number } | null = null;
  #hasNewsSinceScan = false;

  constructor(options: FolderIntakeOptions) {
    this.#options = options;
    // watching begins before the first scan, so that nothing falls between them
    this.#watch = options.once ? null : this.#beginWatch();
  }

  close(): void {
    this.#watch?.close();
  }

  /** True if no file is waiting to be looked at now; a file that settles is for later. */
  get isIdle(): boolean {
    return this.#queue.size === 0;
  }

  /** ms until something is due by the clock. */
  dueInMs(nowMs: number): number {
    let due = Math.min(this.#nextScanMs(), this.#parts?.putAway.dueMs ?? Infinity);
    for (const atMs of this.#later.values()) due = Math.min(due, atMs);
    return Math.max(0, due - nowMs);
  }

  /** Takes in news, then the scan, the second looks and the moves that are due. */
  async gather(): Promise<void> {
    const { putAway } = this.#parts ??= await this.#begin();
    const news = this.#watch?.take() ?? null;
    const nowMs = performance.now();
    if (news !== null) this.#hasNewsSinceScan = true;
    for (const path of news ?? []) await this.#lookAt(path);
    for (const [path, atMs] of this.#later) {
      if (atMs > nowMs) continue;
      this.#later.delete(path);
      await this.#lookAt(path);
    }
    if (this.#nextScanMs() <= nowMs) await this.#scan(putAway);
    if (!this.#options.once) await putAway.run(nowMs);
  }

  /** Reads the next file of the queue as far as it goes. False if the queue is empty. */
  async visitNext(): Promise<boolean> {
    if (this.#queue.size === 0 || this.#parts === null) return false;
    await this.#registerAhead();
    const candidate = this.#queue.take()!;
    const { path } = candidate;
    const file = this.#options.files.get(path)!;
    try {
      const settledInMs = await this.#parts.visitor.visit(file, candidate);
      if (settledInMs !== null) this.#later.set(path, performance.now() + settledInMs);
      this.#parts.putAway.restart(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return true;
      if (!mayPass(error)) throw error;
      this.#tryLater(path, error);
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
    const contents = await LoadedContents.load(options.sql, {
      pipelineId: options.pipelineId,
      files: options.files.values(),
    });
    const replacement = new FileReplacement({ ...options, ledger, contents });
    const putAway = new PutAway({ ...options, onReturned: (path) => this.#later.set(path, 0) });
    await putAway.recover();
    return {
      visitor: new FileVisitor({ ...options, ledger, contents, replacement, putAway }),
      putAway,
    };
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

  #nextScanMs(): number {
    if (this.#lastScan === null) return 0;
    if (this.#options.once) return Infinity;
    const { startedMs, tookMs } = this.#lastScan;
    const isPressing = this.#hasNewsSinceScan || this.#watch === null;
    const intervalMs = isPressing ? NEWS_SCAN_INTERVAL_MS : QUIET_SCAN_INTERVAL_MS;
    return startedMs + Math.max(intervalMs, SCAN_SHARE * tookMs);
  }

  async #scan(putAway: PutAway): Promise<void> {
    this.#hasNewsSinceScan = false;
    const startedMs = performance.now();
    const isFirst = this.#lastScan === null;
    const candidates = (await this.#readFolder())
      .filter(({ path }) => !this.#isInArchive(path));
    await putAway.lookForGrowth(startedMs);
    this.#lastScan = { startedMs, tookMs: performance.now() - startedMs };
    if (isFirst && await this.#passOver(candidates)) return;
    for (const candidate of candidates) this.#enqueue(candidate, { isFirst });
  }

  async #readFolder(): Promise<Candidate[]> {
    const { directory, recursive, probe, once, observer } = this.#options;
    try {
      return await scanFolder(directory, {
        recursive,
        probe,
        onUnreadable: (path, error) => {
          if (!mayPass(error)) throw error;
          this.#tryLater(path, error);
        },
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const isGone = error instanceof Deno.errors.NotFound;
      if (!once && this.#lastScan !== null && !isGone && mayPass(error)) {
        observer.readError({ path: directory, error, retryMs: READ_RETRY_MS });
        return [];
      }
      throw new PgsluiceError("source-folder", `cannot read ${directory}: ${error.message}`, {
        hint: "put the folder back, or make it readable; what was loaded stays loaded",
        cause: error,
      });
    }
  }

  /** Passes over everything, if this is the beginning and `--from now` was given. */
  async #passOver(candidates: readonly Candidate[]): Promise<boolean> {
    const { sql, pipelineId, binding, files, fromNow, observer, directory } = this.#options;
    const skipped = fromNow ? candidates : [];
    const isBeginning = files.size === 0 &&
      await writeFirstScan(sql, { pipelineId, skipped, meaning: binding });
    if (!fromNow) return false;
    if (!isBeginning) {
      const note = "--from now has no effect: the pipeline began before, and what came since is " +
        "loaded";
      observer.fileNote({ path: directory, note });
      return false;
    }
    for (const [path, file] of await loadFiles(sql, pipelineId)) files.set(path, trackFile(file));
    const note = `${skipped.length} files that are there already are passed over (--from now)`;
    observer.fileNote({ path: directory, note });
    return true;
  }

  async #lookAt(path: string): Promise<void> {
    const { directory, probe } = this.#options;
    try {
      const candidate = await statCandidate(directory, path, probe);
      if (candidate !== null) this.#enqueue(candidate);
    } catch (error) {
      if (!mayPass(error)) throw error;
      this.#tryLater(path, error);
    }
  }

  #tryLater(path: string, error: unknown): void {
    this.#options.observer.readError({ path, error, retryMs: READ_RETRY_MS });
    this.#later.set(path, performance.now() + READ_RETRY_MS);
  }

  #enqueue(candidate: Candidate, { isFirst = false } = {}): void {
    const { path } = candidate;
    if (this.#isInArchive(path)) return;
    const file = this.#options.files.get(path);
    if (file !== undefined && !isPutAway(file)) {
      const isKnown = isUnchanged(file.stat, candidate);
      if (isKnown && file.state !== "open" && !(isFirst && this.#mayBeLoadedNow(file))) {
        this.#parts?.putAway.consider(file);
        return;
      }
      const lastSeen = file.lastLook?.stat ?? file.stat;
      if (this.#later.has(path) && isUnchanged(lastSeen, candidate)) return;
    }
    this.#queue.put(candidate);
  }

  /** What other flags may make of a file that an earlier process did not load. */
  #mayBeLoadedNow({ state, reason }: TrackedFile): boolean {
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
