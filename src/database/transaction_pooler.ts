import { PgsluiceError } from "../pgsluice_error.ts";
import type { Pool, Sql } from "./open_pool.ts";

/** Two idle sessions are compared so many times: a busy pooler may deal them different backends. */
const COMPARISONS = 3;

/**
 * Refuses a pooler (PgBouncer, Supavisor, …) that lends a backend for one transaction at a time:
 * advisory locks and settings of a session would land on other people's sessions. A pooler shows
 * itself because the process id in its greeting is not the backend's; only then a second session
 * is opened. Two sessions open at once that are served by one backend are the proof.
 *
 * @throws {PgsluiceError} `database-pooler`.
 */
export async function refuseTransactionPooler(sql: Sql, openSecond: () => Pool): Promise<void> {
  const first = await backendOf(sql);
  if (first.pid === first.greetingPid) return;
  const second = openSecond();
  try {
    for (let i = 0; i < COMPARISONS; i++) {
      const [one, other] = [await backendOf(sql), await backendOf(second.sql)];
      if (one.pid !== other.pid) continue;
      throw new PgsluiceError(
        "database-pooler",
        "the database is behind a pooler in transaction mode: two sessions share one backend",
        { hint: "use the pooler's port for session mode, or the server itself" },
      );
    }
  } finally {
    await second.end(0);
  }
}

async function backendOf(sql: Sql): Promise<{ pid: number; greetingPid: number }> {
  const result = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const pid = result[0]?.pid;
  if (pid === undefined) throw new TypeError("the server answered without a row");
  return { pid, greetingPid: result.state.pid };
}
