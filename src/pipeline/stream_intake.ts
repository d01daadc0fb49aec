/**
 * The stream's side of a session: one source that is read as it comes. A later session reads it
 * again from what the ledger has, out of what the stream still holds.
 */
import type { Sql } from "../database/connect.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import { loadDigests, markFile, registerFiles, takeBackProvisional } from "../sink/ledger.ts";
import type { PipelineBinding } from "../sink/pipeline_binding.ts";
import {
  BLOCK_BYTES,
  type ContentDigests,
  ContentHash,
  sameDigests,
} from "../source/content_hash.ts";
import type { ReplayStream } from "../source/replay_stream.ts";
import type { HeaderMapping } from "../schema/header_mapping.ts";
import type { Batcher } from "./batcher.ts";
import { countTaken } from "./count_taken.ts";
import { FileCursor, FileFault, type Meaning } from "./file_cursor.ts";
import { readHeaderBefore } from "./read_header.ts";
import { resumeHash } from "./recognise_file.ts";
import type { RejectBudget } from "./ingest_options.ts";
import { budgetFault, countsOf, RejectCounter } from "./reject_budget.ts";
import { type TrackedFile, trackFile } from "./tracked_file.ts";
import type { TrackedFiles } from "./tracked_files.ts";

export interface StreamIntakeOptions {
  readonly sql: Sql;
  readonly pipelineId: number;
  readonly binding: PipelineBinding;
  readonly stream: ReplayStream;
  readonly sourceId: string;
  /** The target, quoted. */
  readonly table: string;
  readonly meaning: Meaning;
  readonly batcher: Batcher;
  readonly files: TrackedFiles;
  readonly maxRejects: RejectBudget | null;
  /** Resolves when everything handed over has committed. */
  readonly drain: () => Promise<void>;
  /** Kept over sessions, since the header is not read twice. */
  readonly memory: StreamMemory;
  /** The ledger's row of the stream changed, other than by a batch. */
  readonly onMarked: (file: TrackedFile) => void;
  readonly onNews: () => void;
  readonly signal: AbortSignal;
}

/** What outlives a session. */
export interface StreamMemory {
  /** True once this process gave bytes of the stream to a session. */
  isBegun: boolean;
  /** Null before the header was read. */
  mapping: HeaderMapping | null;
}

/** Bytes hashed at a time while what is already loaded is skipped. */
const SKIP_BYTES = 256 * 1024;

export class StreamIntake {
  readonly #options: StreamIntakeOptions;
  #cursor: FileCursor | null = null;
  #isFinished = false;
  #isWaiting = false;

  constructor(options: StreamIntakeOptions) {
    this.#options = options;
  }

  /** True once everything up to the stream's end has been handed over. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** True if reading would wait. */
  get isIdle(): boolean {
    const { stream } = this.#options;
    return this.#isFinished || (this.#cursor !== null && !stream.isReady(this.#cursor.inputByte));
  }

  /** Reads what is there. @throws PgsluiceError if the stream is not what it should be */
  async readOn(): Promise<void> {
    const { stream, memory } = this.#options;
    try {
      const cursor = this.#cursor ??= await this.#begin();
      this.#checkCommitted();
      try {
        await cursor.read({ limitByte: Infinity, isReady: (byte) => stream.isReady(byte) });
      } finally {
        // whatever ended the reading, a batch may have gone off with the header
        memory.mapping = cursor.mapping ?? memory.mapping;
      }
      this.#checkCommitted();
      const isEnd = stream.isEnd(cursor.inputByte);
      if (isEnd) await cursor.finish();
      cursor.close({ isStreamEnd: isEnd });
      this.#isFinished = isEnd;
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      if (isTooMany(error)) await this.#stop(error);
      throw new PgsluiceError(
        "stream-header",
        `standard input cannot be loaded: ${error.message}`,
        {
          hint: "pipe CSV with a header line; `pgsluice ingest --help` lists the columns",
          exitCode: EXIT.data,
        },
      );
    }
    if (!this.#isFinished) this.#awaitMore();
  }

  /**
   * Keeps what was read, so that one can look at the rejects.
   * @throws PgsluiceError `too-many-rejects` or `all-rejected`
   */
  async #stop(fault: FileFault): Promise<never> {
    const { sql, files, sourceId, drain, onMarked } = this.#options;
    const file = files.get(sourceId)!;
    await drain();
    const reason = `${fault.code}: ${fault.message}`;
    const marked = await markFile(sql, { file, state: "failed", reason, stat: null });
    Object.assign(file, trackFile(marked));
    onMarked(file);
    throw new PgsluiceError(
      fault.code.replaceAll("_", "-"),
      `standard input is not loaded any further: ${fault.message}`,
      {
        hint: "look at them with `pgsluice rejects list`; --max-rejects says how many may be",
        exitCode: EXIT.data,
      },
    );
  }

