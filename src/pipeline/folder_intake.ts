/**
 * The folder's side of a session: which files are to be looked at, in which order, and what a look
 * leads to. What was read goes to the batcher; the session decides when batches go.
 *
 * Invariants: the queue holds each path once; a path leaves it only when it was looked at, so a
 * change that comes during a look is looked at again.
 */
import { join } from "@std/path";
import type { Sql } from "../database/connect.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import {
  loadDigests,
  markFile,
  registerFiles,
  supersedeFile,
  takeBackProvisional,
} from "../sink/ledger.ts";
import type { FileState } from "../sink/ledger_file.ts";
import type { PipelineBinding } from "../sink/pipeline_binding.ts";
import { type ByteSource, type FileStat, openFile } from "../source/byte_source.ts";
import { type ContentDigests, ContentHash, sameDigests } from "../source/content_hash.ts";
import { type Candidate, scanFolder, statCandidate } from "../source/folder_scan.ts";
import { FolderWatch } from "../source/folder_watch.ts";
import type { Batcher } from "./batcher.ts";
import { countTaken } from "./count_taken.ts";
import { FileCursor, FileFault, type Meaning } from "./file_cursor.ts";
import type { IngestObserver } from "./ingest_observer.ts";
import { readHeader } from "./read_header.ts";
import { hashBefore, hashRange, resumeHash } from "./recognise_file.ts";
import { DoneFiles } from "./done_files.ts";
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

export interface FolderIntakeOptions {
  readonly sql: Sql;
  readonly pipelineId: number;
  readonly binding: PipelineBinding;
  readonly directory: string;
  readonly once: boolean;
  readonly settleMs: number;
  /** The target, quoted. */
  readonly table: string;
  readonly meaning: Meaning;
  readonly batcher: Batcher;
  readonly files: Map<string, TrackedFile>;
  readonly observer: IngestObserver;
  /** The ledger's row of the file changed, other than by a batch. */
  readonly onMarked: (file: TrackedFile) => void;
  /** Resolves when everything handed over has committed. */
  readonly drain: () => Promise<void>;
  /** Something new is there to be looked at. */
  readonly onNews: () => void;
  readonly signal: AbortSignal;
}

export class FolderIntake {
  readonly #options: FolderIntakeOptions;
  readonly #watch: FolderWatch | null;
  /** In the order of looks. */
  readonly #queue = new Map<string, Candidate>();
  /** Paths to be looked at again, and when (performance clock). */
  readonly #later = new Map<string, number>();
  readonly #contents = new DoneFiles();
  /** When the last scan began (performance clock), and how long it took. */
  #lastScan: { startedMs: number; tookMs: number } | null = null;
  #hasNewsSinceScan = false;

