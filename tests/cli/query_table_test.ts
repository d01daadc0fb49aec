/** Reports, lists and wide rows as they look on terminals of several widths. */
import { assertEquals } from "@std/assert";
import { displayWidth } from "../../src/cli/display_width.ts";
import { renderEntries } from "../../src/cli/render_entries.ts";
import { renderRecords } from "../../src/cli/render_records.ts";
import { renderReport } from "../../src/cli/render_report.ts";
import type { Report, ReportColumn, ReportResult, ReportValue } from "../../src/query/report.ts";

const REPORT: Report = {
  name: "traffic",
  question: "How much?",
  columns: [],
  cost: "",
  groupings: ["hour"],
  windowMs: null,
  clock: "event",
  inWholeMinutes: true,
  maxEvents: null,
  bar: "revenue",
  text: "",
};

const COLUMNS: readonly ReportColumn[] = [
  { name: "hour", unit: "time", description: "" },
  { name: "events", unit: "count", description: "" },
  { name: "conversion", unit: "ratio", description: "" },
  { name: "revenue", unit: "money", description: "" },
  { name: "wait_ms", unit: "ms", description: "" },
];

function answer(
  rows: readonly (readonly ReportValue[])[],
  { by = "hour", columns = COLUMNS }: { by?: string; columns?: readonly ReportColumn[] } = {},
): ReportResult {
  const window = { sinceMs: null, untilMs: null };
  return { report: REPORT, window, by, columns, rows, tookMs: 1 };
}

const HOURS = answer([
  ["2026-03-14T08:00:00Z", 1200, 0.25, "250.00", 12],
  ["2026-03-14T09:00:00Z", 0, null, "0.00", null],
  ["2026-03-14T10:00:00Z", 3, 1, "1000.00", 90_000],
]);

