import { PgsluiceError } from "../pgsluice_error.ts";
import { connectionLost } from "./connection_lost.ts";
import { type DatabaseTarget, describeTarget } from "./database_target.ts";
import { holdEmbeddedServer, type ServerHold } from "./embedded_server.ts";
import { databaseError, isConnectionError, sqlState } from "./fault.ts";
import type { Pool, Sql } from "./open_pool.ts";
import type { ServerAddress } from "./server_settings.ts";
import { parseServerUrl } from "./server_url.ts";
import { tlsError } from "./tls_error.ts";
import { refuseTransactionPooler } from "./transaction_pooler.ts";

export type { Sql } from "./open_pool.ts";

/**
 * Connections that live once: when one is lost, all of them end, what is under way and what is
 * asked later rejects, and the way on is a new `connect()`. Nothing reconnects in silence, so
 * every new connection can begin with a look at the ledger.
 */
export interface DatabaseClient {
  readonly sql: Sql;
  /** The longest that a connection has waited for a word of the server; 0 if none waits. */
  readonly silentMs: number;
  /** For the data of a COPY, of a client with one connection; see `Pool`. */
  readonly send: Pool["send"];
  readonly receive: Pool["receive"];
  /** Waits for what is under way, 5 s at most. Never rejects. Twice is safe. */
  close(): Promise<void>;
  /**
   * Drops the sockets at once: what is under way rejects, its outcome unknown. `close()` is still
   * to be called, to let go of the embedded server. Twice is safe.
   */
  destroy(): void;
}

export interface ConnectOptions {
  /** Shown in `pg_stat_activity`; the server cuts it at 63 bytes. */
  readonly applicationName: string;
  /** 1 unless given. */
  readonly maxConnections?: number;
  /** Called once if a connection is lost, `destroy()` included; not by `close()`. */
  readonly onClose?: (cause: Error) => void;
  /** The server's `statement_timeout`, 0 for none; what the server has unless given. */
  readonly statementTimeoutMs?: number;
  /** More settings of the session, as in `{ idle_session_timeout: "15s" }`. */
  readonly sessionSettings?: Readonly<Record<string, string>>;
  /** Hears what a person should know about starting the embedded server. */
  readonly say?: (text: string) => void;
}

const CLOSE_TIMEOUT_S = 5;
const EMBEDDED_ATTEMPTS = 5;
/** For the first questions on a new connection. */
const CHECK_TIMEOUT_MS = 10_000;
/** What a pooler says of settings that it does not know. */
const PROTOCOL_VIOLATION = "08P01";
/** PostgreSQL 14, for `idle_session_timeout`. */
const OLDEST_SERVER = 140_000;

/**
 * Connects and looks whether the server will do. For an embedded target the server is started if
 * need be, and kept until `close()`.
 *
 * @throws {PgsluiceError} `database-…` or `embedded-…`; no message ever holds a password.
 */
export async function connect(
  target: DatabaseTarget,
  options: ConnectOptions,
): Promise<DatabaseClient> {
  if (target.kind === "server") return await open({ url: target.url, hold: null }, target, options);
  for (let attempt = 1;; attempt++) {
    const hold = await holdEmbeddedServer(target.dataDirectory, {
      say: options.say ?? (() => {}),
    });
    try {
      return await open({ url: hold.url(target.database), hold }, target, options);
    } catch (error) {
      await hold.release();
      // It can be killed, or stopped by another command, between the two steps.
      if (!isConnectionError(error) || attempt === EMBEDDED_ATTEMPTS) throw error;
    }
  }
}

async function open(
  { url, hold }: { url: string; hold: ServerHold | null },
  target: DatabaseTarget,
  options: ConnectOptions,
): Promise<DatabaseClient> {
  try {
    const pool = await firstUsable(url, target, options);
    pool.onLost = options.onClose ?? (() => {});
    return {
      sql: pool.sql,
      send: pool.send,
      receive: pool.receive,
      get silentMs() {
        return pool.silentMs;
      },
      close: async () => {
        await pool.end(CLOSE_TIMEOUT_S);
        // An embedded server that will not stop now stays up until the next command ends.
        await hold?.release().catch(() => {});
      },
      destroy: () => {
        const cause = new Error("the connection was dropped on purpose");
        pool.lose(Object.assign(cause, { code: "CONNECTION_DESTROYED" }));
      },
    };
  } catch (error) {
    throw databaseError(error, `connecting to ${describeTarget(target)}`);
  }
}

