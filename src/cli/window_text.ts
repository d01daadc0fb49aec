import type { ReportWindow } from "../query/report.ts";
import { formatLocalTime } from "./query_time.ts";

/** As in `2026-03-14 10:00 to 2026-03-15 10:00 (UTC)`. */
export function windowText({ sinceMs, untilMs }: ReportWindow, timeZone: string): string {
  const said = (ms: number) =>
    formatLocalTime(new Date(ms).toISOString(), {
      timeZone,
      precision: ms % 60_000 === 0 ? "minute" : "second",
    });
  if (sinceMs === null) {
    return untilMs === null ? "all there is" : `all until ${said(untilMs)} (${timeZone})`;
  }
  if (untilMs === null) return `from ${said(sinceMs)} (${timeZone})`;
  return `${said(sinceMs)} to ${said(untilMs)} (${timeZone})`;
}