  /** Writes down that the stream is done, when everything of it has committed. */
  async markDone(): Promise<void> {
    const { sql, files, sourceId } = this.#options;
    const file = files.get(sourceId);
    if (file === undefined) return;
    const marked = await markFile(sql, { file, state: "done", reason: null, stat: null });
    Object.assign(file, trackFile(marked));
    this.#options.onMarked(file);
  }

  /** Rejects that the database made count as well. @throws FileFault if the budget is passed */
  #checkCommitted(): void {
    const { maxRejects, files, sourceId } = this.#options;
    const file = files.get(sourceId);
    const fault = maxRejects === null || file === undefined
      ? null
      : budgetFault(maxRejects, countsOf(file));
    if (fault === null) return;
    this.#cursor?.close();
    throw fault;
  }

  /** One wait at a time, always for what comes after all that was read. */
  #awaitMore(): void {
    if (this.#isWaiting || this.#cursor === null) return;
    this.#isWaiting = true;
    this.#options.stream.ready(this.#cursor.inputByte)
      .catch(() => {}) // the read that follows meets the same error
      .finally(() => {
        this.#isWaiting = false;
        // something else may have had it read already, before this was heard
        if (this.isIdle && !this.#isFinished) this.#awaitMore();
        else this.#options.onNews();
      });
  }

  async #begin(): Promise<FileCursor> {
    const file = await this.#enter();
    const { sql, stream, meaning, memory } = this.#options;
    if (file.readByte === 0) {
      memory.isBegun = true;
      return this.#cursorAt(file, new ContentHash());
    }
    const digests = await loadDigests(sql, file.fileId);
    if (digests === null) throw new Error(`the ledger has no hashes of ${file.path}`);
    if (memory.isBegun) {
      // a later session of the same process: what the ledger has is what this stream gave
      return this.#cursorAt(file, await this.#resume(file, digests));
    }
    const mapping = await readHeaderBefore(stream, { byte: file.readByte, meaning });
    memory.isBegun = true;
    memory.mapping = mapping;
    return this.#cursorAt(file, await this.#skip(file, { digests, mapping }));
  }

  async #enter(): Promise<TrackedFile> {
    const { sql, pipelineId, binding, sourceId, files } = this.#options;
    const known = files.get(sourceId);
    if (known !== undefined) return known;
    const [entered] = await registerFiles(sql, { pipelineId, paths: [sourceId], meaning: binding });
    const file = trackFile(entered!);
    files.set(sourceId, file);
    return file;
  }

  #cursorAt(file: TrackedFile, hash: ContentHash): FileCursor {
    const { stream, meaning, batcher, signal, memory } = this.#options;
    // what was read of the header may not have committed
    const { mapping } = memory;
    const isHeaderAhead = mapping === null || mapping.startByte >= file.readByte;
    return new FileCursor({
      file,
      source: stream,
      replay: stream,
      meaning,
      batcher,
      hash,
      mapping: isHeaderAhead ? null : mapping,
      ...this.#rejectCounter(file),
      signal,
    });
  }

  /** Absent if there is no budget and a record was accepted already. */
  #rejectCounter(file: TrackedFile): { rejectCounter?: RejectCounter } {
    const { maxRejects: budget } = this.#options;
    if (budget === null && file.loaded + file.duplicate > 0) return {};
    return { rejectCounter: new RejectCounter({ budget, before: countsOf(file) }) };
  }

  /** The hash to go on with, of what this process gave to an earlier session. */
  async #resume(file: TrackedFile, digests: ContentDigests): Promise<ContentHash> {
    const { stream } = this.#options;
    const byte = file.readByte;
    const passed = stream.passedBefore(byte);
    let hash: ContentHash | null;
    if (passed !== undefined && passed.toByte > byte - byte % BLOCK_BYTES) {
      // bytes of the open block were let go, but their hash is known
      hash = passed.hash.clone();
      await this.#feed(hash, { file, start: passed.toByte, end: byte });
      if (!sameDigests(hash.digests(), digests)) hash = null;
    } else {
      hash = await resumeHash(stream, { byte, digests, tailOnly: true });
    }
    if (hash === null) throw differentStream(file, "its bytes differ");
    return hash;
  }

  /** Passes over what is loaded, which must be the same bytes. @returns the hash to go on with */
  async #skip(
    file: TrackedFile,
    { digests, mapping }: { digests: ContentDigests; mapping: HeaderMapping | null },
  ): Promise<ContentHash> {
    const { stream, sql, table, meaning } = this.#options;
    const fromByte = file.provisionalFromByte ?? file.readByte;
    const hash = new ContentHash();
    await this.#feed(hash, { file, start: 0, end: fromByte });
    const before = hash.clone();
    const { lineEnds, ...counts } = await countTaken(stream, {
      start: fromByte,
      end: file.readByte,
      meaning,
      mapping,
    });
    await this.#feed(hash, { file, start: fromByte, end: file.readByte });
    if (!sameDigests(hash.digests(), digests)) throw differentStream(file, "some differ");
    await stream.ready(file.readByte);
    if (file.provisionalFromByte === null || stream.isEnd(file.readByte)) return hash;
    const back = await takeBackProvisional(sql, {
      file,
      fromByte,
      target: { schema: meaning.schema, table },
      digests: before.digests(),
      line: file.readLine - lineEnds,
      ...counts,
    });
    Object.assign(file, trackFile(back));
    this.#options.onMarked(file);
    return before;
  }

  async #feed(
    hash: ContentHash,
    { file, start, end }: { file: TrackedFile; start: number; end: number },
  ): Promise<void> {
    const { stream } = this.#options;
    const buffer = new Uint8Array(SKIP_BYTES);
    for (let byte = start; byte < end;) {
      const wanted = Math.min(buffer.length, end - byte);
      const byteCount = await stream.read(byte, buffer.subarray(0, wanted));
      if (byteCount === 0) throw differentStream(file, `there are only ${byte}`);
      hash.update(buffer.subarray(0, byteCount));
      byte += byteCount;
      stream.release(releasableByte(byte));
    }
  }
}

function isTooMany({ code }: FileFault): boolean {
  return code === "too_many_rejects" || code === "all_rejected";
}

/** What a later session needs of the stream begins here, when `committedByte` is committed. */
export function releasableByte(committedByte: number): number {
  return Math.max(0, committedByte - committedByte % BLOCK_BYTES - BLOCK_BYTES);
}

function differentStream(file: TrackedFile, how: string): PgsluiceError {
  return new PgsluiceError(
    "stream-differs",
    `standard input is not the stream that was loaded before as ${file.path}: ` +
      `of its first ${file.readByte} bytes, ${how}`,
    {
      hint: "a --source-id promises the same bytes from the start each time; " +
        "give another stream another one",
      exitCode: EXIT.data,
    },
  );
}
