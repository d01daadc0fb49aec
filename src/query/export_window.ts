import type { TransactionSql } from "postgres";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { ReportPipeline } from "./find_report_pipeline.ts";
import type { ReportWindow } from "./report.ts";
import { resolveWindow } from "./report_window.ts";

/** Which events an export is about: all that are not ruled out. ms since 1970. */
export interface ExportRequest {
  readonly sinceMs?: number;
  /** Before the window's end, which is then just after the newest event, as reports have it. */
  readonly sinceAgoMs?: number;
  readonly untilMs?: number;
}

/** As `resolveWindow` wants it: of events, at any time, and no more of them than were asked for. */
const OF_EVENTS = {
  name: "export",
  clock: "event",
  windowMs: null,
  inWholeMinutes: false,
  maxEvents: null,
} as const;

/**
 * @returns `[since, until)`, as it was asked for
 * @throws PgsluiceError `empty-window`, or `no-minutes` if the newest event is not known
 */
export async function exportWindow(
  snapshot: TransactionSql,
  { pipeline, request }: { pipeline: ReportPipeline; request: ExportRequest },
): Promise<ReportWindow> {
  const { sinceMs = null, sinceAgoMs, untilMs = null } = request;
  if (sinceAgoMs !== undefined && untilMs === null) {
    return await resolveWindow(snapshot, { pipeline, report: OF_EVENTS, by: null, sinceAgoMs });
  }
  const window = {
    sinceMs: sinceAgoMs === undefined ? sinceMs : untilMs! - sinceAgoMs,
    untilMs,
  };
  if (window.sinceMs !== null && untilMs !== null && window.sinceMs >= untilMs) {
    throw new PgsluiceError(
      "empty-window",
      `export: its window would begin at ${isoTime(window.sinceMs)} and end at ${isoTime(untilMs)}`,
      { hint: "say an earlier --since, or a later --until", exitCode: EXIT.usage },
    );
  }
  return window;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
