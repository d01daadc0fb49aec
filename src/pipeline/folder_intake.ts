/**
 * The folder's side of a session: which files are to be looked at, and in which order.
 *
 * Invariants: the queue holds each path once; a path leaves it when the look at it begins, so a
 * change that comes during the look is looked at again.
 */
import { PgsluiceError } from "../pgsluice_error.ts";
import { registerFiles } from "../sink/ledger.ts";
import { type Candidate, scanFolder, statCandidate } from "../source/folder_scan.ts";
import { FolderWatch } from "../source/folder_watch.ts";
import { FileVisitor, type FileVisitorOptions } from "./file_visitor.ts";
import { isUnchanged, type TrackedFile, trackFile } from "./tracked_file.ts";

/** New files entered in the ledger with one statement. */
const REGISTER_FILES = 500;
/** Scans take at most one part in so many of the time: 2 %. */
const SCAN_SHARE = 50;
/** Time between scans of a quiet folder, at least. */
const QUIET_SCAN_INTERVAL_MS = 5_000;
/**
 * The same while the watch brings news: Deno drops events beyond 16 that wait, without a word, so
 * that behind news there may be more.
 */
const NEWS_SCAN_INTERVAL_MS = 100;
/** A file that could not be read is tried again after this. */
const READ_RETRY_MS = 2_000;

export interface FolderIntakeOptions extends FileVisitorOptions {
  readonly pipelineId: number;
  readonly files: Map<string, TrackedFile>;
  /** Something new is there to be looked at. */
  readonly onNews: () => void;
}

export class FolderIntake {
  readonly #options: FolderIntakeOptions;
  readonly #watch: FolderWatch | null;
  readonly #visitor: FileVisitor;
  /** In the order of looks. */
  readonly #queue = new Map<string, Candidate>();
  /** Paths to be looked at again, and when (performance clock). */
  readonly #later = new Map<string, number>();
  /** When the last scan began (performance clock), and how long it took. */
  #lastScan: { startedMs: number; tookMs: number } | null = null;
  #hasNewsSinceScan = false;

  /** @throws what Deno.watchFs throws */
  constructor(options: FolderIntakeOptions) {
    this.#options = options;
    this.#visitor = new FileVisitor(options);
    // watching begins before the first scan, so that nothing falls between them
    this.#watch = options.once ? null : new FolderWatch(options.directory, { onNews: options.onNews });
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
    let due = this.#nextScanMs();
    for (const atMs of this.#later.values()) due = Math.min(due, atMs);
    return Math.max(0, due - nowMs);
  }

  /** Takes in news, then the scan and the second looks that are due. */
  async gather(): Promise<void> {
    const news = this.#watch?.take() ?? null;
    const nowMs = performance.now();
    if (news !== null) this.#hasNewsSinceScan = true;
    for (const path of news ?? []) await this.#lookAt(path);
    for (const [path, atMs] of this.#later) {
      if (atMs > nowMs) continue;
      this.#later.delete(path);
      await this.#lookAt(path);
    }
    if (this.#nextScanMs() <= nowMs) await this.#scan();
  }

  /** Reads the next file of the queue as far as it goes. False if the queue is empty. */
  async visitNext(): Promise<boolean> {
    const next = this.#queue.entries().next();
    if (next.done) return false;
    const [path, candidate] = next.value;
    await this.#registerAhead();
    this.#queue.delete(path);
    try {
      const settledInMs = await this.#visitor.visit(this.#options.files.get(path)!, candidate);
      if (settledInMs !== null) this.#later.set(path, performance.now() + settledInMs);
    } catch (error) {
      if (!isFileError(error)) throw error;
      if (error instanceof Deno.errors.NotFound) return true;
      this.#options.observer.readError({ path, error, retryMs: READ_RETRY_MS });
      this.#later.set(path, performance.now() + READ_RETRY_MS);
    }
    return true;
  }

  #nextScanMs(): number {
    if (this.#lastScan === null) return 0;
    if (this.#options.once) return Infinity;
    const { startedMs, tookMs } = this.#lastScan;
    const intervalMs = this.#hasNewsSinceScan ? NEWS_SCAN_INTERVAL_MS : QUIET_SCAN_INTERVAL_MS;
    return startedMs + Math.max(intervalMs, SCAN_SHARE * tookMs);
  }

  async #scan(): Promise<void> {
    this.#hasNewsSinceScan = false;
    const startedMs = performance.now();
    const candidates = await this.#readFolder();
    this.#lastScan = { startedMs, tookMs: performance.now() - startedMs };
    for (const candidate of candidates) this.#enqueue(candidate);
  }

  async #readFolder(): Promise<Candidate[]> {
    const { directory } = this.#options;
    try {
      return await scanFolder(directory);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new PgsluiceError("source-folder", `cannot read ${directory}: ${error.message}`, {
        hint: "put the folder back, or make it readable; what was loaded stays loaded",
        cause: error,
      });
    }
  }

  async #lookAt(path: string): Promise<void> {
    const candidate = await statCandidate(this.#options.directory, path);
    if (candidate !== null) this.#enqueue(candidate);
  }

  #enqueue(candidate: Candidate): void {
    const { path } = candidate;
    const file = this.#options.files.get(path);
    // whatever becomes of it, it is not read again until a command says so
    if (file?.state === "undone") return;
    if (file !== undefined && file.state !== "open" && isUnchanged(file.stat, candidate)) return;
    if (this.#later.has(path) && isUnchanged(file?.stat ?? null, candidate)) return;
    this.#queue.set(path, candidate);
  }

  /** Enters the next new files in the ledger, many at a time. */
  async #registerAhead(): Promise<void> {
    const { files, sql, pipelineId, binding } = this.#options;
    const first = this.#queue.keys().next().value;
    if (first === undefined || files.has(first)) return;
    const paths: string[] = [];
    for (const path of this.#queue.keys()) {
      if (!files.has(path)) paths.push(path);
      if (paths.length === REGISTER_FILES) break;
    }
    for (const file of await registerFiles(sql, { pipelineId, paths, meaning: binding })) {
      files.set(file.path, trackFile(file));
    }
  }
}

/** Errors that concern one file and may pass. */
function isFileError(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.FilesystemLoop ||
    (error instanceof Error && "code" in error && typeof error.code === "string" &&
      ["EIO", "ESTALE", "EMFILE", "ENFILE", "EBUSY", "EAGAIN"].includes(error.code));
}
