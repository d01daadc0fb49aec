/**
 * One stretch of ingesting on one set of connections. It begins with the whole start-up (own the
 * pipeline, read the ledger, level the journal) and ends when its work is done, when the caller
 * stops it, or with the first fault of the database, after which nothing it knew is trusted.
 */
import { compareJournal } from "../checkpoint/compare_journal.ts";
import { type Journal, keptJournalName } from "../checkpoint/journal.ts";
import { JOURNAL_FORMAT, type JournalFile } from "../checkpoint/journal_codec.ts";
import { type JournalFound, readableContent, readJournal } from "../checkpoint/read_journal.ts";
import { connect, type Sql } from "../database/connect.ts";
import { connectionLost } from "../database/connection_lost.ts";
import { completeDatabase, createMissingDatabase } from "../database/set_up.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { noProbe } from "../probe.ts";
import type { Batch } from "../sink/batch.ts";
import { BatchSink, type CommitResult } from "../sink/batch_sink.ts";
import { loadFiles } from "../sink/ledger.ts";
import { bindPipeline, findPipeline, type PipelineBinding } from "../sink/pipeline_binding.ts";
import { batchApplicationName, OWNER_TIMES, PipelineOwner } from "../sink/pipeline_owner.ts";
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
  /**
   * The database is reached, the session stands, a batch is durable, nothing is left to do for now.
   */
  readonly onProgress: (fact: "standby" | "started" | "committed" | "caughtUp") => void;
  /** Of a stream source; outlives the session. */
  readonly stream: { readonly replay: ReplayStream; readonly memory: StreamMemory } | null;
}

/**
 * Ends when there is nothing more to do, or was told to stop.
 *
 * Only the owner changes anything: it migrates the ledger, makes the table and moves the epoch
 * after it has the lock. A newer version may so stand by for an older one.
 *
 * @throws the first fault
 */
export async function runSession(context: SessionContext): Promise<void> {
  const fault = Promise.withResolvers<never>();
  fault.promise.catch(() => {}); // it is raced below, and may come when nobody races
  const taken = await takePipeline(context, fault.reject);
  if (taken === null) return;
  const { owner } = taken;
  const connections = new SessionConnections();
  const life = live(context, { ...taken, connections, fault });
  try {
    // the owner's heartbeat watches over the start as well as the work
    await Promise.race([life, fault.promise]);
  } catch (error) {
    connections.destroy();
    // what it was doing ends with its connections, before another session begins
    await life.catch(() => {});
    throw error;
  } finally {
    await connections.close();
    // another owner may write it from here on
    context.journal.close();
    await owner.release();
  }
}

/** The lock, in a database that is made if it does not exist. Null if the signal came first. */
async function takePipeline(
  { options, observer, journal, onProgress }: SessionContext,
  onLost: (cause: unknown) => void,
): Promise<{ owner: PipelineOwner; did: readonly string[] } | null> {
  const did: string[] = [];
  const take = () =>
    PipelineOwner.take(options.target, {
      name: options.pipelineName,
      noWait: options.noWait,
      onStandby: () => {
        onProgress("standby");
        observer.standby();
      },
      onLost: (cause) => {
        journal.abandon();
        onLost(cause);
      },
      signal: options.signal,
      ...(options.times?.owner === undefined ? {} : { times: options.times.owner }),
    });
  let owner: PipelineOwner | null;
  try {
    owner = await take();
  } catch (error) {
    did.push(...await createMissingDatabase(options.target, { error, say: () => {} }));
    owner = await take();
  }
  return owner === null ? null : { owner, did };
}

/** The connections of a session but the owner's; none outlives it. */
class SessionConnections {
  readonly #open: { close(): Promise<void>; destroy(): void }[] = [];
  #isOver = false;

