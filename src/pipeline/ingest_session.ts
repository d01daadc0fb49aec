/**
 * One stretch of ingesting on one set of connections. It begins with the whole start-up (own the
 * pipeline, read the ledger, level the journal) and ends when its work is done, when the caller
 * stops it, or with the first fault of the database, after which nothing it knew is trusted.
 */
import { readJournal } from "../checkpoint/read_journal.ts";
import { connect } from "../database/connect.ts";
import { completeDatabase, createMissingDatabase } from "../database/set_up.ts";
import { beginMinutes } from "../sink/begin_minutes.ts";
import { BatchSink } from "../sink/batch_sink.ts";
import { eachFile } from "../sink/ledger.ts";
import { hasManyDeltas } from "../sink/merge_minutes.ts";
import { RecentKeys } from "../sink/recent_keys.ts";
import { bindPipeline, findPipeline } from "../sink/pipeline_binding.ts";
import { batchApplicationName, OWNER_TIMES, PipelineOwner } from "../sink/pipeline_owner.ts";
import { FIRST_CONNECTIONS } from "./connection_count.ts";
import { MinutesWorker } from "./minutes_worker.ts";
import { SessionConnections } from "./session_connections.ts";
import type { SessionContext } from "./session_context.ts";
import { levelJournal, refuseForeignJournal } from "./session_journal.ts";
import { SessionWork } from "./session_work.ts";
import { TrackedFiles } from "./tracked_files.ts";

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
      onPoll: () => observer.turned(),
      ...(options.say === undefined ? {} : { say: options.say }),
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

interface Taken {
  readonly owner: PipelineOwner;
  readonly did: readonly string[];
  readonly connections: SessionConnections;
  readonly fault: PromiseWithResolvers<never>;
}

/** The start and the work of a session that has the lock. */
async function live(context: SessionContext, taken: Taken): Promise<void> {
  // what only the start needs, as the journal that was found, does not live as long as the work
  const work = await start(context, taken);
  taken.fault.promise.catch((error) => work.abandon(error));
  try {
    await work.run();
  } finally {
    await work.close();
  }
}

async function start(
  context: SessionContext,
  { owner, did, connections, fault }: Taken,
): Promise<SessionWork> {
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
  const known = await findPipeline(sql, options.pipelineName);
  refuseForeignJournal(context, { found, known });
  const { pipelineId, identity } = await bindPipeline(sql, binding);
  const epoch = await owner.claim(pipelineId);
  const applicationName = batchApplicationName({ pipelineId, epoch });
  await sql`select set_config('application_name', ${applicationName}, false)`;
  const summed = await beginMinutes(sql, { schema, table: binding.targetTable });
  options.probe?.("ledger.load");
  const files = new TrackedFiles();
  await eachFile(sql, { pipelineId, take: (file) => files.add(file) });
  const recentKeys = new RecentKeys();
  const openSink = () =>
    connections.open(BatchSink.open(options.target, {
      pipelineId,
      epoch,
      schema,
      table: binding.targetTable,
      recentKeys,
      ...(options.times?.progressMs === undefined
        ? {}
        : { progressDeadlineMs: options.times.progressMs }),
      ...(options.probe === undefined ? {} : { probe: options.probe }),
    }));
  const sinkCount = options.tuned?.connections
    ? Math.min(FIRST_CONNECTIONS, options.connections)
    : options.connections;
  const sinks = await Promise.all(Array.from({ length: sinkCount }, openSink));
  const minutes = new MinutesWorker({
    table: binding.targetTable,
    open: () => connections.open(connect(options.target, { applicationName })),
    onFault: fault.reject,
    ...(options.times?.mergeMs === undefined ? {} : { intervalMs: options.times.mergeMs }),
  });
  const hasLeftovers = await hasManyDeltas(sql);
  await owner.confirm();
  levelJournal(context, { owner, found, identity, epoch, files });
  const work = new SessionWork(context, {
    owner,
    sql,
    pipelineId,
    files,
    sinks,
    openSink,
    minutes,
  });
  // whoever has the work closes it, and the worker with it
  if (hasLeftovers) minutes.committed();
  context.onProgress("started");
  observer.started({
    epoch,
    source: binding.sourcePath,
    table: binding.targetTable,
    did: [...did, ...completed, ...summed === null ? [] : [summed]],
    backlog: binding.sourceKind === "folder" ? () => work.backlog()! : null,
  });
  return work;
}
