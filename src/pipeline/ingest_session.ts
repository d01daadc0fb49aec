/**
 * One stretch of ingesting on one set of connections. It begins with the whole start-up (own the
 * pipeline, read the ledger, level the journal) and ends when its work is done, when the caller
 * stops it, or with the first fault of the database, after which nothing it knew is trusted.
 */
import type { Journal } from "../checkpoint/journal.ts";
import { readJournal, setAsideJournal } from "../checkpoint/journal.ts";
import { compareJournal } from "../checkpoint/compare_journal.ts";
import type { JournalFile } from "../checkpoint/journal_codec.ts";
import { setUp } from "../database/set_up.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { Batch } from "../sink/batch.ts";
import { BatchSink, type CommitResult } from "../sink/batch_sink.ts";
import { loadFiles } from "../sink/ledger.ts";
import { bindPipeline, findPipeline, type PipelineBinding } from "../sink/pipeline_binding.ts";
import { PipelineOwner } from "../sink/pipeline_owner.ts";
import type { ReplayStream } from "../source/replay_stream.ts";
import { Batcher } from "./batcher.ts";
import { CommitQueue } from "./commit_queue.ts";
import { FolderIntake } from "./folder_intake.ts";
import type { IngestObserver } from "./ingest_observer.ts";
import type { IngestOptions } from "./ingest_options.ts";
import { releasableByte, StreamIntake, type StreamMemory } from "./stream_intake.ts";
import { type TrackedFile, trackFile } from "./tracked_file.ts";

/** After a stop, open batches have so long to commit before they are rolled back. */
const STOP_DEADLINE_MS = 10_000;

export interface SessionContext {
  readonly options: IngestOptions;
  readonly binding: PipelineBinding;
  readonly observer: IngestObserver;
  readonly journal: Journal;
  readonly journalDirectory: string;
  /** Called when the session stands, and after every commit. */
  readonly onProgress: (fact: "started" | "committed") => void;
  /** Of a stream source; outlives the session. */
  readonly stream: { readonly replay: ReplayStream; readonly memory: StreamMemory } | null;
}

/** Ends when there is nothing more to do, or was told to stop. @throws the first fault */
export async function runSession(context: SessionContext): Promise<void> {
  const { options, binding, observer } = context;
  const fault = Promise.withResolvers<never>();
  fault.promise.catch(() => {}); // it is raced below, and may come when nobody races
  const { did } = await setUp(options.target, { schema: options.schema, table: options.table });
  const owner = await PipelineOwner.take(options.target, {
    name: options.pipelineName,
    noWait: options.noWait,
    onStandby: () => observer.standby(),
    onLost: (cause) => fault.reject(cause),
    signal: options.signal,
  });
  if (owner === null) return;
  const sinks: BatchSink[] = [];
  try {
    const found = await readJournal(context.journalDirectory);
    const known = await findPipeline(owner.sql, options.pipelineName);
    if (found.kind === "whole") refuseOtherDatabase(context, { found: found.content, known });
    const { pipelineId, identity } = await bindPipeline(owner.sql, binding);
    const epoch = await owner.claim(pipelineId);
    const ledger = await loadFiles(owner.sql, pipelineId);
    const files = new Map([...ledger].map(([path, file]) => [path, trackFile(file)]));
    await levelJournal(context, { found, identity, epoch, files });
    for (let index = 0; index < options.connections; index++) {
      sinks.push(
        await BatchSink.open(options.target, {
          pipelineId,
          epoch,
          schema: options.schema,
          table: binding.targetTable,
        }),
      );
    }
    context.onProgress("started");
    observer.started({ epoch, source: binding.sourcePath, table: binding.targetTable, did });
    const work = new SessionWork(context, { owner, pipelineId, files, sinks });
    const run = work.run();
    try {
      await Promise.race([run, fault.promise]);
    } finally {
      work.close();
      // what it was doing ends with the queue and the connections, before another session begins
      await run.catch(() => {});
    }
  } catch (error) {
    for (const sink of sinks) sink.destroy();
    throw error;
  } finally {
    await Promise.all(sinks.map((sink) => sink.close()));
    await owner.release();
  }
}

function refuseOtherDatabase(
  { options, binding, journalDirectory }: SessionContext,
  { found, known }: {
    found: { head: { identity: string; source: string; table: string } };
    known: { identity: string } | null;
  },
): void {
  const { identity, source } = found.head;
  if (known?.identity === identity) return;
  const whatIsThere = known === null
    ? `has no pipeline ${options.pipelineName}`
    : `has a pipeline ${options.pipelineName} with id ${known.identity}`;
  throw new PgsluiceError(
    "other-database",
    `the journal in ${journalDirectory} is of another database: it is of pipeline id ` +
      `${identity}, source ${source}; the database given ${whatIsThere}, source ` +
      binding.sourcePath,
    {
      hint: "point --database at the database of the journal; or, to load everything into this " +
        "one, move that folder away or name another with --checkpoints",
    },
  );
}

