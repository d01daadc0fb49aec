import type { TransactionSql } from "postgres";
import type { Sql } from "../database/connect.ts";
import { sqlState } from "../database/fault.ts";
import { tableName } from "../database/quote_identifier.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { ReportPipeline } from "./find_report_pipeline.ts";
import { type Report, type ReportColumn, type ReportResult, TIME_GROUPINGS } from "./report.ts";
import { reportStatement } from "./report_statement.ts";
import { readReportValue } from "./report_value.ts";
import { resolveWindow } from "./report_window.ts";

export interface ReportRequest {
  readonly pipeline: ReportPipeline;
  readonly report: Report;
  /** ms since 1970: obeyed as it is. */
  readonly sinceMs?: number;
  /** ms before the window's end, if `sinceMs` is not given; the report's own unless given. */
  readonly sinceAgoMs?: number;
  /** ms since 1970; unless given, just after what is newest, and never later than now. */
  readonly untilMs?: number;
  /** The report's first grouping unless given. */
  readonly by?: string;
  /** The longest that a statement may take, 0 for no limit; what the session has unless given. */
  readonly statementTimeoutMs?: number;
}

/** So much a sort or a hash of the one statement may take before it goes to disk. */
const WORK_MEMORY = "32MB";

/**
 * Answers a report from one snapshot, in a transaction that can write nothing.
 *
 * @throws PgsluiceError `no-such-grouping`, `no-minutes`, `empty-window`, `window-too-long` or
 * `query-timeout`; else what the database says, as postgres.js has it
 */
export async function runReport(sql: Sql, request: ReportRequest): Promise<ReportResult> {
  const by = groupingOf(request);
  try {
    return await sql.begin(
      "isolation level repeatable read read only",
      (snapshot) => answer(snapshot, { ...request, by }),
    );
  } catch (error) {
    throw isTimeout(error, request) ? tookTooLong(request) : error;
  }
}

async function answer(
  snapshot: TransactionSql,
  request: Omit<ReportRequest, "by"> & { readonly by: string | null },
): Promise<ReportResult> {
  const { pipeline, report, by, statementTimeoutMs } = request;
  // Compiling a plan takes longer than most of these take to run. And the newest events are newer
  // than the table's statistics, by which there are none: to meet a few rows in a loop would seem
  // cheap, and take seconds.
  await snapshot`
    select
      set_config('jit', 'off', true),
      set_config('enable_nestloop', ${report.clock === "event" ? "off" : "on"}, true),
      set_config('work_mem', ${WORK_MEMORY}, true),
      set_config(
        'statement_timeout',
        coalesce(${statementTimeoutMs?.toFixed() ?? null}, current_setting('statement_timeout')),
        true
      )`;
  const startMs = performance.now();
  const window = await resolveWindow(snapshot, request);
  if (report.maxEvents !== null) {
    // its window is a small part of the table, which the table's statistics may not say yet after
    // a large load: the index is never much slower
    await snapshot`select set_config('enable_seqscan', 'off', true)`;
  }
  const { text, parameters } = reportStatement(report.text, {
    // what the ledger has is read as a name and quoted anew before it becomes part of the text
    identifiers: { table: tableName(pipeline.targetTable).quoted },
    values: {
      table: pipeline.targetTable,
      pipeline_id: String(pipeline.pipelineId),
      time_zone: pipeline.timeZone,
      since: boundText(window.sinceMs, "-infinity"),
      until: boundText(window.untilMs, "infinity"),
      by: by ?? "",
    },
  });
  const found = await snapshot.unsafe(text, [...parameters]).values();
  const tookMs = performance.now() - startMs;
  const columns = columnsOf(report, by);
  const rows = found.map((row: unknown[]) =>
    columns.map(({ column, place }) => readReportValue(row[place], column, pipeline.timeZone))
  );
  return { report, window, by, columns: columns.map(({ column }) => column), rows, tookMs };
}

function groupingOf({ report, by }: ReportRequest): string | null {
  if (by === undefined) return report.groupings[0] ?? null;
  if (report.groupings.includes(by)) return by;
  throw new PgsluiceError("no-such-grouping", `report ${report.name} cannot group by ${by}`, {
    hint: report.groupings.length === 0
      ? "leave --by out: it has one form only"
      : `it groups by ${report.groupings.join(", ")}`,
    exitCode: EXIT.usage,
  });
}

const CANCELED = "57014";

function isTimeout(error: unknown, { statementTimeoutMs }: ReportRequest): boolean {
  return statementTimeoutMs !== undefined && statementTimeoutMs > 0 && sqlState(error) === CANCELED;
}

function tookTooLong({ report, statementTimeoutMs }: ReportRequest): PgsluiceError {
  return new PgsluiceError(
    "query-timeout",
    `report ${report.name} took longer than ${statementTimeoutMs! / 1000} s, and was told to stop`,
    {
      hint: "--timeout 10m lets it take longer, --timeout 0s as long as it will; or ask for less " +
        "with --since",
    },
  );
}

/** ISO 8601, which the server reads whatever its settings. */
function boundText(ms: number | null, open: string): string {
  return ms === null ? open : new Date(ms).toISOString();
}

/** Those of the answer, each with its place among what the SQL selects. */
function columnsOf(
  report: Report,
  by: string | null,
): { readonly column: ReportColumn; readonly place: number }[] {
  return report.columns
    .map((column, place) => ({ column: nameGrouping(column, by), place }))
    .filter(({ column }) => column.onlyBy === undefined || column.onlyBy === by);
}

/** Column `by` holds what is grouped by. */
function nameGrouping(column: ReportColumn, by: string | null): ReportColumn {
  if (column.name !== "by" || by === null) return column;
  if (!TIME_GROUPINGS.includes(by)) return { ...column, name: by };
  return { ...column, name: by, unit: by === "day" ? "date" : "time" };
}
