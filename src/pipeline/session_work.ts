/**
 * The loop of a session: take in what is new, read a piece, cut batches, hand them over, note what
 * has committed.
 */
import { noProbe } from "../probe.ts";
import type { JournalFile } from "../checkpoint/journal_codec.ts";
import type { Sql } from "../database/connect.ts";
import type { Batch } from "../sink/batch.ts";
import type { BatchSink, CommitResult } from "../sink/batch_sink.ts";
import type { PipelineOwner } from "../sink/pipeline_owner.ts";
import { Batcher } from "./batcher.ts";
import { CommitQueue } from "./commit_queue.ts";
import { FolderIntake } from "./folder_intake.ts";
import type { Backlog } from "./ingest_observer.ts";
import type { MinutesWorker } from "./minutes_worker.ts";
import type { SessionContext } from "./session_context.ts";
import { SessionTuning } from "./session_tuning.ts";
import { releasableByte, StreamIntake } from "./stream_intake.ts";
import { journalFile, type TrackedFile } from "./tracked_file.ts";
import type { TrackedFiles } from "./tracked_files.ts";

/** The loop comes round at least so often. */
const LONGEST_SLEEP_MS = 5_000;
/** After a stop, open batches have so long to commit before they are rolled back. */
const STOP_DEADLINE_MS = 10_000;

export class SessionWork {
  readonly #context: SessionContext;
  readonly #queue: CommitQueue;
  readonly #batcher: Batcher;
  readonly #tuning: SessionTuning;
  readonly #files: TrackedFiles;
  readonly #folder: FolderIntake | null = null;
  readonly #stream: StreamIntake | null = null;
  readonly #minutes: MinutesWorker;
  #wake: (() => void) | null = null;
  #hasNews = false;
  #saidScanned = false;
  #saidCaughtUp = false;
  /** Bytes in batches that were handed over and have not committed. */
  #handedBytes = 0;