function lines(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

function widest(text: string): number {
  return Math.max(...lines(text).map(displayWidth));
}

Deno.test("a report in a pipe is a table, whole, with the zone of its times", () => {
  const { text, omitted } = renderReport(HOURS, { timeZone: "Europe/Berlin" });
  assertEquals(lines(text), [
    "hour (Europe/Berlin)  events  conversion   revenue    wait",
    "2026-03-14 09:00       1,200      25.0 %    250.00   12 ms",
    "2026-03-14 10:00           0                  0.00",
    "2026-03-14 11:00           3     100.0 %  1,000.00  1m 30s",
  ]);
  assertEquals(omitted, []);
});

Deno.test("a wide terminal shows bars beside a report", () => {
  const { text } = renderReport(HOURS, { timeZone: "Europe/Berlin", maxWidth: 200 });
  assertEquals(lines(text), [
    "hour              events  conversion   revenue    wait",
    "2026-03-14 09:00   1,200      25.0 %    250.00   12 ms  ██████",
    "2026-03-14 10:00       0                  0.00",
    "2026-03-14 11:00       3     100.0 %  1,000.00  1m 30s  ████████████████████████",
  ]);
});

Deno.test("a terminal without room for bars shows the course in one line", () => {
  const { text, omitted } = renderReport(HOURS, { timeZone: "UTC", maxWidth: 60 });
  assertEquals(lines(text), [
    "revenue  ▂ █  at most 1,000.00, 2026-03-14 10:00",
    "",
    "hour (UTC)        events  conversion   revenue    wait",
    "2026-03-14 08:00   1,200      25.0 %    250.00   12 ms",
    "2026-03-14 09:00       0                  0.00",
    "2026-03-14 10:00       3     100.0 %  1,000.00  1m 30s",
  ]);
  assertEquals(omitted, []);
});

Deno.test("a narrow terminal shows what it has room for, and the report names the rest", () => {
  const { text, omitted } = renderReport(HOURS, { timeZone: "UTC", maxWidth: 40 });
  assertEquals(lines(text), [
    "hour (UTC)        events   revenue",
    "2026-03-14 08:00   1,200    250.00",
    "2026-03-14 09:00       0      0.00",
    "2026-03-14 10:00       3  1,000.00",
  ]);
  assertEquals(omitted, ["conversion", "wait_ms"]);
});

Deno.test("a report of many rows has its course above bars as well, gaps and all, condensed", () => {
  const rowOf = (day: number): readonly ReportValue[] => [
    `2026-01-${String(day).padStart(2, "0")}`,
    String(day),
  ];
  const columns: readonly ReportColumn[] = [
    { name: "day", unit: "date", description: "" },
    { name: "revenue", unit: "money", description: "" },
  ];
  const days = Array.from({ length: 31 }, (_, index) => index + 1).filter((day) => day !== 10);
  const result = answer(days.map(rowOf), { by: "day", columns });
  const wide = lines(renderReport(result, { timeZone: "UTC", maxWidth: 120 }).text);
  assertEquals(wide.slice(0, 4), [
    "revenue  ▁▁▁▂▂▂▂▃▃ ▃▄▄▄▄▅▅▅▅▆▆▆▆▇▇▇▇████  at most 31.00, 2026-01-31",
    "",
    "day (UTC)   revenue",
    "2026-01-01     1.00  ▊",
  ]);
  const narrow = lines(renderReport(result, { timeZone: "UTC", maxWidth: 50 }).text);
  assertEquals(narrow[0], "revenue  ▁▂▃▂▄▅▆▆▇██  at most 31.00, 2026-01-31");
});

Deno.test("no picture is drawn of one row, of nothing, or of what is no course", () => {
  const options = { timeZone: "UTC", maxWidth: 200 };
  const pictures = /[▁-█▏▎▍▌▋▊▉]/;
  const one = answer([["2026-03-14T08:00:00Z", 1, 1, "5.00", 1]]);
  const nothing = answer(HOURS.rows.map((row) => [row[0]!, 0, 0, "0.00", null]));
  for (const result of [one, nothing, answer([])]) {
    assertEquals(pictures.test(renderReport(result, options).text), false);
  }
  const columns: readonly ReportColumn[] = [
    { name: "category", unit: "text", description: "" },
    { name: "revenue", unit: "money", description: "" },
  ];
  const rows = Array.from({ length: 40 }, (_, index) => [`category ${index}`, String(index)]);
  const { text } = renderReport(answer(rows, { by: "category", columns }), options);
  assertEquals(lines(text)[0], "category     revenue");
});

Deno.test("what a row is about is not cut before all else", () => {
  const columns: readonly ReportColumn[] = [
    { name: "reason", unit: "text", description: "" },
    { name: "rejects", unit: "count", description: "" },
    { name: "last_file", unit: "text", description: "" },
  ];
  const rows = [["missing_value", 12, "events-00000001.csv"], ["x\ty", 1, "b.csv"]];
  const at = (maxWidth: number) =>
    lines(renderReport(answer(rows, { columns }), { timeZone: "UTC", maxWidth }).text);
  assertEquals(at(40), [
    "reason         rejects  last_file",
    "missing_value       12  events-00000001…",
    String.raw`x\ty                 1  b.csv`,
  ]);
  assertEquals(at(36), [
    "reason        rejects  last_file",
    "missing_val…       12  events-00000…",
    String.raw`x\ty                1  b.csv`,
  ]);
});

Deno.test("times to the second are shown to the second", () => {
  const columns: readonly ReportColumn[] = [{ name: "last_at", unit: "time", description: "" }];
  const rows = [["2026-03-14T08:00:00Z"], ["2026-03-14T08:00:01.250Z"], [null]];
  const { text } = renderReport(answer(rows, { columns }), { timeZone: "UTC" });
  assertEquals(lines(text), ["last_at (UTC)", "2026-03-14 08:00:00", "2026-03-14 08:00:01", ""]);
});

Deno.test("a report fits every terminal that has room for its first column and its picture", () => {
  const columns: readonly ReportColumn[] = [
    { name: "product", unit: "text", description: "" },
    { name: "name", unit: "text", description: "" },
    ...COLUMNS.slice(1),
  ];
  const rows = HOURS.rows.map((row, index) => [
    String(index),
    "天地 a very long name of a product that nobody can read to its end",
    ...row.slice(1),
  ]);
  for (const maxWidth of [30, 40, 60, 80, 120, 200]) {
    const { text } = renderReport(answer(rows, { columns }), { timeZone: "UTC", maxWidth });
    assertEquals(widest(text) <= maxWidth, true, text);
  }
});

Deno.test("rows too wide for a table are written a value a line, cut to the terminal", () => {
  assertEquals(
    renderRecords({
      names: ["id", "product_name"],
      rows: [["1", "Lamp\nwith a very long name"], ["2", ""]],
      maxWidth: 30,
    }),
    "row 1\n  id            1\n  product_name  Lamp\\nwith a …\n\n" +
      "row 2\n  id            2\n  product_name\n",
  );
});

Deno.test("a list that is too wide is wrapped beside its names", () => {
  const entries = [
    { name: "traffic", texts: ["How much was viewed and bought over time?", "by hour"] },
    { name: "top", texts: ["Which products?"] },
  ];
  assertEquals(lines(renderEntries(entries, 30)), [
    "traffic  How much was viewed",
    "         and bought over time?",
    "         by hour",
    "top      Which products?",
  ]);
});
