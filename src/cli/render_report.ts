/** A report's answer for people: a table, and on a terminal pictures of the column worth one. */
import type { ReportColumn, ReportResult, ReportValue } from "../query/report.ts";
import { bar } from "./bar.ts";
import { displayWidth } from "./display_width.ts";
import { escapeControls } from "../escape_controls.ts";
import { cellAlignment, cellHeader, type CellOptions, formatCell } from "./query_cell.ts";
import { renderTable, type TableColumn, type TableOptions } from "./render_table.ts";
import { sparkline } from "./sparkline.ts";

/** Narrower bars can hardly be told apart, wider ones say no more. */
const MIN_BAR_WIDTH = 8;
const MAX_BAR_WIDTH = 24;
/** Rows whose bars are seen at one glance; of more a sparkline shows the course. */
const GLANCE_ROWS = 24;
const MIN_SPARKLINE_ROWS = 3;
const MIN_SPARKLINE_WIDTH = 8;
/** Groupings by time, and what a row of them is about, but for a day of 23 or 25 hours. */
const BY_TIME_MS: ReadonlyMap<string, number> = new Map([
  ["minute", 60_000],
  ["hour", 3_600_000],
  ["day", 86_400_000],
]);
/** Between two columns of a table. */
const GAP_WIDTH = 2;

export interface RenderedReport {
  readonly text: string;
  /** Names of columns for which the terminal is too narrow. */
  readonly omitted: readonly string[];
}

export interface ShownColumn extends TableColumn {
  readonly name: string;
  readonly cells: readonly string[];
  readonly isOfTime: boolean;
  /** However narrow the terminal is. */
  readonly isKept: boolean;
}

/**
 * @param options.maxWidth columns of the terminal; without it nothing is cut, left out or drawn, as
 * is right where the output goes to a file or a pipe
 */
export function renderReport(
  result: ReportResult,
  { timeZone, maxWidth }: { timeZone: string; maxWidth?: number },
): RenderedReport {
  const columns = shownColumns(result, timeZone);
  if (maxWidth === undefined) return { text: renderTable(tableOf(columns)), omitted: [] };
  const whole = columns.map((column, index) =>
    column.isOfTime || (index === 0 && isShort(column, maxWidth)) ? uncut(column) : column
  );
  const shown = fitting(whole, maxWidth);
  const bars = barColumn(result, { columns: shown, maxWidth });
  const table = renderTable({
    ...tableOf(bars === null ? shown : [...shown, bars]),
    maxWidth,
  });
  const course = bars === null || result.rows.length > GLANCE_ROWS
    ? courseLine(result, { columns: whole, maxWidth })
    : null;
  return {
    text: course === null ? table : `${course}\n\n${table}`,
    omitted: whole.filter((column) => !shown.includes(column)).map(({ name }) => name),
  };
}

/** The answer's columns, with their cells as people read them. */
export function shownColumns(
  { report, columns, rows }: ReportResult,
  timeZone: string,
): readonly ShownColumn[] {
  return columns.map((column, index) => {
    const values = rows.map((row) => row[index]!);
    const options = cellOptions(column, { values, timeZone });
    return {
      name: column.name,
      header: cellHeader(column, timeZone),
      align: cellAlignment(column),
      cells: values.map((value) => formatCell(value, options)),
      isOfTime: column.unit === "time" || column.unit === "date",
      isKept: index === 0 || column.name === report.bar,
    };
  });
}

function cellOptions(
  { unit }: ReportColumn,
  { values, timeZone }: { values: readonly ReportValue[]; timeZone: string },
): CellOptions {
  const isByMinute = values.every((value) => value === null || String(value).endsWith(":00Z"));
  return { unit, timeZone, precision: isByMinute ? "minute" : "second" };
}

/** A row's name is worth a third of the terminal. */
function isShort({ cells }: ShownColumn, maxWidth: number): boolean {
  return cells.every((cell) => displayWidth(cell) <= maxWidth / 3);
}

/**
 * Texts that mean little when they are cut, as columns at the left may be: all as wide as the
 * widest, they look the same at the right. Its zone is left out where it would widen the column.
 */
