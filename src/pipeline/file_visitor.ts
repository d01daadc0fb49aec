/**
 * One look at a file of the folder: is it the one that the ledger knows, and from where is it read
 * on. What was read goes to the batcher.
 */
import type { Sql } from "../database/connect.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { Probe } from "../probe.ts";
import { SKIPPED } from "../sink/first_scan.ts";
import { loadDigests, sameAs, takeBackProvisional } from "../sink/ledger.ts";
import type { ByteSource, FileStat } from "../source/byte_source.ts";
import { type ContentDigests, ContentHash, sameDigests } from "../source/content_hash.ts";
import type { Candidate } from "../source/folder_scan.ts";
import { openCandidate } from "../source/open_candidate.ts";
import type { Batcher } from "./batcher.ts";
import { countTaken } from "./count_taken.ts";
import { DecodingKit } from "./decoding_kit.ts";
import { FileCursor, FileFault, type Meaning } from "./file_cursor.ts";
import type { FileLedger } from "./file_ledger.ts";
import type { FileReplacement } from "./file_replacement.ts";
import type { IngestObserver } from "./ingest_observer.ts";
import type { RejectBudget } from "./ingest_options.ts";
import type { LoadedContents } from "./loaded_contents.ts";
import type { PutAway } from "./put_away.ts";
import { readHeaderBefore } from "./read_header.ts";
import { hashBefore, hashRange, resumeHash } from "./recognise_file.ts";
import { budgetFault, countsOf, RejectCounter } from "./reject_budget.ts";
import { noteLook, settleLeftMs } from "./settling.ts";
import { isPutAway, isUnchanged, type TrackedFile, trackFile } from "./tracked_file.ts";
import { validateFile } from "./validate_file.ts";

export interface FileVisitorOptions {
  readonly sql: Sql;
  readonly directory: string;
  readonly once: boolean;
  readonly settleMs: number;
  readonly maxRejects: RejectBudget | null;
  /** The target, quoted. */
  readonly table: string;
  readonly meaning: Meaning;
  readonly batcher: Batcher;
  readonly observer: IngestObserver;
  readonly ledger: FileLedger;
  readonly contents: LoadedContents;
  readonly replacement: FileReplacement;
  readonly putAway: PutAway;
  readonly signal: AbortSignal;
  readonly probe: Probe;
}

/** What a look at a file leads to. */
type Verdict =
  /** `hash` is of what is before the place to read on from. */
  | { readonly kind: "read"; readonly hash: ContentHash }
  | { readonly kind: "leave" }
  | { readonly kind: "wait"; readonly forMs: number };

interface Look {
  readonly source: ByteSource;
  readonly stat: FileStat;
  /** As the ledger has it. */
  readonly before: FileStat | null;
  /** What is behind this byte is for another look. */
  readonly limitByte: number;
}

const LEAVE = { kind: "leave" } as const;

/**
 * So many files are in a batch at most: what the ledger is told of each is close to a kilobyte, and
 * may be more than their rows.
 */
const BATCH_FILES = 1_000;

export class FileVisitor {
  readonly #options: FileVisitorOptions;
  readonly #kit: DecodingKit;

  constructor(options: FileVisitorOptions) {
    this.#options = options;
    this.#kit = new DecodingKit(options.meaning);
  }

  /**
   * Reads the file as far as it goes.
   * @returns in how many ms it is to be looked at again, because it may have settled by then; null
   * if nothing depends on that
   * @throws what reading throws, with what was read before handed to the batcher
   */
  async visit(file: TrackedFile, candidate: Candidate): Promise<number | null> {
    const { directory, once, contents, probe } = this.#options;
    const { source, stat } = await openCandidate(directory, file.path, probe);
    contents.delete(file);
    try {
      noteLook(file, stat, Date.now());
      const limitByte = once ? Math.min(stat.sizeBytes, candidate.sizeBytes) : stat.sizeBytes;
      return await this.#take(file, { source, stat, before: file.stat, limitByte });
    } finally {
      source.close();
      if (file.state === "done") contents.add(file);
    }
  }