  constructor(
    context: SessionContext,
    { owner, sql, pipelineId, files, sinks, openSink, minutes }: {
      owner: PipelineOwner;
      sql: Sql;
      pipelineId: number;
      files: TrackedFiles;
      /** Those to begin with. */
      sinks: readonly BatchSink[];
      openSink: () => Promise<BatchSink>;
      minutes: MinutesWorker;
    },
  ) {
    const { options, binding, observer } = context;
    this.#context = context;
    this.#files = files;
    this.#minutes = minutes;
    this.#queue = new CommitQueue({
      carriers: sinks,
      blockersOf: (processId) => owner.blockersOf(processId),
      onCommitted: (batch, result) => this.#committed(batch, result),
      onFault: () => this.#news(),
      onFree: () => this.#news(),
    });
    this.#batcher = new Batcher({
      limits: options.limits,
      // those being committed, and the one that is filled and then waits
      poolSize: options.connections + 1,
      offer: (batch) => this.#offer(batch),
    });
    this.#tuning = new SessionTuning({
      ...options,
      batcher: this.#batcher,
      queue: this.#queue,
      openCarrier: openSink,
    });
    const shared = {
      sql,
      pipelineId,
      binding,
      table: binding.targetTable,
      meaning: options,
      batcher: this.#batcher,
      files,
      observer,
      onMarked: (file: TrackedFile) => context.journal.append([journalFile(file)]),
      onNews: () => this.#news(),
      signal: options.signal,
    };
    if (options.source.kind === "folder") {
      this.#folder = new FolderIntake({
        ...shared,
        ...options.source,
        settleMs: options.settleMs,
        maxRejects: options.maxRejects,
        probe: options.probe ?? noProbe,
        drain: () => this.#drain(),
      });
    } else {
      const { replay, memory } = context.stream!;
      this.#stream = new StreamIntake({
        ...shared,
        stream: replay,
        sourceId: options.source.sourceId,
        memory,
        maxRejects: options.maxRejects,
        drain: () => this.#drain(),
      });
    }
  }

  async close(): Promise<void> {
    await this.#folder?.close();
    this.#queue.close();
    this.#minutes.close();
  }

  /** What is known to be in the folder and has not committed; null of a stream. */
  backlog(): Backlog | null {
    if (this.#folder === null) return null;
    const isUncommitted = !this.#batcher.isEmpty || !this.#queue.isEmpty;
    return {
      // those whose last bytes are on their way count as one
      files: this.#folder.unreadFiles + (isUncommitted ? 1 : 0),
      sizeBytes: this.#backlogBytes()!,
      oldestModifiedMs: this.#folder.oldestModifiedMs(),
    };
  }

  /** Ends `run` with this error, wherever it waits. */
  abandon(error: unknown): void {
    this.#queue.fail(error);
    this.#news();
  }

  async run(): Promise<void> {
    const { signal, source } = this.#context.options;
    const stop = () => this.#news();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        this.#hasNews = false;
        const isDone = await this.#turn();
        if (isDone) break;
      }
      await this.#finish(source.kind === "folder" && source.once);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** One round: take in, read a piece, cut, and wait if there is nothing to do. */
  async #turn(): Promise<boolean> {
    const { observer } = this.#context;
    observer.turned();
    await this.#folder?.gather();
    const hasAll = this.#folder?.hasScanned ?? true;
    if (hasAll && !this.#saidScanned) {
      this.#saidScanned = true;
      observer.scanned();
    }
    const isIdle = this.#folder?.isIdle ?? this.#stream!.isIdle;
    if (!isIdle) {
      this.#saidCaughtUp = false;
      await (this.#folder?.visitNext() ?? this.#stream!.readOn());
    }
    const nowMs = performance.now();
    const lingerLeftMs = this.#batcher.lingerLeftMs(nowMs);
    const mayGo = this.#queue.hasFreeCarrier &&
      (lingerLeftMs <= 0 || (isIdle && this.#queue.isEmpty));
    if (!this.#batcher.isEmpty && mayGo) await this.#batcher.flush();
    if (!isIdle || mayGo && !this.#batcher.isEmpty) return false;
    const { source } = this.#context.options;
    const isLast = source.kind === "folder" ? source.once : this.#stream!.isFinished;
    if (isLast) return true;
    if (hasAll && this.#batcher.isEmpty && this.#queue.isEmpty && !this.#saidCaughtUp) {
      this.#saidCaughtUp = true;
      this.#context.onProgress("caughtUp");
      observer.caughtUp();
    }
    await this.#sleep(Math.min(
      this.#queue.hasFreeCarrier ? Math.max(0, lingerLeftMs) : Infinity,
      this.#folder?.dueInMs(nowMs) ?? Infinity,
      LONGEST_SLEEP_MS,
    ));
    this.#queue.throwFault();
    return false;
  }

  async #finish(isComplete: boolean): Promise<void> {
    if (isComplete) {
      await this.#drain();
      return await this.#folder?.finish();
    }
    if (this.#stream?.isFinished) {
      await this.#drain();
      return await this.#stream.markDone();
    }
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new StopDeadlineError()),
      STOP_DEADLINE_MS,
    );
    try {
      await Promise.race([this.#drain(), promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #offer(batch: Batch): Promise<void> {
    this.#handedBytes += batch.sizeBytes;
    await this.#queue.offer(batch);
  }

  async #drain(): Promise<void> {
    await this.#batcher.flush();
    await this.#queue.drain();
  }

  #news(): void {
    this.#hasNews = true;
    this.#wake?.();
  }

  async #sleep(forMs: number): Promise<void> {
    if (this.#hasNews) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, forMs);
    this.#wake = resolve;
    await promise;
    this.#wake = null;
    clearTimeout(timer);
  }

  #committed(batch: Batch, result: CommitResult): void {
    const { observer, journal, stream, onProgress } = this.#context;
    this.#handedBytes -= batch.sizeBytes;
    onProgress("committed");
    this.#minutes.committed();
    const moved: JournalFile[] = [];
    for (const { segment, loaded, rejected, duplicate } of result.moves) {
      const file = this.#files.get(segment.path)!;
      file.committedByte = segment.endByte;
      file.committedLine = segment.endLine;
      file.loaded += loaded;
      file.rejected += rejected;
      file.duplicate += duplicate;
      // of a folder of 100,000 files they would be most of the memory; the ledger has them now
      if (file.readByte === file.committedByte) file.digests = null;
      this.#files.release(file.path);
      moved.push(journalFile(file));
      stream?.replay.release(releasableByte(segment.endByte));
    }
    journal.append(moved);
    const rejectsByCode = new Map<string, number>();
    for (const { code } of result.rejects) {
      rejectsByCode.set(code, (rejectsByCode.get(code) ?? 0) + 1);
    }
    observer.committed({
      files: result.moves.map(({ segment }) => ({
        path: segment.path,
        isDone: segment.state === "done",
        modifiedMs: this.#files.peek(segment.path)?.stat?.modifiedMs ?? null,
      })),
      loaded: result.loaded,
      rejected: result.rejects.length,
      duplicate: result.duplicate,
      sizeBytes: batch.sizeBytes,
      rejectsByCode,
      stages: batch.stages,
      backlogBytes: this.#backlogBytes(),
    });
    this.#tuning.committed(batch);
    this.#batcher.recycle(batch);
  }

  #backlogBytes(): number | null {
    if (this.#folder === null) return null;
    return this.#folder.unreadBytes + this.#batcher.currentBytes + this.#handedBytes;
  }
}

/** The database did not take the last batch in time; it was rolled back and is read again later. */
export class StopDeadlineError extends Error {
  constructor() {
    super(`the open batch did not commit within ${STOP_DEADLINE_MS / 1000} s of the stop`);
    this.name = "StopDeadlineError";
  }
}
