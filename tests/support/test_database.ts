import { connect, type DatabaseClient, type Sql } from "../../src/database/connect.ts";
import { type DatabaseTarget, withDatabase } from "../../src/database/database_target.ts";
import { setUp } from "../../src/database/set_up.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { testServer } from "./test_server.ts";

/** A database for one test. */
export interface TestDatabase extends AsyncDisposable {
  /** For `--database`. */
  readonly url: string;
  readonly target: DatabaseTarget;
  /** A connection of the test's own. */
  readonly sql: Sql;
  /** Ends all sessions of the database and removes it. Twice is safe. */
  drop(): Promise<void>;
}

/**
 * Makes a fresh database on the test server: `await using database = await testDatabase()`.
 *
 * @param options.setUp Make the ledger and the built-in table too.
 */
export async function testDatabase(options: { setUp?: boolean } = {}): Promise<TestDatabase> {
  const server = await testServer();
  const name = `pgsluice_test_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
  await onServer(server, (sql) => sql.unsafe(`create database ${name} template template0`));
  const target = withDatabase(server, name);
  if (target.kind !== "server") throw new TypeError("a test server has a URL");
  let client: DatabaseClient | undefined;
  let dropped: Promise<void> | null = null;
  const drop = (): Promise<void> =>
    dropped ??= (async () => {
      client?.destroy();
      await client?.close();
      await onServer(server, (sql) => sql.unsafe(`drop database ${name} with (force)`));
    })();
  try {
    if (options.setUp) await setUp(target, { schema: USER_EVENTS, table: USER_EVENTS.table });
    client = await connect(target, { applicationName: "test", maxConnections: 4 });
  } catch (error) {
    await drop();
    throw error;
  }
  return { url: target.url, target, sql: client.sql, drop, [Symbol.asyncDispose]: drop };
}

async function onServer<T>(
  server: DatabaseTarget,
  work: (sql: Sql) => PromiseLike<T>,
): Promise<T> {
  const client = await connect(server, { applicationName: "test server" });
  try {
    return await work(client.sql);
  } finally {
    await client.close();
  }
}
