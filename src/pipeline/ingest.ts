import { join } from "@std/path";
import { Journal } from "../checkpoint/journal.ts";
import { databaseError, faultKind, isConnectionError, sqlState } from "../database/fault.ts";
import { tableName } from "../database/quote_identifier.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { schemaFingerprint } from "../schema/schema_fingerprint.ts";
import { LedgerMovedError } from "../sink/ledger.ts";
import type { PipelineBinding } from "../sink/pipeline_binding.ts";
import { hostId } from "../source/host_id.ts";
import { ReplayStream } from "../source/replay_stream.ts";
import { backOffMs } from "./back_off.ts";
import type { IngestObserver } from "./ingest_observer.ts";
import type { IngestOptions } from "./ingest_options.ts";
import { OutageWatch } from "./outage_watch.ts";
import { runSession } from "./ingest_session.ts";
import type { SessionContext } from "./session_context.ts";
import { StopDeadlineError } from "./session_work.ts";

/** The one dialect there is: RFC 4180 with a comma. */
const DIALECT = "rfc4180";
/** So many times in a row the ledger may have moved before it is told as an outage. */
const QUIET_MOVES = 3;

/**
 * Loads a source until there is nothing more to do or `options.signal` is aborted. A fault of the
 * database that may pass ends the session, not the ingest: after a pause the next session begins
 * where the ledger stands, for as long as it takes. Only before the first session stands, one that
 * is to end by itself (`once`, a stream, `noWait`) takes it for the answer.
 *
 * @throws PgsluiceError or the database's error for a fault that does not pass
 */
export async function ingest(options: IngestOptions, observer: IngestObserver): Promise<void> {
  const journalDirectory = join(options.checkpointsDirectory, options.pipelineName);
  const journal = new Journal({
    directory: journalDirectory,
    onTrouble: (error) => observer.journalTrouble(error),
    ...(options.probe && { probe: options.probe }),
  });
  const context: Omit<SessionContext, "onProgress"> = {
    options,
    binding: await makeBinding(options),
    observer,
    journal,
    journalDirectory,
    stream: options.source.kind === "stream"
      ? {
        replay: new ReplayStream(options.source.stream),
        memory: { isBegun: false, mapping: null },
      }
      : null,
  };
  try {
    await runSessions(context);
  } finally {
    journal.close();
    context.stream?.replay.close();
  }
}

async function runSessions(context: Omit<SessionContext, "onProgress">): Promise<void> {
  const { options, observer } = context;
  const outages = new OutageWatch();
  let hasStood = false;
  let attempt = 0;
  const worked = () => {
    attempt = 0;
    const outage = outages.worked(performance.now());
    if (outage !== null) observer.recovered(outage);
  };
  const onProgress: SessionContext["onProgress"] = (fact) => {
    hasStood = true;
    // a session that only stands may meet the same fault with its first batch
    if (fact !== "started") worked();
  };
  for (;;) {
    observer.turned();
    try {
      await runSession({ ...context, onProgress });
      return worked();
    } catch (error) {
      if (error instanceof StopDeadlineError) return;
      const isTransient = isMoved(error) ||
        mayPass(error) && (hasStood || waitsForFirst(options));
      if (!isTransient) throw forPeople(error, options.table);
      if (options.signal.aborted) return;
      attempt++;
      const isQuiet = isMoved(error) && attempt <= QUIET_MOVES;
      const outage = isQuiet ? null : outages.failed(performance.now());
      if (outage !== null) {
        observer.outage({ ...outage, error: forPeople(error, options.table), hasStood });
      }
      await pause(backOffMs(attempt, Math.random()), options.signal);
      if (options.signal.aborted) return;
    }
  }
}

/** A service may come up before its database. */
function waitsForFirst({ source, noWait }: IngestOptions): boolean {
  return source.kind === "folder" && !source.once && !noWait;
}

/** Faults of the database are explained; those of this program stay what they are. */
function forPeople(error: unknown, table: string): unknown {
  const isOfDatabase = sqlState(error) !== undefined || isConnectionError(error);
  return isOfDatabase ? databaseError(error, `loading into ${table}`) : error;
}

function mayPass(error: unknown): boolean {
  const isLingering = error instanceof PgsluiceError && error.code === "owner-lingers";
  return isMoved(error) || isLingering || faultKind(error) === "retry";
}

/** Nothing failed: what the session knew no longer holds, and is read anew. */
function isMoved(error: unknown): boolean {
  return error instanceof LedgerMovedError;
}

async function pause(forMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, forMs);
  const end = () => resolve();
  signal.addEventListener("abort", end);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}

async function makeBinding(options: IngestOptions): Promise<PipelineBinding> {
  const { source, schema } = options;
  return {
    name: options.pipelineName,
    sourceKind: source.kind === "folder" ? "folder" : "stdin",
    sourceHost: source.kind === "folder" ? await hostId() : "-",
    sourcePath: source.kind === "folder" ? source.directory : "-",
    targetTable: tableName(options.table).quoted,
    keyColumn: schema.key,
    timeZone: options.timeZone,
    schemaFingerprint: schemaFingerprint(schema),
    dialect: DIALECT,
    maxRecordBytes: options.maxRecordBytes,
  };
}