function uncut(column: ShownColumn): ShownColumn {
  if (column.align === "right") return column;
  const cells = column.cells.map(escapeControls);
  const width = [column.name, ...cells]
    .reduce((widest, cell) => Math.max(widest, displayWidth(cell)), 0);
  const padded = (text: string) => text + " ".repeat(width - displayWidth(text));
  return {
    ...column,
    align: "right",
    header: padded(displayWidth(column.header) <= width ? column.header : column.name),
    cells: cells.map(padded),
  };
}

function tableOf(columns: readonly ShownColumn[]): TableOptions {
  const rowCount = columns[0]?.cells.length ?? 0;
  return {
    columns,
    rows: Array.from({ length: rowCount }, (_, row) => columns.map(({ cells }) => cells[row]!)),
  };
}

/** Without the last ones that are too many even when texts are cut; two stay in any case. */
function fitting(columns: readonly ShownColumn[], maxWidth: number): readonly ShownColumn[] {
  let shown = columns;
  while (widthOf(renderTable({ ...tableOf(shown), maxWidth })) > maxWidth) {
    const surplus = shown.findLastIndex(({ isKept }) => !isKept);
    if (surplus === -1) break;
    shown = shown.filter((_, index) => index !== surplus);
  }
  return shown;
}

function widthOf(table: string): number {
  return table.split("\n").reduce((widest, line) => Math.max(widest, displayWidth(line)), 0);
}

/** Null where there is nothing to draw, or no room beside a table that is not cut. */
function barColumn(
  { report, columns: answered, rows }: ReportResult,
  { columns, maxWidth }: { columns: readonly ShownColumn[]; maxWidth: number },
): ShownColumn | null {
  const index = answered.findIndex(({ name }) => name === report.bar);
  const values = rows.map((row) => Number(row[index] ?? 0));
  const greatest = values.reduce((most, value) => Math.max(most, value), 0);
  const room = maxWidth - widthOf(renderTable(tableOf(columns))) - GAP_WIDTH;
  if (index === -1 || rows.length < 2 || greatest <= 0 || room < MIN_BAR_WIDTH) return null;
  const width = Math.min(room, MAX_BAR_WIDTH);
  return {
    name: "bar",
    header: "",
    align: "left",
    cells: values.map((value) => bar(value / greatest, width)),
    isOfTime: false,
    isKept: true,
  };
}

/** How the column worth a picture went over time, in one line; null if it is no matter of time. */
function courseLine(
  { report, by, columns: answered, rows }: ReportResult,
  { columns, maxWidth }: { columns: readonly ShownColumn[]; maxWidth: number },
): string | null {
  const index = answered.findIndex(({ name }) => name === report.bar);
  const slotMs = BY_TIME_MS.get(by ?? "");
  if (index === -1 || slotMs === undefined || rows.length < MIN_SPARKLINE_ROWS) return null;
  const values = rows.map((row) => Math.max(0, Number(row[index] ?? 0)));
  const greatest = values.reduce((most, value) => Math.max(most, value), 0);
  if (greatest === 0) return null;
  const { header, cells } = columns[index]!;
  const peak = values.indexOf(greatest);
  const after = `  at most ${cells[peak]!}, ${columns[0]!.cells[peak]!.trimEnd()}`;
  const width = maxWidth - displayWidth(`${header}  ${after}`);
  if (width < MIN_SPARKLINE_WIDTH) return null;
  const startsMs = rows.map((row) => Date.parse(String(row[0])));
  const firstMs = startsMs.reduce((first, startMs) => Math.min(first, startMs), Infinity);
  const course: number[] = [];
  values.forEach((value, row) => {
    course[Math.round((startsMs[row]! - firstMs) / slotMs)] = value;
  });
  // an array with holes, where there is no row
  return `${header}  ${sparkline(condensed(Array.from(course, (v) => v ?? 0), width))}${after}`;
}

/** Means of as many neighbours as it takes to make at most `length` of them. */
function condensed(values: readonly number[], length: number): number[] {
  const size = Math.ceil(values.length / length);
  const means: number[] = [];
  for (let from = 0; from < values.length; from += size) {
    const part = values.slice(from, from + size);
    means.push(part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  return means;
}