  async #take(file: TrackedFile, look: Look): Promise<number | null> {
    try {
      const verdict = await this.#recognise(file, look);
      if (verdict.kind === "wait") return verdict.forMs;
      if (isPutAway(file)) await this.#options.putAway.forget(file);
      return verdict.kind === "read" ? await this.#readOn(file, look, verdict.hash) : null;
    } catch (error) {
      if (error instanceof FileFault) {
        await this.#fail(file, look, error);
      } else if (error instanceof PgsluiceError && KEPT_BY_OTHERS.includes(error.code)) {
        this.#options.observer.fileTrouble({
          path: file.path,
          state: "held",
          code: null,
          reason: error.message,
        });
        await this.#options.ledger.mark(file, {
          state: "held",
          reason: error.message,
          stat: look.stat,
        });
      } else throw error;
      return null;
    }
  }

  async #fail(file: TrackedFile, { stat }: Look, fault: FileFault): Promise<void> {
    const { once, observer, ledger } = this.#options;
    const reason = `${fault.code}: ${fault.message}`;
    // a file that goes on growing need not say so each time
    if (once || file.state !== "failed" || file.reason !== reason) {
      observer.fileTrouble({
        path: file.path,
        state: "failed",
        code: fault.code,
        reason: fault.message,
      });
    }
    await ledger.mark(file, { state: "failed", reason, stat });
  }

  /** Decides whether the file is read on, and from where; `file` is moved there. */
  async #recognise(file: TrackedFile, look: Look): Promise<Verdict> {
    if (file.state === "skipped") return await this.#passOver(file, look);
    if (file.state === "undone" && !isPutAway(file)) return await this.#stayOut(file, look, UNDONE);
    if (file.readByte === 0) {
      if (await this.#isTwin(file, look)) return LEAVE;
      return file.state === "same"
        ? await this.#replace(file, look, "it was the same as another")
        : { kind: "read", hash: new ContentHash() };
    }
    const digests = file.digests ?? await loadDigests(this.#options.sql, file.fileId);
    if (digests === null) return { kind: "read", hash: new ContentHash() };
    const { sizeBytes } = look.stat;
    if (sizeBytes < file.readByte) {
      const reason = `it has ${sizeBytes} bytes, of which ${file.readByte} were loaded`;
      return await this.#replace(file, look, reason);
    }
    const hash = await this.#hashLoaded(file, look, digests);
    if (hash === null) return await this.#replace(file, look, "its loaded bytes have changed");
    if (file.state === "undone") return await this.#stayOut(file, look, UNDONE);
    if (file.provisionalFromByte !== null && sizeBytes > file.readByte) {
      return { kind: "read", hash: await this.#takeBack(file, look, digests) };
    }
    return { kind: "read", hash };
  }

  /** @returns the hash of what is loaded; null if the file does not begin with that any more */
  async #hashLoaded(
    file: TrackedFile,
    { source, stat, before }: Look,
    digests: ContentDigests,
  ): Promise<ContentHash | null> {
    const byte = file.readByte;
    const isSame = before === null || before.inode === stat.inode;
    const hasGrown = before === null || stat.sizeBytes > before.sizeBytes;
    if (isSame && !isPutAway(file) && (hasGrown || isUnchanged(before, stat))) {
      return await resumeHash(source, { byte, digests });
    }
    // what changed may be anywhere
    const hash = await hashRange(source, { start: 0, end: byte });
    return hash !== null && sameDigests(hash.digests(), digests) ? hash : null;
  }

  /** Marks the file as the same as another one, if it is. */
  async #isTwin(file: TrackedFile, look: Look): Promise<boolean> {
    const { contents, ledger, observer } = this.#options;
    const twin = await contents.find(file, look);
    if (twin === null) return false;
    const reason = sameAs(twin.path);
    await ledger.mark(file, { state: "same", reason, stat: look.stat });
    observer.fileNote({ path: file.path, note: reason });
    return true;
  }

  async #replace(file: TrackedFile, look: Look, reason: string): Promise<Verdict> {
    const { once, settleMs, contents, ledger, replacement } = this.#options;
    if (!once && (look.before?.inode === look.stat.inode || isPutAway(file))) {
      // it may be half written over, or half of what was sent before: the whole of it decides
      const forMs = settleLeftMs(file, { settleMs, nowMs: Date.now() });
      if (forMs > 0) return { kind: "wait", forMs };
    }
    if (file.readByte > 0 && await contents.find(file, look) !== null) {
      const before = await ledger.supersede(file, reason);
      contents.add(before);
      await this.#isTwin(file, look);
      return LEAVE;
    }
    const isNew = await replacement.replace(file, { ...look, reason });
    return isNew ? { kind: "read", hash: new ContentHash() } : LEAVE;
  }

  /** A file that `--from now` passed over stays out, unless another one takes its name. */
  async #passOver(file: TrackedFile, look: Look): Promise<Verdict> {
    const { stat, before } = look;
    const isOther = before !== null &&
      (stat.inode !== before.inode || stat.sizeBytes < before.sizeBytes);
    if (isOther) return await this.#replace(file, look, "it was passed over by --from now");
    return await this.#stayOut(file, look, SKIPPED);
  }

  /** Notes once that the file has changed and is not loaded all the same. */
  async #stayOut(file: TrackedFile, { stat, before }: Look, why: string): Promise<Verdict> {
    const { ledger, observer } = this.#options;
    const hasChanged = before !== null && stat.sizeBytes !== before.sizeBytes;
    const reason = hasChanged ? `${why}; it has changed since, and is not loaded` : file.reason;
    if (reason !== null && file.reason !== reason) {
      observer.fileNote({ path: file.path, note: reason });
    }
    await ledger.mark(file, { state: file.state, reason, stat });
    return LEAVE;
  }

  async #readOn(
    file: TrackedFile,
    { source, stat, limitByte }: Look,
    hash: ContentHash,
  ): Promise<number | null> {
    const { meaning, batcher, signal, ledger, maxRejects } = this.#options;
    const kit = this.#kit;
    const rejectCounter = maxRejects === null ? await this.#counterOf(file) : null;
    if (stat.sizeBytes === file.readByte) {
      await ledger.mark(file, { state: "done", reason: null, stat });
      return null;
    }
    const mapping = await readHeaderBefore(source, { byte: file.readByte, meaning, kit });
    const settledInMs = this.#settledInMs(file);
    const isEnd = limitByte === stat.sizeBytes && settledInMs <= 0;
    if (maxRejects !== null) {
      const isRead = await this.#checkBudget(file, { source, limitByte, isEnd, mapping });
      if (!isRead) return null;
    }
    file.stat = stat;
    const cursor = new FileCursor({
      file,
      source,
      meaning,
      batcher,
      hash,
      mapping,
      kit,
      signal,
      ...(rejectCounter !== null && { rejectCounter }),
    });
    try {
      await cursor.read({ limitByte });
      if (isEnd && cursor.inputByte === limitByte) await cursor.finish();
    } catch (error) {
      // what was decoded stays, whatever ended the reading; behind a bad header nothing was
      if (!(error instanceof FileFault)) cursor.close();
      throw error;
    }
    cursor.close();
    file.reason = null;
    if (batcher.current.segments.length >= BATCH_FILES) await batcher.flush();
    this.#noteUnknown(file, mapping === null ? cursor.mapping?.unknownNames ?? [] : []);
    const mayEnd = cursor.hasLeftover && cursor.inputByte === stat.sizeBytes;
    return mayEnd ? settledInMs : null;
  }

  /**
   * Counts while no record of the file was accepted yet; null if one was.
   * @throws FileFault if there were too many rejects before
   */
  async #counterOf(file: TrackedFile): Promise<RejectCounter | null> {
    if (hasRows(file)) return null;
    if (file.readByte > 0) await this.#options.ledger.drain(); // then its counts are right
    if (hasRows(file)) return null;
    const counter = new RejectCounter({ budget: null, before: countsOf(file) });
    const fault = counter.fault();
    if (fault !== null) throw fault;
    return counter;
  }

  #settledInMs(file: TrackedFile): number {
    const { once, settleMs } = this.#options;
    return once ? 0 : settleLeftMs(file, { settleMs, nowMs: Date.now() });
  }

  /** @returns false if the signal came first @throws FileFault if the budget would be passed */
  async #checkBudget(
    file: TrackedFile,
    part: Pick<Parameters<typeof validateFile>[1], "limitByte" | "isEnd" | "mapping"> & {
      source: ByteSource;
    },
  ): Promise<boolean> {
    const { maxRejects, ledger, signal } = this.#options;
    if (file.readByte > 0) await ledger.drain(); // then its counts are right
    const fromByte = file.readByte;
    const ahead = await validateFile(part.source, { ...part, fromByte, kit: this.#kit, signal });
    if (ahead === null) return false;
    const { records, rejects } = countsOf(file);
    const fault = budgetFault(maxRejects!, {
      records: records + ahead.records,
      rejects: rejects + ahead.rejects,
    });
    if (fault !== null) throw fault;
    return true;
  }

  #noteUnknown(file: TrackedFile, names: readonly string[]): void {
    if (names.length === 0) return;
    this.#options.observer.fileNote({
      path: file.path,
      note: `columns not loaded: ${names.join(", ")}`,
    });
  }

  async #takeBack(
    file: TrackedFile,
    { source }: Look,
    digests: ContentDigests,
  ): Promise<ContentHash> {
    const { sql, table, ledger, meaning } = this.#options;
    const kit = this.#kit;
    await ledger.drain();
    const fromByte = file.provisionalFromByte!;
    const mapping = await readHeaderBefore(source, { byte: file.readByte, meaning, kit });
    const range = { start: fromByte, end: file.readByte };
    const { lineEnds, ...counts } = await countTaken(source, { ...range, meaning, mapping });
    const hash = await hashBefore(source, { byte: fromByte, laterByte: file.readByte, digests });
    if (hash === null) throw new Deno.errors.UnexpectedEof(`${file.path} became shorter`);
    this.#options.probe("ledger.take-back");
    const back = await takeBackProvisional(sql, {
      file,
      fromByte,
      target: { schema: meaning.schema, table },
      digests: hash.digests(),
      line: file.readLine - lineEnds,
      ...counts,
    });
    Object.assign(file, trackFile(back), { digests: hash.digests() });
    ledger.noteMarked(file);
    return hash;
  }
}

/** The reason of a file in state `undone` that has changed. */
const UNDONE = "its rows were taken out of the table";

/** Codes of errors that say: rows cannot be taken out because of other files. */
const KEPT_BY_OTHERS = ["waiting-source-gone", "waiting-expired"];

/** True if a record of it is in the table, by this file or another. */
function hasRows({ loaded, duplicate }: TrackedFile): boolean {
  return loaded + duplicate > 0;
}
