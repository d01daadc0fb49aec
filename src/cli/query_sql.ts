import { PgsluiceError } from "../pgsluice_error.ts";
import type { QueryColumn, QueryRow } from "../query/read_only_query.ts";
import { statementPlace } from "../query/statement_place.ts";
import type { CommandContext, Terminal } from "./command.ts";
import { displayWidth } from "./display_width.ts";
import { formatCount, formatDuration } from "./number_format.ts";
import { type QueryFormat, TABLE_ROWS } from "./query_format.ts";
import { type OutputColumn, rowWriter } from "./query_rows.ts";
import { withQuerySession } from "./query_session.ts";
import { renderPlace } from "./render_place.ts";
import { renderRecords } from "./render_records.ts";
import { renderTable, type TableColumn } from "./render_table.ts";

export interface SqlQuery {
  readonly statement: string;
  readonly format: QueryFormat;
  readonly timeoutMs: number;
}

/** Writes what a statement gives, as it comes, and tells on stderr how much it was. */
export async function answerSql(context: CommandContext, query: SqlQuery): Promise<void> {
  const { terminal } = context;
  const { readOnlyQuery } = await import("../query/read_only_query.ts");
  const { statement, timeoutMs } = query;
  const sink = query.format === "table"
    ? new TableSink(terminal)
    : new StreamSink(terminal, query.format);
  let rowCount = 0;
  const tookMs = await withQuerySession(
    context,
    async ({ sql, stop }) =>
      await readOnlyQuery(sql, { statement, timeoutMs, stop }, {
        columns: async (columns) => await sink.columns(columns),
        rows: async (rows) => {
          rowCount += rows.length;
          return await sink.rows(rows);
        },
      }).catch((error) => {
        throw withPlace(error, { statement, terminal });
      }),
  );
  await sink.end();
  if (sink.isCut) return terminal.say(`the first rows in ${formatDuration(tookMs)}`);
  const noun = rowCount === 1 ? "row" : "rows";
  terminal.say(`${formatCount(rowCount)} ${noun} in ${formatDuration(tookMs)}`);
}

/** Where the rows go. */
interface RowSink {
  /** There were more rows than it takes. */
  readonly isCut: boolean;
  columns(columns: readonly QueryColumn[]): Promise<void> | void;
  /** @returns false if it wants no more */
  rows(rows: readonly QueryRow[]): Promise<boolean> | boolean;
  end(): Promise<void>;
}

class StreamSink implements RowSink {
  readonly isCut = false;
  readonly #terminal: Terminal;
  readonly #format: Exclude<QueryFormat, "table">;
  #writer: ReturnType<typeof rowWriter> | null = null;
  #isBegun = false;

  constructor(terminal: Terminal, format: Exclude<QueryFormat, "table">) {
    this.#terminal = terminal;
    this.#format = format;
  }

  columns(columns: readonly QueryColumn[]): void {
    this.#writer = rowWriter(this.#format, {
      columns: columns.map(outputColumn),
      facts: { columns: columns.map(({ name, type }) => ({ name, type })) },
    });
  }

  async rows(rows: readonly QueryRow[]): Promise<boolean> {
    await this.#terminal.write(this.#begin() + this.#writer!.rows(rows));
    return true;
  }

  async end(): Promise<void> {
    await this.#terminal.write(this.#begin() + this.#writer!.end());
  }

  /** Not before the statement has given something, for it may fail. */
  #begin(): string {
    if (this.#isBegun) return "";
    this.#isBegun = true;
    return this.#writer!.begin();
  }
}

class TableSink implements RowSink {
  readonly #terminal: Terminal;
  #columns: readonly QueryColumn[] = [];
  readonly #rows: string[][] = [];
  isCut = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  columns(columns: readonly QueryColumn[]): void {
    this.#columns = columns;
  }

  rows(rows: readonly QueryRow[]): boolean {
    const room = TABLE_ROWS - this.#rows.length;
    for (const row of rows.slice(0, room)) this.#rows.push(row.map((value) => value ?? ""));
    this.isCut = rows.length > room;
    return !this.isCut;
  }

  async end(): Promise<void> {
    if (this.#columns.length === 0) return;
    const more = this.isCut ? "… and more; --format csv has all\n" : "";
    await this.#terminal.write(this.#render() + more);
  }

  /** A table; rows that are too wide for the terminal one value a line. */
  #render(): string {
    const columns = this.#columns.map((column): TableColumn => ({
      header: column.name,
      align: isNumber(column) ? "right" : "left",
    }));
    const rows = this.#rows;
    if (!this.#terminal.stdoutIsTerminal) return renderTable({ columns, rows });
    const maxWidth = this.#terminal.columns;
    const table = renderTable({ columns, rows, maxWidth });
    const isTooWide = table.split("\n").some((line) => displayWidth(line) > maxWidth);
    if (!isTooWide || rows.length === 0) return table;
    return renderRecords({ names: columns.map(({ header }) => header), rows, maxWidth });
  }
}

/** Object identifiers of types, as `pg_type.dat` of PostgreSQL has them for ever. */
const BOOLEAN = 16;
const BIGINT = 20;
const NUMERIC = 1700;
const MONEY = 790;
const SMALL_WHOLE: ReadonlySet<number> = new Set([21, 23, 26]);
const FLOATS: ReadonlySet<number> = new Set([700, 701]);
const JSONS: ReadonlySet<number> = new Set([114, 3802]);

function isNumber({ typeOid }: QueryColumn): boolean {
  return SMALL_WHOLE.has(typeOid) || FLOATS.has(typeOid) ||
    [BIGINT, NUMERIC, MONEY].includes(typeOid);
}

/** In JSON: numbers where a double holds them exactly, and what is JSON as it is; else text. */
function outputColumn(column: QueryColumn): OutputColumn {
  const { name, typeOid } = column;
  return {
    name,
    align: isNumber(column) ? "right" : "left",
    json(value) {
      const text = String(value);
      if (typeOid === BOOLEAN) return text === "t" ? "true" : "false";
      const isExact = SMALL_WHOLE.has(typeOid) ||
        (typeOid === BIGINT && Number.isSafeInteger(Number(text))) ||
        (FLOATS.has(typeOid) && Number.isFinite(Number(text)));
      if (isExact) return text;
      // between its tokens only, for in a string they would be escaped
      if (JSONS.has(typeOid)) return text.replace(/[\r\n]/g, " ");
      return JSON.stringify(text);
    },
  };
}

/** Shows on stderr where the error is, if the server said it, and says it in the message too. */
function withPlace(
  error: unknown,
  { statement, terminal }: { statement: string; terminal: Terminal },
): unknown {
  if (!(error instanceof PgsluiceError && error.code === "query-statement")) return error;
  const { position } = (error.cause ?? {}) as { position?: string };
  const place = statementPlace(statement, position);
  if (place === undefined) return error;
  const { line, character } = place;
  const said = `line ${line}, character ${character}`;
  terminal.log({
    level: "error",
    event: "statement",
    message: `the statement is wrong at ${said}`,
    text: renderPlace(place, terminal.columns),
    fields: { line, character },
  });
  return new PgsluiceError("query-statement", `${said}: ${error.message}`, {
    hint: error.hint,
    exitCode: error.exitCode,
    cause: error.cause,
  });
}
