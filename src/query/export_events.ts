import type { TransactionSql } from "postgres";
import type { DatabaseClient } from "../database/connect.ts";
import { copyOut } from "../database/copy_out.ts";
import { isConnectionError } from "../database/fault.ts";
import { quoteIdentifier, tableName } from "../database/quote_identifier.ts";
import type { Schema, SourceColumn } from "../schema/schema.ts";
import { csvFormat } from "./export_csv.ts";
import type { ExportFormat } from "./export_format.ts";
import { ndjsonFormat } from "./export_ndjson.ts";
import { ExportOutput } from "./export_output.ts";
import { ExportRows } from "./export_rows.ts";
import { type ExportRequest, exportWindow } from "./export_window.ts";
import type { ReportPipeline } from "./find_report_pipeline.ts";
import type { ReportWindow } from "./report.ts";

const FORMATS = { csv: csvFormat, ndjson: ndjsonFormat } as const;

export type ExportFormatName = keyof typeof FORMATS;

/**
 * Until the server has something to send it would not notice that nobody is there to take it; not
 * every server can look.
 */
const CHECK_INTERVAL = "250ms";

/** For a piece that is being written when the export is given up, so that it ends with a line. */
const SETTLE_TIMEOUT_MS = 1_000;

/**
 * For the transaction. Rows come in the order of the table, from its beginning, so that the same
 * table gives the same bytes; and a reader may take as long as it likes.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  synchronize_seqscans: "off",
  max_parallel_workers_per_gather: "0",
  statement_timeout: "0",
  // or a connection that is not read for a minute would be taken for a dead one
  tcp_user_timeout: "0",
};

export interface ExportOptions {
  readonly pipeline: ReportPipeline;
  readonly schema: Schema;
  readonly request: ExportRequest;
  readonly format: ExportFormatName;
  /** Takes pieces in order, each whole lines, good until the promise resolves. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Called after each piece. */
  readonly onProgress: (progress: ExportProgress) => void;
  readonly signal: AbortSignal;
}

export interface ExportProgress {
  /** Made so far, the last of them perhaps not written yet. */
  readonly rowCount: number;
  /** Written so far. */
  readonly sizeBytes: number;
}

export interface ExportedEvents extends ExportProgress {
  readonly window: ReportWindow;
}

/**
 * Writes the rows of the pipeline's table whose events are in the window, from one snapshot, in the
 * order in which the table has them. Only what arrives in the CSV is written, so that it can be
 * loaded again. What is written ends with a whole line, whatever happens, unless the writer has
 * stalled. Memory does not grow with the table; a writer that takes its time makes the server wait.
 *
 * @param client of one connection, which is destroyed if it was not the server that failed
 * @throws PgsluiceError those of `exportWindow`; what the database says, what `write` rejects with,
 * or the signal's reason
 */
export async function exportEvents(
  client: DatabaseClient,
  options: ExportOptions,
): Promise<ExportedEvents> {
  const { columns } = options.schema;
  const format: ExportFormat = FORMATS[options.format](columns.map(({ name }) => name));
  const rows = new ExportRows(columns, format);
  let sizeBytes = 0;
  const output = new ExportOutput({
    write: options.write,
    onWritten(pieceBytes) {
      sizeBytes += pieceBytes;
      options.onProgress({ rowCount: rows.rowCount, sizeBytes });
    },
  });
  output.buffer.putBytes(format.head);
  let fault: unknown;
  try {
    await lookAfterReader(client);
    const window = await client.sql.begin(
      "isolation level repeatable read read only",
      (snapshot) =>
        copyWindow(snapshot, { client, options, rows, output }).catch((error) => {
          // the transaction would tell how it ended once the client is destroyed, not why
          fault = error;
          throw error;
        }),
    );
    await unlessAborted(output.finish(), options.signal);
    return { window, rowCount: rows.rowCount, sizeBytes };
  } catch (error) {
    await settled(output);
    throw fault ?? error;
  }
}

async function copyWindow(
  snapshot: TransactionSql,
  { client, options, rows, output }: {
    client: DatabaseClient;
    options: ExportOptions;
    rows: ExportRows;
    output: ExportOutput;
  },
): Promise<ReportWindow> {
  const { pipeline, schema, request, signal } = options;
  for (const [name, value] of Object.entries(SETTINGS)) {
    await snapshot`select set_config(${name}, ${value}, true)`;
  }
  const window = await exportWindow(snapshot, { pipeline, request });
  await copyOut(snapshot, {
    client,
    statement: copyStatement(pipeline, { columns: schema.columns, window }),
    onRow: (bytes, at, end) => rows.put(output.buffer, bytes, at, end),
    untilRoom: () => output.handOn(),
    signal,
  });
  return window;
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Waits for the piece that is being written. */
async function settled(output: ExportOutput): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, SETTLE_TIMEOUT_MS));
  await Promise.race([output.settle().catch(() => {}), timeout]);
  clearTimeout(timer);
}

async function lookAfterReader({ sql }: DatabaseClient): Promise<void> {
  await sql`select set_config('client_connection_check_interval', ${CHECK_INTERVAL}, false)`
    .catch((error) => {
      if (isConnectionError(error)) throw error;
    });
}

/** Types are said, for it is them that the bytes are read as. */
function copyStatement(
  { targetTable }: ReportPipeline,
  { columns, window }: { columns: readonly SourceColumn[]; window: ReportWindow },
): string {
  const selected = columns.map(({ name, type }) => `${quoteIdentifier(name)}::${type}`);
  const conditions = [
    boundSql(columns, ">=", window.sinceMs),
    boundSql(columns, "<", window.untilMs),
  ].filter((condition) => condition !== null);
  const where = conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
  // what the ledger has is read as a name and quoted anew
  const table = tableName(targetTable).quoted;
  return `copy (select ${selected.join(", ")} from ${table}${where}) to stdout (format binary)`;
}

function boundSql(
  columns: readonly SourceColumn[],
  operator: string,
  boundMs: number | null,
): string | null {
  if (boundMs === null) return null;
  const time = columns.find(({ type }) => type === "timestamptz");
  if (time === undefined) throw new TypeError("the schema has no time");
  return `${quoteIdentifier(time.name)} ${operator} to_timestamp(${boundMs}::float8 / 1000)`;
}
