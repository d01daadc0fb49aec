/**
 * Runs a statement that somebody typed, such that it can change no table.
 *
 * Invariants: whatever the text is, the server sees it as one statement (it is parsed by the
 * extended protocol, which takes no more), within a transaction that is read only and cannot be
 * made another one (its snapshot was taken before), and that is rolled back. At most a page of rows
 * is held, and the next one is asked for when the reader has taken it.
 */
import type { Sql } from "../database/connect.ts";
import { sqlState } from "../database/fault.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import { firstKeyword } from "./first_keyword.ts";
import { StatementClock } from "./statement_clock.ts";

/** Rows asked for at a time: few enough to hold wide ones, enough that asking costs nothing. */
const PAGE_ROWS = 500;

export interface QueryColumn {
  /** As the server names it; two may have the same name. */
  readonly name: string;
  readonly typeOid: number;
  /** As in `timestamp with time zone`. */
  readonly type: string;
}

/** A value each column, as the server writes it in text: as psql shows it. */
export type QueryRow = readonly (string | null)[];

export interface ReadOnlyQuery {
  /** One statement. */
  readonly statement: string;
  /**
   * The longest that the server may take for the first rows, and for each next ones; time that the
   * reader takes does not count. 0 for no limit.
   */
  readonly timeoutMs: number;
  /** Ends what the server does, for that reason; the query then rejects with whatever came of it. */
  stop(reason: Error): void;
}

export interface QueryReader {
  /** Once, before the statement runs. None for a statement that gives no rows, as `set`. */
  columns(columns: readonly QueryColumn[]): Promise<void> | void;
  /**
   * At least one row. What it throws ends the statement.
   * @returns false if it wants no more
   */
  rows(rows: readonly QueryRow[]): Promise<boolean> | boolean;
}

/**
 * @param sql of one connection, which is to be dropped after an error: it may not be usable then
 * @returns ms that the server took
 * @throws {PgsluiceError} `query-statement` or `query-read-only`; what the reader throws; and what
 *   the database says that is not about the statement
 */
export async function readOnlyQuery(
  sql: Sql,
  { statement, timeoutMs, stop }: ReadOnlyQuery,
  reader: QueryReader,
): Promise<number> {
  refuseUnfit(statement);
  const clock = new StatementClock({ timeoutMs, onLate: () => stop(tookTooLong(timeoutMs)) });
  try {
    await sql.unsafe("begin transaction read only");
    clock.go();
    const described = await sql.unsafe(statement).describe().catch(throwStatementError);
    clock.rest();
    if (described.types.length > 0) throw hasParameters();
    // Asked without columns as well, for this takes the snapshot. Until then a function that the
    // statement calls could still make the transaction one that writes.
    await reader.columns(await namedTypes(sql, described.columns));
    await readPages(sql, { statement, clock, reader }).catch(throwStatementError);
    await sql.unsafe("rollback");
    return clock.tookMs;
  } finally {
    clock.rest();
  }
}

async function readPages(
  sql: Sql,
  { statement, clock, reader }: {
    statement: string;
    clock: StatementClock;
    reader: QueryReader;
  },
): Promise<void> {
  let given: unknown;
  let giving: Promise<unknown> = Promise.resolve();
  const give = (page: readonly Uint8Array[][]): Promise<unknown> => {
    given = page;
    giving = read(page);
    giving.catch(() => {}); // it is met below, if not by postgres.js
    return giving;
  };
  const read = async (page: readonly Uint8Array[][]): Promise<unknown> => {
    clock.rest();
    const wantsMore = await reader.rows(page.map(textsOf));
    clock.go();
    return wantsMore ? undefined : sql.CLOSE;
  };
  clock.go();
  // its types know nothing of CLOSE
  // deno-lint-ignore no-explicit-any
  const query = sql.unsafe(statement).raw().cursor(PAGE_ROWS, give as any);
  const last = await query as unknown as Uint8Array[][];
  // postgres.js does not wait for what becomes of the last page, and gives it to `give` only if the
  // server counts the rows, unlike those of `show`
  await giving;
  if (last !== given && last.length > 0) await give(last);
}

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

