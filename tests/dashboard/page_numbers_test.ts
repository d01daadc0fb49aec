import { assertEquals } from "@std/assert";
import * as cli from "../../src/cli/number_format.ts";
import { formatMoney, moneyAsNumber, parseMoney } from "../../src/dashboard/page/money.js";
import {
  formatAge,
  formatAgo,
  formatBytes,
  formatCount,
  formatCountOf,
  formatDuration,
  formatRate,
  formatShare,
} from "../../src/dashboard/page/number_format.js";
import { numberOf, reportRows, textOf, timeOf } from "../../src/dashboard/page/report_rows.js";

function assertTable<T>(
  format: (value: T) => string,
  cases: readonly (readonly [value: T, text: string])[],
): void {
  assertEquals(cases.map(([value]) => format(value)), cases.map(([, text]) => text));
}

Deno.test("the page writes counts, sizes and durations as the command line does", () => {
  for (let value = 0.001; value < 1e15; value *= 1.37) {
    const whole = Math.round(value);
    assertEquals(formatCount(whole), cli.formatCount(whole));
    assertEquals(formatBytes(whole), cli.formatBytes(whole));
    assertEquals(formatDuration(value), cli.formatDuration(value));
  }
  assertEquals(formatCount(9_223_372_036_854_775_807n), "9,223,372,036,854,775,807");
});

Deno.test("ages are in whole seconds, and never negative", () => {
  assertTable(formatAge, [
    [-500, "0 s"],
    [999, "0 s"],
    [59_999, "59 s"],
    [60_000, "1m 00s"],
    [125_400, "2m 05s"],
    [3_720_000, "1h 02m"],
    [90_000_000, "1d 01h"],
  ]);
  assertTable(formatAgo, [[-5, "just now"], [999, "just now"], [1_000, "1 s ago"]]);
});

Deno.test("rates have a decimal only where it matters, and little is never nothing", () => {
  assertTable(formatRate, [
    [0, "0"],
    [0.001, "0.1"],
    [1.24, "1.2"],
    [9.94, "9.9"],
    [9.95, "10"],
    [1_234.4, "1,234"],
  ]);
});

Deno.test("shares are never told as all or nothing when they are not", () => {
  assertTable(formatShare, [
    [0, "0 %"],
    [0.0000001, "< 0.1 %"],
    [0.0193, "1.9 %"],
    [0.0994, "9.9 %"],
    [0.0996, "10 %"],
    [0.47, "47 %"],
    [0.994, "99.4 %"],
    [0.99999, "> 99.9 %"],
    [1, "100 %"],
    [1.2, "100 %"],
  ]);
  assertEquals([formatCountOf(1, "file"), formatCountOf(1_200, "file")], [
    "1 file",
    "1,200 files",
  ]);
});

Deno.test("money is added up without the rounding of doubles", () => {
  const amounts = ["0.10", "0.20", "9007199254740993.01", "-0.30", "7"];
  const sum = amounts.map((each) => parseMoney(each) ?? 0n).reduce((a, b) => a + b, 0n);
  assertEquals(formatMoney(sum), "9,007,199,254,741,000.01");
  assertTable((text: string) => formatMoney(parseMoney(text) ?? 0n), [
    ["0", "0.00"],
    ["1234567.5", "1,234,567.50"],
    ["0.005", "0.01"],
    ["-0.005", "-0.01"],
    ["-0.004", "0.00"],
    ["12.", "12.00"],
    ["0.1234567", "0.12"],
  ]);
  assertEquals([parseMoney("NaN"), parseMoney(""), parseMoney("1e5")], [null, null, null]);
  assertEquals(parseMoney(3), 3_000_000n);
  assertEquals(moneyAsNumber(1_500_000n), 1.5);
});

Deno.test("a report is read by the names of its columns, whichever it has", () => {
  const facts = {
    lookedAtMs: 0,
    tookMs: 1,
    sinceMs: null,
    untilMs: null,
    columns: ["b", "unknown", "a"],
    rows: [["1", null, 2], ["9007199254740993", "x", null]],
  };
  const rows = reportRows(facts);
  assertEquals(rows.map(({ a, b, c }) => [a, b, c]), [
    [2, "1", undefined],
    [null, "9007199254740993", undefined],
  ]);
  assertEquals(reportRows({ lookedAtMs: 0, error: "no", hint: null }), []);
  assertEquals(reportRows(undefined), []);
  assertEquals([null, undefined, "", "x", "1.5", 2].map(numberOf), [
    null,
    null,
    null,
    null,
    1.5,
    2,
  ]);
  assertEquals([null, undefined, 5, "x"].map(textOf), ["", "", "5", "x"]);
  assertEquals(["2026-03-14T10:05:00Z", "yesterday", 7, null].map(timeOf), [
    Date.UTC(2026, 2, 14, 10, 5),
    null,
    null,
    null,
  ]);
});
