import { PgsluiceError } from "../pgsluice_error.ts";

/**
 * What to do about an error of the database.
 *
 * - `retry`: with back-off, on a new connection; the outcome of what was under way is unknown.
 * - `reject`: the data is at fault; find the row and set it aside.
 * - `stop`: nothing will get better by itself; tell a person.
 */
export type FaultKind = "retry" | "reject" | "stop";

/** Codes of postgres.js and the operating system that mean: the connection was lost or not made. */
const CONNECTION_CODES: ReadonlySet<string> = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECT_TIMEOUT",
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETRESET",
  "ENETUNREACH",
  "ENOENT", // the file of a unix socket: the server is not up
  "ENOTCONN",
  "ENOTFOUND",
  "EPIPE",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ETIMEDOUT",
]);

/** In COPY these say that we sent something malformed, which sending again does not mend. */
const OUR_FAULT_IN_COPY: ReadonlySet<string> = new Set(["08P01", "22P03", "22P04"]);

/** Of classes whose other members mean `stop`. */
const RETRIED_STATES: ReadonlySet<string> = new Set([
  "25006", // a standby, or a read-only session
  "25P03", // the server ended a session that was silent within a transaction: this process slept
  "25P04", // or one whose transaction took too long
  "55P03", // a lock was not to be had in time
  "57014", // canceled, by statement_timeout or a person
]);

/**
 * Decides by the SQLSTATE alone, never by the message. What is listed nowhere is `stop`.
 *
 * @param options.inCopy The error came while rows were being sent.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function faultKind(error: unknown, options: { inCopy?: boolean } = {}): FaultKind {
  if (isConnectionError(error)) return "retry";
  const state = sqlState(error);
  if (state === undefined) return "stop";
  if (state === "22P03" || state === "22P04") return "stop";
  if (options.inCopy === true && OUR_FAULT_IN_COPY.has(state)) return "stop";
  switch (state.slice(0, 2)) {
    case "08": // connection exception
    case "40": // transaction rollback: deadlock, serialization
    case "53": // insufficient resources: disk full, too many connections
      return "retry";
    case "22": // data exception
    case "23": // integrity constraint violation
    case "P0": // raised by a trigger
      return "reject";
  }
  if (state.startsWith("57P")) return "retry"; // the server shuts down, crashed, or starts up
  return RETRIED_STATES.has(state) ? "retry" : "stop";
}

/** The five-character SQLSTATE that the server gave, of the error or of what caused it. */
export function sqlState(error: unknown): string | undefined {
  const source = causeOf(error);
  if (!(source instanceof Error) || source.name !== "PostgresError") return undefined;
  const code = (source as { code?: unknown }).code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether the connection was lost or could not be made, as opposed to an answer of the server. */
export function isConnectionError(error: unknown): boolean {
  const source = causeOf(error);
  if (!(source instanceof Error) || source.name === "PostgresError") return false;
  // of stdout, whose reader has gone; a socket's is told as a lost connection
  if (source instanceof Deno.errors.BrokenPipe) return false;
  const code = (source as { code?: unknown }).code;
  return typeof code === "string" && CONNECTION_CODES.has(code);
}

/** A PgsluiceError tells what the error it was made from tells. */
function causeOf(error: unknown): unknown {
  let source = error;
  while (source instanceof PgsluiceError && source.cause !== undefined) source = source.cause;
  return source;
}

interface Explanation {
  readonly code: string;
  readonly hint: string;
}

const UNREACHABLE: Explanation = {
  code: "database-unreachable",
  hint: "check that the server runs and that host and port are right; without --database, " +
    "DATABASE_URL and PG* variables pgsluice starts a server of its own",
};

const LOGIN_REFUSED: Explanation = {
  code: "database-login",
  hint:
    "check user and password (a password file keeps it out of command lines and environments), " +
    "and that pg_hba.conf lets this user in from here; a server may insist on sslmode=require",
};

const BY_STATE: ReadonlyMap<string, Explanation> = new Map<string, Explanation>([
  ["28P01", LOGIN_REFUSED],
  ["28000", LOGIN_REFUSED],
  ["3D000", {
    code: "database-missing",
    hint: "`pgsluice setup` creates it where the user may; or name another one with --database",
  }],
  ["3F000", {
    code: "database-schema-missing",
    hint: "create the schema (`create schema NAME`), or name another table with --table",
  }],
  ["42501", {
    code: "database-permission",
    hint: "let an owner run `pgsluice setup` once, and the grants that `pgsluice setup --roles` " +
      "prints",
  }],
  ["42P01", {
    code: "database-table-missing",
    hint: "`pgsluice setup` creates the tables",
  }],
  ["53100", {
    code: "database-full",
    hint: "make room on the server's disk; what is committed stays, the rest loads then",
  }],
  ["53300", {
    code: "database-too-many-connections",
    hint: "end other sessions, or raise max_connections on the server",
  }],
  ["25006", {
    code: "database-read-only",
    hint: "this is a standby or a read-only session: name the primary server",
  }],
  ["57P03", {
    code: "database-starting",
    hint: "the server starts or stops: try again in a moment",
  }],
]);

const OTHER: Explanation = {
  code: "database-error",
  hint: "the server's own log says more; the SQLSTATE is explained in the appendix `PostgreSQL " +
    "Error Codes` of its documentation",
};

/**
 * Turns any error met while talking to the database into one for people. A `PgsluiceError` is
 * given back as it is. The original error becomes the cause, so `faultKind` decides alike.
 *
 * @param doing What was tried, as in `connecting to postgresql://h/d`; never with a password.
 * @param options.notes More to try, after the hint.
 */
export function databaseError(
  error: unknown,
  doing: string,
  options: { notes?: readonly string[] } = {},
): PgsluiceError {
  if (error instanceof PgsluiceError) return error;
  const state = sqlState(error);
  const explanation = state !== undefined
    ? BY_STATE.get(state) ?? OTHER
    : isConnectionError(error)
    ? UNREACHABLE
    : OTHER;
  const suffix = state === undefined ? "" : ` (SQLSTATE ${state})`;
  return new PgsluiceError(explanation.code, `${doing}: ${reason(error)}${suffix}`, {
    hint: [explanation.hint, ...options.notes ?? []].join("; "),
    cause: error,
  });
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, detail } = error as { code?: unknown; detail?: unknown };
  switch (code) {
    case "ECONNREFUSED":
      return "nothing listens there (connection refused)";
    case "ENOENT":
      return "no server listens there (the socket does not exist)";
    case "EACCES":
      return "this user may not open the socket (permission denied)";
    case "ENOTFOUND":
      return "no host of that name";
    case "EAI_AGAIN":
      return "the name of the host could not be looked up";
    case "CONNECT_TIMEOUT":
      return "no answer in time";
  }
  const text = error.message || error.name;
  return typeof detail === "string" && detail !== "" ? `${text}: ${detail}` : text;
}
