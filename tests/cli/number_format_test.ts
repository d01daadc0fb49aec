import { assertEquals } from "@std/assert";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
} from "../../src/cli/number_format.ts";

function assertTable<T>(
  format: (value: T) => string,
  cases: readonly (readonly [value: T, text: string])[],
): void {
  assertEquals(cases.map(([value]) => format(value)), cases.map(([, text]) => text));
}

Deno.test("counts have thousands separators, also past what a double holds", () => {
  assertTable<number | bigint>(formatCount, [
    [0, "0"],
    [999, "999"],
    [1_234_567, "1,234,567"],
    [-1_000, "-1,000"],
    [9_223_372_036_854_775_807n, "9,223,372,036,854,775,807"],
  ]);
});

Deno.test("sizes are in binary units with one decimal, and never 1024.0 of one", () => {
  assertTable(formatBytes, [
    [0, "0 B"],
    [1_023, "1023 B"],
    [1_024, "1.0 KiB"],
    [1_536, "1.5 KiB"],
    [2 ** 20 - 1, "1.0 MiB"],
    [119 * 2 ** 20, "119.0 MiB"],
    [5 * 2 ** 40, "5.0 TiB"],
    [2 ** 60, "1024.0 PiB"],
  ]);
});

Deno.test("durations have two figures' worth of precision at every length", () => {
  assertTable(formatDuration, [
    [0, "0.0 ms"],
    [1.46, "1.5 ms"],
    [9.96, "10 ms"],
    [850, "850 ms"],
    [999.6, "1.0 s"],
    [12_340, "12.3 s"],
    [59_960, "1m 00s"],
    [125_000, "2m 05s"],
    [3_599_600, "1h 00m"],
    [3_720_000, "1h 02m"],
    [86_399_000, "1d 00h"],
    [273_600_000, "3d 04h"],
  ]);
});

Deno.test("rates are whole counts a second of what is counted", () => {
  assertEquals(formatRate(12_345.6, "rows"), "12,346 rows/s");
});