  /** @throws what Deno.watchFs throws */
  constructor(options: FolderIntakeOptions) {
    this.#options = options;
    for (const file of options.files.values()) {
      if (file.state === "done") this.#contents.add(file);
    }
    // watching begins before the first scan, so that nothing falls between them
    this.#watch = options.once ? null : new FolderWatch(options.directory, options.onNews);
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
      await this.#visit(path, candidate);
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

  async #visit(path: string, candidate: Candidate): Promise<void> {
    const file = this.#options.files.get(path)!;
    const source = await openFile(join(this.#options.directory, path));
    try {
      const stat = await source.stat();
      const before = file.stat;
      const limitByte = this.#options.once
        ? Math.min(stat.sizeBytes, candidate.sizeBytes)
        : stat.sizeBytes;
      try {
        const hash = await this.#recognise(file, { source, stat, before });
        if (hash !== null) await this.#readOn(file, { source, stat, hash, limitByte });
      } catch (error) {
        if (!(error instanceof FileFault)) throw error;
        this.#options.observer.fileTrouble({ path, state: "failed", reason: error.message });
        const reason = `${error.code}: ${error.message}`;
        await this.#mark(file, { state: "failed", reason, stat });
      }
    } finally {
      source.close();
    }
  }

  /**
   * Decides whether the file is read on, and from where; `file` is moved there.
   * @returns the hash of what is before, or null if the file is not to be read
   */
  async #recognise(
    file: TrackedFile,
    { source, stat, before }: { source: ByteSource; stat: FileStat; before: FileStat | null },
  ): Promise<ContentHash | null> {
    const { sql } = this.#options;
    if (file.readByte === 0) {
      const twin = await this.#findTwin(file, { source, stat });
      if (twin !== null) {
        await this.#mark(file, { state: "same", reason: `same as ${twin.path}`, stat });
        this.#options.observer.fileNote({ path: file.path, note: `same as ${twin.path}` });
        return null;
      }
      if (file.state === "same") {
        return await this.#replace(file, { source, stat, reason: "it was the same as another" });
      }
      return new ContentHash();
    }
    const digests = file.digests ?? await loadDigests(sql, file.fileId);
    if (digests === null) return new ContentHash();
    if (stat.sizeBytes < file.readByte) {
      return await this.#replace(file, {
        source,
        stat,
        reason: `it has ${stat.sizeBytes} bytes, of which ${file.readByte} were loaded`,
      });
    }
    const hasGrown = before === null || stat.sizeBytes > before.sizeBytes;
    const hash = hasGrown || isUnchanged(before, stat)
      ? await resumeHash(source, { byte: file.readByte, digests })
      : await wholeHash(source, { byte: file.readByte, digests });
    if (hash === null) {
      return await this.#replace(file, { source, stat, reason: "its loaded bytes have changed" });
    }
    if (file.provisionalFromByte !== null && stat.sizeBytes > file.readByte) {
      return await this.#takeBack(file, { source, digests });
    }
    return hash;
  }

  async #readOn(
    file: TrackedFile,
    { source, stat, hash, limitByte }: {
      source: ByteSource;
      stat: FileStat;
      hash: ContentHash;
      limitByte: number;
    },
  ): Promise<void> {
    const { meaning, batcher, signal, once, settleMs, observer } = this.#options;
    const isNewGeneration = file.readByte === 0;
    file.stat = stat;
    if (stat.sizeBytes === file.readByte) {
      await this.#mark(file, { state: "done", reason: null, stat });
      return;
    }
    this.#contents.delete(file);
    const mapping = isNewGeneration ? null : await readHeader(source, meaning);
    const cursor = new FileCursor({ file, source, meaning, batcher, hash, mapping, signal });
    let failure: unknown;
    try {
      await cursor.read({ limitByte });
      const settledInMs = once ? 0 : Math.min(stat.modifiedMs, Date.now()) + settleMs - Date.now();
      if (cursor.hasLeftover && cursor.inputByte === stat.sizeBytes) {
        if (settledInMs <= 0) await cursor.finish();
        else this.#later.set(file.path, performance.now() + settledInMs);
      }
    } catch (error) {
      if (error instanceof FileFault) throw error;
      failure = error;
    }
    // what was decoded stays, whatever ended the reading
    await cursor.close();
    if (file.state === "done") this.#contents.add(file);
    if (failure !== undefined) throw failure;
    const unknownNames = cursor.mapping?.unknownNames ?? [];
    if (isNewGeneration && unknownNames.length > 0) {
      observer.fileNote({
        path: file.path,
        note: `columns not loaded: ${unknownNames.join(", ")}`,
      });
    }
  }

  /** The bytes of a loaded file are no longer there. */
  async #replace(
    file: TrackedFile,
    { source, stat, reason }: { source: ByteSource; stat: FileStat; reason: string },
  ): Promise<ContentHash | null> {
    const { sql, binding, meaning, observer } = this.#options;
    const mapping = await readHeader(source, meaning);
    const keyIndex = meaning.schema.columns.findIndex(({ name }) => name === meaning.schema.key);
    if ((mapping.fieldIndexes[keyIndex] ?? -1) < 0) {
      const held = `replaced: ${reason}; without ${meaning.schema.key} its records cannot be ` +
        "told from those already loaded";
      if (file.state !== "held") {
        observer.fileTrouble({ path: file.path, state: "held", reason: held });
      }
      await this.#mark(file, { state: "held", reason: held, stat });
      return null;
    }
    await this.#options.drain();
    const next = await supersedeFile(sql, { file, reason, meaning: binding });
    Object.assign(file, trackFile(next));
    this.#options.onMarked(file);
    observer.fileNote({
      path: file.path,
      note: `replaced (${reason}): loading it as generation ${file.generation}`,
    });
    return new ContentHash();
  }

  async #takeBack(
    file: TrackedFile,
    { source, digests }: { source: ByteSource; digests: ContentDigests },
  ): Promise<ContentHash> {
    const { sql, table, drain, meaning } = this.#options;
    await drain();
    const fromByte = file.provisionalFromByte!;
    const mapping = await readHeader(source, meaning);
    const range = { start: fromByte, end: file.readByte };
    const { lineEnds, ...counts } = await countTaken(source, { ...range, meaning, mapping });
    const hash = await hashBefore(source, { byte: fromByte, laterByte: file.readByte, digests });
    if (hash === null) throw new Deno.errors.UnexpectedEof(`${file.path} became shorter`);
    const back = await takeBackProvisional(sql, {
      file,
      fromByte,
      table,
      digests: hash.digests(),
      line: file.readLine - lineEnds,
      ...counts,
    });
    Object.assign(file, trackFile(back), { digests: hash.digests() });
    this.#options.onMarked(file);
    return hash;
  }

  /** Another file of this pipeline with the same content, already loaded. */
  async #findTwin(
    file: TrackedFile,
    { source, stat }: { source: ByteSource; stat: FileStat },
  ): Promise<TrackedFile | null> {
    const twins = this.#contents.ofSize(stat.sizeBytes).filter((other) => other !== file);
    if (stat.sizeBytes === 0 || twins.length === 0) return null;
    const hash = await hashRange(source, { start: 0, end: stat.sizeBytes });
    if (hash === null) return null;
    const mine = hash.digests();
    for (const twin of twins) {
      const theirs = twin.digests ?? await loadDigests(this.#options.sql, twin.fileId);
      if (theirs !== null && sameDigests(mine, theirs)) return twin;
    }
    return null;
  }

  async #mark(
    file: TrackedFile,
    facts: { state: FileState; reason: string | null; stat: FileStat },
  ): Promise<void> {
    // batches carry the revision they began with
    await this.#options.drain();
    const marked = await markFile(this.#options.sql, { file, ...facts });
    const { digests } = file;
    Object.assign(file, trackFile(marked), { digests });
    this.#options.onMarked(file);
  }
}

async function wholeHash(
  source: ByteSource,
  { byte, digests }: { byte: number; digests: ContentDigests },
): Promise<ContentHash | null> {
  const hash = await hashRange(source, { start: 0, end: byte });
  return hash !== null && sameDigests(hash.digests(), digests) ? hash : null;
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
