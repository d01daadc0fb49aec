import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { ReportPipeline } from "../query/find_report_pipeline.ts";
import type { Report, ReportResult } from "../query/report.ts";
import type { CommandContext, Terminal } from "./command.ts";
import { formatCount, formatDuration } from "./number_format.ts";
import { cellAlignment } from "./query_cell.ts";
import { type QueryFormat, TABLE_ROWS } from "./query_format.ts";
import { type OutputColumn, type RowFormat, rowWriter } from "./query_rows.ts";
import { withQuerySession } from "./query_session.ts";
import { renderReport, shownColumns } from "./render_report.ts";
import { suggestion } from "./suggestion.ts";
import { windowFromFlags } from "./window_flags.ts";
import { windowText } from "./window_text.ts";

/** @throws {PgsluiceError} `no-such-report` */
export async function reportNamed(name: string): Promise<Report> {
  const { REPORTS } = await import("../query/reports.ts");
  const report = REPORTS.get(name);
  if (report !== undefined) return report;
  const meant = suggestion(name, [...REPORTS.keys()]);
  const isStatement = /\s/.test(name.trim());
  throw new PgsluiceError("no-such-report", `there is no report ${JSON.stringify(name)}`, {
    hint: isStatement
      ? "a statement is given as --sql '…'"
      : meant === undefined
      ? "`pgsluice query --list` lists them"
      : `did you mean ${meant}?`,
    exitCode: EXIT.usage,
  });
}

/** Answers a report, and tells on stderr what the answer is about. */
export async function answerReport(
  context: CommandContext,
  { name, format, timeoutMs }: { name: string; format: QueryFormat; timeoutMs: number },
): Promise<void> {
  const { flags, terminal } = context;
  const report = await reportNamed(name);
  const windowIn = windowFromFlags(flags, { command: "query" });
  const by = flags.text("by");
  const { findReportPipeline } = await import("../query/find_report_pipeline.ts");
  const { runReport } = await import("../query/run_report.ts");
  const { pipeline, result } = await withQuerySession(context, async ({ sql }) => {
    const pipeline = await findReportPipeline(sql, flags.text("pipeline") ?? "default");
    const result = await runReport(sql, {
      pipeline,
      report,
      ...windowIn(pipeline.timeZone),
      ...(by !== undefined && { by }),
      statementTimeoutMs: timeoutMs,
    });
    return { pipeline, result };
  });
  if (format === "table") await writeTable(terminal, { result, pipeline });
  else await terminal.write(textOf(result, { pipeline, format }));
  terminal.say(captionOf(result, pipeline));
}

async function writeTable(
  terminal: Terminal,
  { result, pipeline }: { result: ReportResult; pipeline: ReportPipeline },
): Promise<void> {
  const rows = result.rows.slice(0, TABLE_ROWS);
  const { text, omitted } = renderReport({ ...result, rows }, {
    timeZone: pipeline.timeZone,
    ...(terminal.stdoutIsTerminal && { maxWidth: terminal.columns }),
  });
  const more = result.rows.length - rows.length;
  const note = more > 0 ? `… and ${formatCount(more)} more; --format csv has all\n` : "";
  await terminal.write(text + note);
  if (omitted.length === 0) return;
  terminal.say(`no room for ${omitted.join(", ")}: a wider terminal or a pipe has all`);
}

function textOf(
  result: ReportResult,
  { pipeline, format }: { pipeline: ReportPipeline; format: RowFormat },
): string {
  const { timeZone } = pipeline;
  const shown = format === "markdown" ? shownColumns(result, timeZone) : null;
  const rows = shown === null
    ? result.rows
    : result.rows.map((_, row) => shown.map(({ cells }) => cells[row]!));
  const columns = result.columns.map((column, index): OutputColumn => ({
    name: shown?.[index]?.header ?? column.name,
    align: cellAlignment(column),
    json: (value) => JSON.stringify(value),
  }));
  const writer = rowWriter(format, {
    columns,
    facts: {
      report: result.report.name,
      pipeline: pipeline.name,
      timeZone,
      window: {
        since: isoTime(result.window.sinceMs),
        until: isoTime(result.window.untilMs),
      },
      by: result.by,
      tookMs: result.tookMs,
      columns: result.columns.map(({ name, unit, description }) => ({ name, unit, description })),
    },
  });
  return writer.begin() + writer.rows(rows) + writer.end();
}

/** As in `hours of pipeline default, all there is; 24 rows in 3.1 ms`. */
function captionOf(
  { report, by, window, rows, tookMs }: ReportResult,
  { name, timeZone }: ReportPipeline,
): string {
  return `${report.name}${by === null ? "" : ` by ${by}`} of pipeline ${name}, ` +
    `${windowText(window, timeZone)}; ` +
    `${formatCount(rows.length)} ${rows.length === 1 ? "row" : "rows"} in ` +
    formatDuration(tookMs);
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString().replace(".000Z", "Z");
}
