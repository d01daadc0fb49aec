import { join } from "@std/path";
import { Journal } from "../checkpoint/journal.ts";
import { databaseError, faultKind, isConnectionError, sqlState } from "../database/fault.ts";
import { tableName } from "../database/quote_identifier.ts";
import { schemaFingerprint } from "../schema/schema_fingerprint.ts";
import { LedgerMovedError } from "../sink/ledger.ts";
import type { PipelineBinding } from "../sink/pipeline_binding.ts";
import { hostId } from "../source/host_id.ts";
import { ReplayStream } from "../source/replay_stream.ts";
import { FileShrankError } from "./file_cursor.ts";
import type { IngestObserver } from "./ingest_observer.ts";
import type { IngestOptions } from "./ingest_options.ts";
import { runSession, type SessionContext, StopDeadlineError } from "./ingest_session.ts";

/** The one dialect there is: RFC 4180 with a comma. */
const DIALECT = "rfc4180";
const RETRY_FIRST_MS = 200;
const RETRY_LONGEST_MS = 15_000;

/**
 * Loads a source until there is nothing more to do or `options.signal` is aborted. A fault of the
 * database that may pass ends the session, not the ingest: after a pause the next session begins
 * where the ledger stands.
 *
 * @throws PgsluiceError or the database's error for a fault that does not pass
 */
export async function ingest(options: IngestOptions, observer: IngestObserver): Promise<void> {
  const journalDirectory = join(options.checkpointsDirectory, options.pipelineName);
  const journal = new Journal({
    directory: journalDirectory,
    onTrouble: (error) => observer.journalTrouble(error),
  });
  const context: Omit<SessionContext, "onProgress"> = {
    options,
    binding: await makeBinding(options),
    observer,
    journal,
    journalDirectory,
    stream: options.source.kind === "stream"
      ? { replay: new ReplayStream(options.source.stream), memory: { mapping: null } }
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
  let hasStarted = false;
  let attempt = 0;
  const onProgress = (fact: "started" | "committed") => {
    hasStarted = true;
    // a session that commits ends the row of failed attempts
    if (fact === "committed") attempt = 0;
  };
  for (;;) {
    try {
      return await runSession({ ...context, onProgress });
    } catch (error) {
      if (error instanceof StopDeadlineError) return;
      // the first connection tells whether the surroundings are right at all
      if (!hasStarted || !mayPass(error)) throw forPeople(error, options.table);
      if (options.signal.aborted) return;
      attempt++;
      const retryMs = retryDelayMs(attempt);
      observer.outage({ error, attempt, retryMs });
      await pause(retryMs, options.signal);
      if (options.signal.aborted) return;
    }
  }
}

/** Faults of the database are explained; those of this program stay what they are. */
function forPeople(error: unknown, table: string): unknown {
  const isOfDatabase = sqlState(error) !== undefined || isConnectionError(error);
  return isOfDatabase ? databaseError(error, `loading into ${table}`) : error;
}

function mayPass(error: unknown): boolean {
  return error instanceof LedgerMovedError || error instanceof FileShrankError ||
    faultKind(error) === "retry";
}

/** Doubles from one try to the next, half of it by chance so that many do not return as one. */
function retryDelayMs(attempt: number): number {
  const longest = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** (attempt - 1));
  return Math.round(longest / 2 + Math.random() * longest / 2);
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
