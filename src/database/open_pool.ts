import postgres, { type Sql as PostgresSql } from "postgres";
import { ARRAY_OF_ELEMENT, ARRAY_TYPES } from "./array_types.ts";
import { connectionLost } from "./connection_lost.ts";
import type { Login } from "./find_login.ts";
import { openSocket } from "./open_socket.ts";
import type { TlsSettings } from "./tls_files.ts";
import { type Diversion, WatchedSocket } from "./watched_socket.ts";

/**
 * postgres.js. `bigint` and `numeric` columns arrive as strings, `bytea` as a Buffer, `timestamptz`
 * as a Date (which cuts microseconds: cast to text where they matter). Transactions are made by
 * `begin()`; `reserve()`, `listen()` and `subscribe()` are not for use here.
 */
export type Sql = PostgresSql;

/** A postgres.js client that lives once; see {@linkcode WatchedSocket} for why. */
export interface Pool {
  readonly sql: Sql;
  /** The longest that a connection has waited for a word of the server; 0 if none waits. */
  readonly silentMs: number;
  /** Hears once of the loss of the pool, not of `end()`. */
  onLost: (cause: Error) => void;
  /**
   * Puts bytes on the connection as they are; the pool has no other one. The callback hears when
   * they have left, or why they have not.
   */
  send(bytes: Uint8Array, onSent?: (error?: Error | null) => void): void;
  /**
   * Lets `take` have what comes on the connection, in place of postgres.js; the pool has no other
   * one. A chunk is good during the call alone.
   * @throws the connection's error if it was lost
   */
  receive(take: (chunk: Uint8Array) => void): Diversion;
  /** Ends it, after what is under way or the timeout. Never rejects. Twice is safe. */
  end(timeoutS: number): Promise<void>;
  /** Drops all sockets at once; what is under way and what follows rejects. Twice is safe. */
  lose(cause: Error): void;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** How long sockets that were told to close may take. */
const SOCKET_CLOSE_TIMEOUT_MS = 1_000;

/**
 * What a role or a database may have set otherwise and the code relies on. `bytea_output` and
 * `datestyle` decide how postgres.js reads answers.
 */
const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  synchronous_commit: "on",
  standard_conforming_strings: "on",
  bytea_output: "hex",
  datestyle: "ISO",
  client_min_messages: "warning",
  // the server ends the session of a host that has vanished; they mean nothing on a unix socket
  tcp_keepalives_idle: "30",
  tcp_keepalives_interval: "10",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "60000",
};

/** Connections are made when statements need them; none is ever made again after a loss. */
export function openPool(
  place: { readonly host: string; readonly port: number },
  options: {
    login: Login;
    tls: TlsSettings;
    maxConnections: number;
    sessionSettings: Readonly<Record<string, string>>;
  },
): Pool {
  const sockets = new Set<WatchedSocket>();
  let lost: Error | null = null;
  let ended = false;
  let over = false;

  async function openWatched(): Promise<WatchedSocket> {
    try {
      const socket = await openSocket({
        host: place.host,
        port: place.port,
        tls: options.tls,
        timeoutMs: CONNECT_TIMEOUT_MS,
      });
      if (over) {
        socket.destroy();
        throw lost ?? new Error("the pool ended while a connection was being made");
      }
      const watched = new WatchedSocket(socket, { ...place, onLost: lose });
      sockets.add(watched);
      watched.closed.then(() => sockets.delete(watched));
      return watched;
    } catch (error) {
      // postgres.js never uses the slot of a connection again whose socket could not be opened.
      lose(error as Error);
      throw error;
    }
  }

  function lose(cause: Error): void {
    if (lost !== null) return;
    lost = cause;
    over = true;
    for (const socket of sockets) socket.lose(cause);
    const wasEnded = ended;
    end(0);
    if (!wasEnded) pool.onLost(cause);
  }

  async function end(timeoutS: number): Promise<void> {
    ended = true;
    const open = [...sockets];
    await sql.end({ timeout: timeoutS });
    over = true;
    if (lost !== null) open.forEach((socket) => socket.announceClose());
    await settled(open.map((socket) => socket.closed), SOCKET_CLOSE_TIMEOUT_MS);
    for (const socket of sockets) socket.destroy();
  }

  // `socket`, `pass` and the nulls are missing in its types.
  // deno-lint-ignore no-explicit-any
  const untypedOptions: any = {
    host: place.host,
    port: place.port,
    user: options.login.user,
    pass: options.login.password ?? "",
    database: options.login.database,
    max: options.maxConnections,
    ssl: false, // made by openSocket
    sslnegotiation: null,
    socket: openWatched,
    connect_timeout: CONNECT_TIMEOUT_MS / 1000,
    idle_timeout: 0,
    max_lifetime: null,
    keep_alive: 60,
    fetch_types: false,
    types: ARRAY_TYPES,
    onnotice: () => {},
    connection: {
      ...SESSION_SETTINGS,
      ...options.sessionSettings,
    },
  };
  const sql: Sql = postgres(untypedOptions);
  Object.assign(
    (sql.options as unknown as { shared: { typeArrayMap: object } }).shared.typeArrayMap,
    ARRAY_OF_ELEMENT,
  );
  const pool: Pool = {
    sql,
    get silentMs() {
      return Math.max(0, ...[...sockets].map((socket) => socket.silentMs));
    },
    onLost: () => {},
    send(bytes, onSent) {
      const [socket] = sockets;
      if (socket !== undefined) socket.write(bytes, onSent);
      else onSent?.(lost ?? connectionLost("there is no connection"));
    },
    receive(take) {
      const [socket] = sockets;
      if (socket === undefined) throw lost ?? connectionLost("there is no connection");
      return socket.divert(take);
    },
    end,
    lose,
  };
  return pool;
}

/** Waits for all, but no longer than the timeout. */
async function settled(promises: readonly Promise<unknown>[], timeoutMs: number): Promise<void> {
  let timer: number | undefined;
  const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, timeoutMs));
  await Promise.race([Promise.all(promises), timeout]);
  clearTimeout(timer);
}
