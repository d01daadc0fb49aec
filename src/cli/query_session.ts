import type { DatabaseClient, Sql } from "../database/connect.ts";
import type { DatabaseTarget } from "../database/database_target.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { CommandContext } from "./command.ts";

/** Shown in `pg_stat_activity`. */
const APPLICATION_NAME = "pgsluice query";
/** How soon the server notices that nobody is there any more to take the answer. */
const CHECK_INTERVAL = "250ms";
/** How long it may take to tell the server to stop, before the connection is dropped. */
const CANCEL_TIMEOUT_MS = 2_000;

export interface QuerySession {
  /** Of one connection. */
  readonly sql: Sql;
  /** Ends what the server does, and the session with this reason. Only the first one counts. */
  stop(reason: unknown): void;
}

interface Stopped {
  readonly reason: unknown;
  /** Resolves when the server was told, and the connection is dropped. */
  readonly done: Promise<void>;
}

/**
 * Connects to the database that is asked, and closes after the work; the signal stops it. When the
 * work has failed the connection is dropped.
 *
 * @throws {PgsluiceError} `no-ledger` if there is no database, what the work throws, and what the
 *   database says; the reason of a stop in place of what came of it
 */
export async function withQuerySession<Result>(
  { flags, terminal, signal }: CommandContext,
  work: (session: QuerySession) => Promise<Result>,
): Promise<Result> {
  const { targetFromFlags } = await import("./database_option.ts");
  const { hasData } = await import("../status/has_data.ts");
  const { connect } = await import("../database/connect.ts");
  const { databaseError, isConnectionError, sqlState } = await import("../database/fault.ts");
  const { describeTarget } = await import("../database/database_target.ts");
  const target = targetFromFlags(flags);
  if (!await hasData(target)) {
    throw new PgsluiceError("no-ledger", "there is no database yet, so there is nothing to ask", {
      hint: "load something with `pgsluice ingest`, or name a server with --database",
    });
  }
  const client = await connect(target, {
    applicationName: APPLICATION_NAME,
    // a person may read slowly
    sessionSettings: { idle_in_transaction_session_timeout: "0" },
    say: (text) => terminal.say(text),
  });
  let stopped = null as Stopped | null;
  let backend: number | null = null;
  const stop = (reason: unknown) => {
    stopped ??= { reason, done: cancelAndDrop(client, { target, backend }) };
  };
  const onAbort = () => stop(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    signal.throwIfAborted();
    backend = await begin(client.sql);
    return await work({ sql: client.sql, stop });
  } catch (error) {
    client.destroy();
    if (stopped !== null) throw stopped.reason;
    if (sqlState(error) === undefined && !isConnectionError(error)) throw error;
    throw databaseError(error, `asking ${describeTarget(target)}`);
  } finally {
    signal.removeEventListener("abort", onAbort);
    await stopped?.done;
    await client.close();
  }
}

/** @returns the process that serves the session */
async function begin(sql: Sql): Promise<number> {
  const { isConnectionError } = await import("../database/fault.ts");
  // not every server can; one that cannot notices when it has something to send
  await sql`select set_config('client_connection_check_interval', ${CHECK_INTERVAL}, false)`
    .catch((error) => {
      if (isConnectionError(error)) throw error;
    });
  const [session] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return session!.pid;
}

/** Never rejects: without the connection the server notices by itself, if later. */
async function cancelAndDrop(
  client: DatabaseClient,
  { target, backend }: { target: DatabaseTarget; backend: number | null },
): Promise<void> {
  const timer = setTimeout(() => client.destroy(), CANCEL_TIMEOUT_MS);
  try {
    if (backend !== null) await cancel(target, backend);
  } catch {
    // the server is gone, or has no connection left
  } finally {
    clearTimeout(timer);
    client.destroy();
  }
}

async function cancel(target: DatabaseTarget, backend: number): Promise<void> {
  const { connect } = await import("../database/connect.ts");
  const canceller = await connect(target, { applicationName: APPLICATION_NAME });
  try {
    await canceller.sql`select pg_cancel_backend(${backend})`;
  } finally {
    await canceller.close();
  }
}