/** Tries one host after the other, as libpq does; only an unreachable one leads to the next. */
async function firstUsable(
  url: string,
  target: DatabaseTarget,
  options: ConnectOptions,
): Promise<Pool> {
  const address = parseServerUrl(url, "the database URL");
  let failure: unknown;
  for (const place of address.hosts) {
    try {
      return await openAt(place, { address, target, options });
    } catch (error) {
      failure = error;
      if (!isConnectionError(error)) break;
    }
  }
  throw failure;
}

async function openAt(
  place: { readonly host: string; readonly port: number },
  context: { address: ServerAddress; target: DatabaseTarget; options: ConnectOptions },
): Promise<Pool> {
  const { address, target, options } = context;
  const { openPool } = await import("./open_pool.ts");
  const { findLogin, loginNotes } = await import("./find_login.ts");
  const { readTlsFiles } = await import("./tls_files.ts");
  // The embedded server asks for no password, and speaks no TLS.
  const home = target.kind === "embedded" ? undefined : Deno.env.get("HOME") || undefined;
  const tls = await readTlsFiles(address, { host: place.host, home });
  const login = await findLogin(address, { place, home });
  if (login.trouble !== null) warnOnce(login.trouble, options);
  const sessionSettings = sessionSettingsOf(address, options);
  const open = (maxConnections: number): Pool =>
    openPool(place, { login, tls, maxConnections, sessionSettings });
  const pool = open(options.maxConnections ?? 1);
  // a peer that takes bytes and never answers gives no error by itself
  const deadline = setTimeout(
    () => pool.lose(connectionLost(`no answer in ${CHECK_TIMEOUT_MS / 1000} s`)),
    CHECK_TIMEOUT_MS,
  );
  try {
    await checkServer(pool.sql, target);
    await refuseTransactionPooler(pool.sql, () => open(1));
    return pool;
  } catch (error) {
    await pool.end(0);
    if (sqlState(error) === PROTOCOL_VIOLATION) throw settingsRefused(error);
    // The refusal of a client's certificate comes after the handshake.
    if (tls.mode !== "disable" && /fatal alert/.test(String(error))) {
      throw tlsError(error as Error, place);
    }
    const notes = loginNotes(error, { login, tls });
    if (notes.length === 0) throw error;
    throw databaseError(error, `connecting to ${describeTarget(target)}`, { notes });
  } finally {
    clearTimeout(deadline);
  }
}

/** What a session begins with. */
function sessionSettingsOf(
  address: ServerAddress,
  options: ConnectOptions,
): Readonly<Record<string, string>> {
  return {
    ...(address.options === undefined ? {} : { options: address.options }),
    ...options.sessionSettings,
    ...(options.statementTimeoutMs === undefined
      ? {}
      : { statement_timeout: String(options.statementTimeoutMs) }),
    application_name: options.applicationName,
  };
}

const warned = new Set<string>();

/** A command makes many connections: what is said of one need not be said of the next. */
function warnOnce(text: string, { say }: ConnectOptions): void {
  if (say === undefined || warned.has(text)) return;
  warned.add(text);
  say(`warning: ${text}`);
}

/**
 * A server takes the settings that a session begins with; a pooler refuses those it does not know
 * to set anew for each of its clients. Trying again does not mend that, so there is no cause.
 */
function settingsRefused(error: unknown): PgsluiceError {
  return new PgsluiceError(
    "database-pooler",
    `a pooler is in the way: ${(error as Error).message}`,
    { hint: "use the server's own port: a pipeline's lock and settings need sessions of its own" },
  );
}

async function checkServer(sql: Sql, target: DatabaseTarget): Promise<void> {
  const [row] = await sql<{ number: number; version: string; encoding: string }[]>`
    select current_setting('server_version_num')::int as number,
      current_setting('server_version') as version,
      current_setting('server_encoding') as encoding`;
  if (row === undefined) throw new TypeError("the server answered without a row");
  const doing = `connecting to ${describeTarget(target)}`;
  if (row.number < OLDEST_SERVER) {
    throw new PgsluiceError(
      "database-too-old",
      `${doing}: the server is PostgreSQL ${row.version}, 14 or later is needed`,
      { hint: "upgrade it, or name another server with --database" },
    );
  }
  if (row.encoding !== "UTF8") {
    throw new PgsluiceError(
      "database-encoding",
      `${doing}: its encoding is ${row.encoding}, UTF8 is needed`,
      { hint: "create another one: create database NAME encoding 'UTF8' template template0" },
    );
  }
}
