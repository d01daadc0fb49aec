/** The newest of what the ledger has: how pgsluice does, line by line. */
import batches from "../../sql/dashboard/batches.sql" with { type: "text" };
import files from "../../sql/dashboard/files.sql" with { type: "text" };
import rejectLines from "../../sql/dashboard/reject_lines.sql" with { type: "text" };
import type { ReportValue } from "../query/report.ts";
import { showBytes } from "../show_bytes.ts";
import { type DashboardReport, STATEMENT_TIMEOUT_MS } from "./dashboard_report.ts";

/** Bytes of a record; what is cut off is in the ledger, and `pgsluice rejects show` shows it. */
const SHOWN_BYTES = 400;

export const LEDGER_LISTS: readonly DashboardReport[] = [
  listOf("files", files),
  listOf("batches", batches),
  listOf("reject_lines", rejectLines, [SHOWN_BYTES]),
];

/** @param more parameters after the pipeline's id */
function listOf(name: string, text: string, more: readonly number[] = []): DashboardReport {
  return {
    name,
    ask: (sql, { pipelineId }) =>
      sql.begin("isolation level repeatable read read only", async (snapshot) => {
        await snapshot`
          select set_config('statement_timeout', ${String(STATEMENT_TIMEOUT_MS)}, true)`;
        const found = await snapshot.unsafe(text, [pipelineId, ...more]).values();
        const columns = found.columns.map((column) => column.name);
        return {
          window: { sinceMs: null, untilMs: null },
          columns,
          rows: found.map((row: unknown[]) => row.map(valueOf)),
        };
      }),
  };
}

/** Numbers and texts come as they are, bytes as text for people. */
function valueOf(value: unknown): ReportValue {
  return value instanceof Uint8Array ? showRecord(value) : value as ReportValue;
}

/** Without its line end. */
function showRecord(raw: Uint8Array): string {
  let end = raw.length;
  while (end > 0 && (raw[end - 1] === 10 || raw[end - 1] === 13)) end--;
  const shown = showBytes(raw.subarray(0, end));
  return raw.length === SHOWN_BYTES ? `${shown} …` : shown;
}
