import { timeZoneNamed } from "../schema/time_zone.ts";
import { showBytes } from "../show_bytes.ts";
import type { ReportColumn, ReportValue } from "./report.ts";

const ISO_TIME = /^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/**
 * What postgres.js read, as a report tells it.
 * @throws TypeError if the value is not one of the column's unit
 */
export function readReportValue(
  value: unknown,
  { name, unit }: ReportColumn,
  timeZone: string,
): ReportValue {
  if (value === null) return null;
  switch (unit) {
    case "text":
      if (typeof value === "string") return value;
      if (value instanceof Uint8Array) return showBytes(value);
      break;
    case "time":
      if (value instanceof Date) return value.toISOString().replace(".000Z", "Z");
      // where the column holds other things as well, by other groupings
      if (typeof value === "string" && ISO_TIME.test(value)) return value;
      break;
    case "date":
      if (value instanceof Date) return localDate(value, timeZone);
      break;
    case "count":
    case "bytes":
      if (typeof value === "number") return value;
      if (typeof value === "string") return wholeNumber(value);
      break;
    case "money":
      if (typeof value === "string") return value;
      break;
    case "ms":
      // µs are all that clocks tell
      if (typeof value === "number") return Math.round(value * 1000) / 1000;
      break;
    case "ratio":
    case "per_second":
      if (typeof value === "number") return value;
      break;
  }
  throw new TypeError(`column ${name}: ${typeof value} is no ${unit}`);
}

/** `2026-03-14`. */
function localDate(instant: Date, timeZone: string): string {
  const epochMs = instant.getTime();
  const offsetSeconds = timeZoneNamed(timeZone).offsetAt(epochMs / 1000);
  return new Date(epochMs + offsetSeconds * 1000).toISOString().slice(0, "2026-03-14".length);
}

/** A double tells whole numbers apart up to 2^53. */
function wholeNumber(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}