async function levelJournal(
  { binding, observer, journal, journalDirectory }: SessionContext,
  { found, identity, epoch, files }: {
    found: Awaited<ReturnType<typeof readJournal>>;
    identity: string;
    epoch: number;
    files: ReadonlyMap<string, TrackedFile>;
  },
): Promise<void> {
  if (found.kind === "damaged") {
    const kept = await setAsideJournal(journalDirectory, new Date().toISOString())
      .catch(() => "nowhere");
    observer.journal({ kind: "damaged", detail: `${found.reason}; kept as ${kept}` });
  } else if (found.kind === "missing") {
    if (files.size > 0) observer.journal({ kind: "missing", detail: journalDirectory });
  } else {
    if (found.content.isTorn) observer.journal({ kind: "torn", detail: journalDirectory });
    const truth = new Map([...files].map(([path, file]) => [path, journalFile(file)]));
    observer.journal(compareJournal(found.content, truth));
  }
  journal.rebuild(
    {
      pipeline: binding.name,
      identity,
      source: binding.sourcePath,
      table: binding.targetTable,
    },
    { epoch, files: [...files.values()].map(journalFile) },
  );
}

function journalFile(file: TrackedFile): JournalFile {
  const { path, generation, committedByte, committedLine, revision } = file;
  return { path, generation, committedByte, committedLine, revision };
}

/** The loop of a session. */
class SessionWork {
  readonly #context: SessionContext;
  readonly #queue: CommitQueue;
  readonly #batcher: Batcher;
  readonly #files: Map<string, TrackedFile>;
  readonly #folder: FolderIntake | null = null;
  readonly #stream: StreamIntake | null = null;
  #wake: (() => void) | null = null;
  #hasNews = false;
  #saidCaughtUp = false;

  constructor(
    context: SessionContext,
    { owner, pipelineId, files, sinks }: {
      owner: PipelineOwner;
      pipelineId: number;
      files: Map<string, TrackedFile>;
      sinks: readonly BatchSink[];
    },
  ) {
    const { options, binding, observer } = context;
    this.#context = context;
    this.#files = files;
    this.#queue = new CommitQueue({
      carriers: sinks,
      blockersOf: (processId) => owner.blockersOf(processId),
      onCommitted: (batch, result) => this.#committed(batch, result),
      onFault: () => this.#news(),
      onFree: () => this.#news(),
    });
    this.#batcher = new Batcher({
      limits: options.limits,
      // those being committed, the one that waits, and the one being filled
      poolSize: sinks.length + 2,
      offer: (batch) => this.#queue.offer(batch),
    });
    const shared = {
      sql: owner.sql,
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
        drain: () => this.#drain(),
      });
    } else {
      const { replay, memory } = context.stream!;
      this.#stream = new StreamIntake({
        ...shared,
        stream: replay,
        sourceId: options.source.sourceId,
        memory,
      });
    }
  }

  close(): void {
    this.#folder?.close();
    this.#queue.close();
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
    await this.#folder?.gather();
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
    if (this.#batcher.isEmpty && this.#queue.isEmpty && !this.#saidCaughtUp) {
      this.#saidCaughtUp = true;
      this.#context.observer.caughtUp();
    }
    await this.#sleep(Math.min(
      this.#queue.hasFreeCarrier ? Math.max(0, lingerLeftMs) : Infinity,
      this.#folder?.dueInMs(nowMs) ?? Infinity,
    ));
    this.#queue.throwFault();
    return false;
  }

  async #finish(isComplete: boolean): Promise<void> {
    if (isComplete) return await this.#drain();
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
    const timer = Number.isFinite(forMs) ? setTimeout(resolve, forMs) : undefined;
    this.#wake = resolve;
    await promise;
    this.#wake = null;
    clearTimeout(timer);
  }

  #committed(batch: Batch, result: CommitResult): void {
    const { observer, journal, stream, onProgress } = this.#context;
    onProgress("committed");
    const moved: JournalFile[] = [];
    for (const { segment } of result.moves) {
      const file = this.#files.get(segment.path)!;
      file.committedByte = segment.endByte;
      file.committedLine = segment.endLine;
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
      })),
      loaded: result.loaded,
      rejected: result.rejects.length,
      duplicate: result.duplicate,
      sizeBytes: batch.sizeBytes,
      rejectsByCode,
    });
    this.#batcher.recycle(batch);
  }
}

/** The database did not take the last batch in time; it was rolled back and is read again later. */
export class StopDeadlineError extends Error {
  constructor() {
    super(`the open batch did not commit within ${STOP_DEADLINE_MS / 1000} s of the stop`);
    this.name = "StopDeadlineError";
  }
}