  /** Opens one after the other. @throws if the session is over by then */
  async open<T extends { close(): Promise<void>; destroy(): void }>(
    opening: Promise<T>,
  ): Promise<T> {
    const connection = await opening;
    this.#open.push(connection);
    if (!this.#isOver) return connection;
    connection.destroy();
    await connection.close();
    throw connectionLost("the session ended while a connection was being made");
  }

  /** Drops them at once. */
  destroy(): void {
    this.#isOver = true;
    for (const connection of this.#open) connection.destroy();
  }

  /** Safe twice. */
  async close(): Promise<void> {
    await Promise.all(this.#open.map((connection) => connection.close()));
  }
}

/** The start and the work of a session that has the lock. */
async function live(
  context: SessionContext,
  { owner, did, connections, fault }: {
    owner: PipelineOwner;
    did: readonly string[];
    connections: SessionConnections;
    fault: PromiseWithResolvers<never>;
  },
): Promise<void> {
  const { options, binding, observer } = context;
  const client = await connections.open(connect(options.target, {
    applicationName: "pgsluice ledger",
    onClose: fault.reject,
    sessionSettings: {
      // a frozen owner keeps no locks of the ledger: there it is named only later
      idle_in_transaction_session_timeout: String(
        (options.times?.owner ?? OWNER_TIMES).idleLimitMs,
      ),
    },
  }));
  await owner.watch(client);
  const { sql } = client;
  const { schema, table, migrations } = options;
  const completed = await completeDatabase(sql, {
    schema,
    table,
    ...(migrations === undefined ? {} : { migrations }),
  });
  const found = await readJournal(context.journalDirectory);
  if (found.kind === "newer") throw newerJournal(context, found.format);
  const known = await findPipeline(sql, options.pipelineName);
  const readable = readableContent(found);
  if (readable !== null) refuseOtherDatabase(context, { found: readable, known });
  const { pipelineId, identity } = await bindPipeline(sql, binding);
  const epoch = await owner.claim(pipelineId);
  const applicationName = batchApplicationName({ pipelineId, epoch });
  await sql`select set_config('application_name', ${applicationName}, false)`;
  options.probe?.("ledger.load");
  const ledger = await loadFiles(sql, pipelineId);
  const files = new Map([...ledger].map(([path, file]) => [path, trackFile(file)]));
  const sinks: BatchSink[] = [];
  for (let index = 0; index < options.connections; index++) {
    const sink = BatchSink.open(options.target, {
      pipelineId,
      epoch,
      schema,
      table: binding.targetTable,
      ...(options.times?.progressMs === undefined
        ? {}
        : { progressDeadlineMs: options.times.progressMs }),
      ...(options.probe === undefined ? {} : { probe: options.probe }),
    });
    sinks.push(await connections.open(sink));
  }
  await owner.confirm();
  levelJournal(context, { owner, found, identity, epoch, files });
  context.onProgress("started");
  observer.started({
    epoch,
    source: binding.sourcePath,
    table: binding.targetTable,
    did: [...did, ...completed],
  });
  const work = new SessionWork(context, { owner, sql, pipelineId, files, sinks });
  fault.promise.catch((error) => work.abandon(error));
  try {
    await work.run();
  } finally {
    work.close();
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

function newerJournal({ journalDirectory }: SessionContext, format: string): PgsluiceError {
  return new PgsluiceError(
    "journal-format",
    `the journal in ${journalDirectory} is of a newer pgsluice: its format is ${format}, this one ` +
      `reads ${JOURNAL_FORMAT}`,
    {
      hint: "use the newer pgsluice; or, to go back to this one, move that folder away: the " +
        "journal is made anew from the database",
    },
  );
}

function levelJournal(
  { binding, observer, journal, journalDirectory }: SessionContext,
  { owner, found, identity, epoch, files }: {
    owner: PipelineOwner;
    found: JournalFound;
    identity: string;
    epoch: number;
    files: ReadonlyMap<string, TrackedFile>;
  },
): void {
  const keepAs = found.kind === "damaged" ? keptJournalName("damaged", new Date()) : null;
  if (found.kind === "damaged") {
    observer.journal({ kind: "damaged", detail: `${found.reason}; kept as ${keepAs}` });
  } else if (found.kind === "missing") {
    if (files.size > 0) observer.journal({ kind: "missing", detail: journalDirectory });
  } else if (found.kind === "whole") {
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
    {
      epoch,
      files: [...files.values()].map(journalFile),
      isOwner: () => owner.holds(),
      ...(keepAs !== null && { keepAs }),
    },
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
    { owner, sql, pipelineId, files, sinks }: {
      owner: PipelineOwner;
      sql: Sql;
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

  close(): void {
    this.#folder?.close();
    this.#queue.close();
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
      this.#context.onProgress("caughtUp");
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
    for (const { segment, loaded, rejected, duplicate } of result.moves) {
      const file = this.#files.get(segment.path)!;
      file.committedByte = segment.endByte;
      file.committedLine = segment.endLine;
      file.loaded += loaded;
      file.rejected += rejected;
      file.duplicate += duplicate;
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
