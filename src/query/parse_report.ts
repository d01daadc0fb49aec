import type { Report, ReportColumn, ReportUnit } from "./report.ts";

const UNITS: readonly ReportUnit[] = [
  "text",
  "time",
  "date",
  "count",
  "money",
  "ratio",
  "ms",
  "bytes",
  "per_second",
];

const MINUTE_MS = 60_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  min: MINUTE_MS,
  h: 60 * MINUTE_MS,
  d: 24 * 60 * MINUTE_MS,
};

const NAME = /^[a-z]+$/;
const COLUMN = /^([a-z0-9_]+): ([a-z_]+)(?: \(by ([a-z_]+)\))?, (\S.*)$/;
const WINDOW =
  /^(?:(\d+) (min|h|d)|everything) by (event|commit)( in whole minutes)?(?:, at most (\d+) events)?$/;
/** Depth of what goes on with the line above it. */
const CONTINUED = /^ {2,}/;

/**
 * Reads the comments that a file of `sql/reports` begins with:
 * ```sql
 * -- How much was viewed and bought?
 * --
 * -- cost: the minutes' sums; 10 ms for a day
 * -- by: hour, minute, day
 * -- window: 24 h by event in whole minutes
 * -- bar: revenue
 * -- columns:
 * -- by: time, start of the minute, hour or day
 * -- events: count, events of every type
 *
 * select …
 * ```
 * `by` and `bar` may be missing. A window is `N min|h|d` or `everything`, then `by event` or
 * `by commit`, then maybe `in whole minutes`, then maybe `, at most N events`. A column is
 * `name: unit, description`; `name: unit (by product), …` is in answers by product only. A line that
 * begins with two blanks more goes on with the one above it.
 *
 * @throws TypeError that names the file, and what is wrong
 */
export function parseReport(name: string, file: string): Report {
  const wrong = (what: string) => new TypeError(`sql/reports/${name}.sql: ${what}`);
  if (!NAME.test(name)) throw wrong("a report's name is one lower-case word");
  const end = file.search(/^(?!--)/m);
  const lines = headerLines(file.slice(0, end)) ?? [];
  const text = file.slice(end).trim();
  if (!/^(?:with|select)\b/.test(text)) throw wrong("expected with or select after the comments");
  const [question, gap, ...rest] = lines;
  if (question === undefined || !/^[A-Z].*\?$/.test(question)) {
    throw wrong("expected its first line to be a sentence that ends in a question mark");
  }
  if (gap !== "") throw wrong("expected an empty comment after the question");
  const columnsAt = rest.indexOf("columns:");
  if (columnsAt < 0) throw wrong("expected `columns:`");
  const facts = new Map<string, string>();
  for (const line of rest.slice(0, columnsAt)) {
    const match = /^(cost|by|window|bar): (\S.*)$/.exec(line);
    if (match === null) throw wrong(`expected cost, by, window or bar, found ${line}`);
    if (facts.has(match[1]!)) throw wrong(`${match[1]} stands there twice`);
    facts.set(match[1]!, match[2]!);
  }
  const cost = facts.get("cost");
  if (cost === undefined) throw wrong("expected `cost:`");
  const window = WINDOW.exec(facts.get("window") ?? "");
  if (window === null) throw wrong(`window: ${facts.get("window") ?? "missing"}`);
  const [, number, unit, clock, inWholeMinutes, maxEvents] = window;
  const groupings = facts.get("by")?.split(", ") ?? [];
  const columns = rest.slice(columnsAt + 1).map((line) => {
    const column = parseColumn(line);
    if (column === null) throw wrong(`expected \`name: unit, description\`, found ${line}`);
    return column;
  });
  if (columns.length === 0) throw wrong("expected columns");
  const names = columns.map((column) => column.name);
  if (new Set(names).size < names.length) throw wrong("two columns have the same name");
  const bar = facts.get("bar") ?? null;
  if (bar !== null && !names.includes(bar)) throw wrong(`bar: there is no column ${bar}`);
  for (const by of [...groupings, ...columns.flatMap(({ onlyBy }) => onlyBy ?? [])]) {
    if (!groupings.includes(by) || !NAME.test(by)) throw wrong(`it cannot group by ${by}`);
  }
  return {
    name,
    question,
    columns,
    cost,
    groupings,
    windowMs: number === undefined ? null : Number(number) * UNIT_MS[unit!]!,
    clock: clock as Report["clock"],
    inWholeMinutes: inWholeMinutes !== undefined,
    maxEvents: maxEvents === undefined ? null : Number(maxEvents),
    bar,
    text,
  };
}

/** Without the dashes; what goes on is put together. */
function headerLines(header: string): string[] {
  const lines: string[] = [];
  for (const line of header.trimEnd().split("\n")) {
    const content = line.replace(/^-- ?/, "").trimEnd();
    if (CONTINUED.test(content) && lines.length > 0) {
      lines.push(`${lines.pop()} ${content.trimStart()}`);
    } else {
      lines.push(content);
    }
  }
  return lines;
}

function parseColumn(line: string): ReportColumn | null {
  const match = COLUMN.exec(line);
  if (match === null) return null;
  const [, name, unit, onlyBy, description] = match;
  if (!(UNITS as readonly string[]).includes(unit!)) return null;
  return {
    name: name!,
    unit: unit as ReportUnit,
    description: description!,
    ...(onlyBy !== undefined && { onlyBy }),
  };
}
