import { assertEquals } from "@std/assert";
import { bar } from "../../src/cli/bar.ts";
import { cellHeader, formatCell } from "../../src/cli/query_cell.ts";
import { formatLocalTime } from "../../src/cli/query_time.ts";
import type { ReportUnit, ReportValue } from "../../src/query/report.ts";

const CELLS: readonly (readonly [unit: ReportUnit, value: ReportValue, text: string])[] = [
  ["text", "Lamp", "Lamp"],
  ["text", null, ""],
  ["date", "2026-03-14", "2026-03-14"],
  ["time", "2026-03-14T10:00:00Z", "2026-03-14 11:00"],
  ["count", 1234567, "1,234,567"],
  ["count", "9223372036854775807", "9,223,372,036,854,775,807"],
  ["money", "1999.5", "1,999.50"],
  ["money", "90071992547409931234.56", "90,071,992,547,409,931,234.56"],
  ["money", "0.333333333333", "0.33"],
  ["ratio", 0.1234, "12.3 %"],
  ["ratio", 0, "0.0 %"],
  ["ms", 12.34, "12 ms"],
  ["ms", 90_061_000, "1d 01h"],
  ["bytes", 1536, "1.5 KiB"],
  ["per_second", 12345.67, "12,345.7"],
];

for (const [unit, value, text] of CELLS) {
  Deno.test(`a ${unit} of ${value} reads ${JSON.stringify(text)}`, () => {
    const options = { unit, timeZone: "Europe/Berlin", precision: "minute" } as const;
    assertEquals(formatCell(value, options), text);
  });
}

Deno.test("a header has the unit that its cells do not have", () => {
  const header = (name: string, unit: ReportUnit) =>
    cellHeader({ name, unit, description: "" }, "UTC");
  assertEquals(header("hour", "time"), "hour (UTC)");
  assertEquals(header("p95_ms", "ms"), "p95");
  assertEquals(header("records_per_second", "per_second"), "records_per_second");
  assertEquals(header("rate", "per_second"), "rate (/s)");
  assertEquals(header("revenue", "money"), "revenue");
});

Deno.test("a local time that occurs twice says which one it is", () => {
  const said = (iso: string) =>
    formatLocalTime(iso, { timeZone: "Europe/Berlin", precision: "minute" });
  assertEquals(said("2026-10-24T23:30:00Z"), "2026-10-25 01:30");
  assertEquals(said("2026-10-25T00:30:00Z"), "2026-10-25 02:30 +02:00");
  assertEquals(said("2026-10-25T01:30:00Z"), "2026-10-25 02:30 +01:00");
  assertEquals(said("2026-10-25T02:30:00Z"), "2026-10-25 03:30");
  assertEquals(said("2026-03-29T01:00:00Z"), "2026-03-29 03:00");
});

Deno.test("a bar is exact to an eighth, and little is told from nothing", () => {
  const cases: readonly (readonly [share: number, text: string])[] = [
    [0, ""],
    [-1, ""],
    [NaN, ""],
    [0.0001, "▏"],
    [1 / 32, "▎"],
    [0.5, "████"],
    [5 / 8 / 8, "▋"],
    [1, "████████"],
    [2, "████████"],
  ];
  for (const [share, text] of cases) assertEquals(bar(share, 8), text, String(share));
});
