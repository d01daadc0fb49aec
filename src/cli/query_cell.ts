/** The values of a report as people read them. */
import type { ReportColumn, ReportUnit, ReportValue } from "../query/report.ts";
import { formatBytes, formatCount, formatDuration } from "./number_format.ts";
import { formatLocalTime } from "./query_time.ts";

const MONEY = new Intl.NumberFormat("en-US", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const RATE = new Intl.NumberFormat("en-US", {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});

/** Units whose values are aligned at the left. */
const OF_TEXT: ReadonlySet<ReportUnit> = new Set(["text", "time", "date"]);

export function cellAlignment({ unit }: ReportColumn): "left" | "right" {
  return OF_TEXT.has(unit) ? "left" : "right";
}

/** Its name, and what is not said in every cell: the zone of times. */
export function cellHeader({ name, unit }: ReportColumn, timeZone: string): string {
  switch (unit) {
    case "time":
    case "date":
      return `${name} (${timeZone})`;
    case "ms":
      return name.replace(/_ms$/, ""); // each cell has its unit
    case "per_second":
      return name.endsWith("per_second") ? name : `${name} (/s)`;
    default:
      return name;
  }
}

export interface CellOptions {
  readonly unit: ReportUnit;
  readonly timeZone: string;
  /** Of times. */
  readonly precision: "minute" | "second";
}

/** Nothing for null. */
export function formatCell(value: ReportValue, { unit, timeZone, precision }: CellOptions): string {
  if (value === null) return "";
  switch (unit) {
    case "text":
    case "date":
      return String(value);
    case "time":
      return formatLocalTime(String(value), { timeZone, precision });
    case "count":
      return formatCount(typeof value === "string" ? BigInt(value) : value);
    case "money":
      // a decimal as text keeps all of its digits
      return MONEY.format(value as Intl.StringNumericLiteral);
    case "ratio":
      return `${RATE.format(Number(value) * 100)} %`;
    case "ms":
      return formatDuration(Number(value));
    case "bytes":
      return formatBytes(Number(value));
    case "per_second":
      return RATE.format(Number(value));
  }
}
