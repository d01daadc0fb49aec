import type { Report } from "../query/report.ts";
import type { Terminal } from "./command.ts";
import { displayWidth } from "./display_width.ts";
import { formatDuration } from "./number_format.ts";
import type { QueryFormat } from "./query_format.ts";
import { type OutputColumn, rowWriter } from "./query_rows.ts";
import { renderEntries } from "./render_entries.ts";
import { renderTable, type TableColumn } from "./render_table.ts";

/** Lists the reports that there are. */
export async function listReports(
  terminal: Terminal,
  { reports, format }: { reports: readonly Report[]; format: QueryFormat },
): Promise<void> {
  if (format === "json" || format === "ndjson") {
    const objects = reports.map((report) => JSON.stringify(factsOf(report)));
    await terminal.write(
      format === "ndjson"
        ? objects.map((object) => `${object}\n`).join("")
        : `{"reports":[${objects.join(",")}]}\n`,
    );
    return;
  }
  const names = ["report", "question", "by", "window"];
  const rows = reports.map((report) => [
    report.name,
    report.question,
    report.groupings.join(", "),
    windowText(report),
  ]);
  const list = renderList({ names, rows, format });
  if (format !== "table" || !isTooWide(list, terminal)) return await terminal.write(list);
  const entries = rows.map(([name, question, by, window]) => ({
    name: name!,
    texts: [question!, `${by === "" ? "" : `by ${by}; `}${window}`],
  }));
  await terminal.write(renderEntries(entries, terminal.columns));
}

/** Says of one report all that there is to know. */
export async function describeReport(
  terminal: Terminal,
  { report, format }: { report: Report; format: QueryFormat },
): Promise<void> {
  if (format === "json" || format === "ndjson") {
    await terminal.write(`${JSON.stringify(factsOf(report))}\n`);
    return;
  }
  const names = ["column", "unit", "description"];
  const rows = report.columns.map(({ name, unit, description }) => [name, unit, description]);
  const list = renderList({ names, rows, format });
  if (format !== "table") return await terminal.write(list);
  const facts = [
    { name: report.name, texts: [report.question] },
    { name: "by", texts: [report.groupings.join(", ") || "nothing"] },
    { name: "window", texts: [`${windowText(report)}, to the newest ${report.clock}`] },
    { name: "cost", texts: [report.cost] },
  ];
  const width = terminal.stdoutIsTerminal ? terminal.columns : Infinity;
  const entries = rows.map(([name, unit, text]) => ({ name: name!, texts: [`${unit}: ${text}`] }));
  await terminal.write(
    `${renderEntries(facts, width)}\n` +
      (isTooWide(list, terminal) ? renderEntries(entries, width) : list),
  );
}

function factsOf({ name, question, groupings, windowMs, clock, cost, bar, columns }: Report) {
  return { name, question, groupings, windowMs, clock, cost, bar, columns };
}

function renderList({ names, rows, format }: {
  names: readonly string[];
  rows: readonly (readonly string[])[];
  format: "table" | "csv" | "markdown";
}): string {
  if (format === "table") {
    return renderTable({
      columns: names.map((header): TableColumn => ({ header, align: "left" })),
      rows,
    });
  }
  const columns = names.map((name): OutputColumn => ({
    name,
    align: "left",
    json: JSON.stringify,
  }));
  const writer = rowWriter(format, { columns, facts: {} });
  return writer.begin() + writer.rows(rows) + writer.end();
}

function isTooWide(table: string, { stdoutIsTerminal, columns }: Terminal): boolean {
  return stdoutIsTerminal && table.split("\n").some((line) => displayWidth(line) > columns);
}

/** As in `the last 24h`: as it is written in a flag. */
function windowText({ windowMs }: Report): string {
  if (windowMs === null) return "all there is";
  const hours = windowMs / 3_600_000;
  if (!Number.isInteger(hours)) return `the last ${formatDuration(windowMs)}`;
  return `the last ${hours > 24 && hours % 24 === 0 ? `${hours / 24}d` : `${hours}h`}`;
}