function textsOf(row: readonly (Uint8Array | null)[]): QueryRow {
  return row.map((value) => value === null ? null : DECODER.decode(value));
}

async function namedTypes(
  sql: Sql,
  columns: readonly { readonly name: string; readonly type: number }[],
): Promise<readonly QueryColumn[]> {
  const oids = [...new Set(columns.map(({ type }) => type))];
  const rows = await sql<{ oid: number; type: string }[]>`
    select oid::float8 as oid, format_type(oid::oid, null) as type
    from unnest(${oids}::bigint[]) oid`;
  const names = new Map(rows.map(({ oid, type }) => [oid, type]));
  return columns.map(({ name, type }) => ({
    name,
    typeOid: type,
    type: names.get(type) ?? String(type),
  }));
}

/** @throws {PgsluiceError} `query-statement` for what is no question */
function refuseUnfit(statement: string): void {
  switch (firstKeyword(statement)) {
    case null:
      throw new PgsluiceError("query-statement", "the statement is empty", {
        hint: "as in --sql 'select count(*) from user_events'",
        exitCode: EXIT.usage,
      });
    case "copy":
      // its rows come by a protocol of their own; and it can write files of the server
      throw new PgsluiceError("query-statement", "copy is no question", {
        hint: "a select with --format csv gives the same rows; `pgsluice db psql` has \\copy",
        exitCode: EXIT.usage,
      });
  }
}

function hasParameters(): PgsluiceError {
  return new PgsluiceError("query-statement", "the statement has parameters ($1), but no values", {
    hint: "write the values into the statement",
    exitCode: EXIT.usage,
  });
}

function tookTooLong(timeoutMs: number): PgsluiceError {
  return new PgsluiceError(
    "query-timeout",
    `the server took longer than ${timeoutMs / 1000} s for the next rows, and was told to stop`,
    { hint: "--timeout 10m lets it take longer, --timeout 0s as long as it will; or ask for less" },
  );
}

/** SQLSTATE classes of what is wrong with the server, or with the connection to it. */
const SERVER_CLASSES: ReadonlySet<string> = new Set(["08", "28", "3D", "53", "57", "58", "XX"]);

function throwStatementError(error: unknown): never {
  throw statementError(error);
}

/** What the server says of the statement becomes an error for who wrote it; all else stays. */
function statementError(error: unknown): unknown {
  const state = sqlState(error);
  if (error instanceof PgsluiceError || state === undefined) return error;
  // one that needs grants is told as such by the caller
  if (state === "42501" || SERVER_CLASSES.has(state.slice(0, 2))) return error;
  const { message, detail, hint, routine } = error as ServerError;
  if (state === "25006") {
    return new PgsluiceError("query-read-only", `a query may only read: ${message}`, {
      hint: "`pgsluice db psql`, or psql on a server of your own, for what changes data",
      cause: error,
    });
  }
  // where the server says it, whatever its language
  if (state === "42601" && routine === "exec_parse_message") {
    return new PgsluiceError("query-statement", "there is more than one statement", {
      hint: "ask them one by one",
      exitCode: EXIT.usage,
      cause: error,
    });
  }
  return new PgsluiceError(
    "query-statement",
    `${[message, detail].filter(Boolean).join(": ")} (SQLSTATE ${state})`,
    {
      hint: hint ?? hintFor(state),
      cause: error,
    },
  );
}

function hintFor(state: string): string {
  if (state === "42601") return "mend the statement there";
  return state.startsWith("42")
    ? "`pgsluice db psql` shows what there is, as with \\d user_events"
    : "the statement, or a value that it met, is at fault";
}

interface ServerError extends Error {
  readonly detail?: string;
  readonly hint?: string;
  readonly routine?: string;
}
