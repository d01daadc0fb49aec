import { REPORTS } from "../query/reports.ts";
import { runReport } from "../query/run_report.ts";
import { type DashboardReport, STATEMENT_TIMEOUT_MS } from "./dashboard_report.ts";
import { LEDGER_LISTS } from "./ledger_lists.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What the page asks again and again: a fixed list, with fixed windows, in this order. */
export const DASHBOARD_REPORTS: readonly DashboardReport[] = [
  ofReport("traffic", { by: "minute", sinceAgoMs: DAY_MS }),
  ...LEDGER_LISTS,
  ofReport("rejects", { by: "reason" }),
  ofReport("hours", { sinceAgoMs: 7 * DAY_MS }),
  ofReport("top", { by: "product" }),
  ofReport("funnel", {}),
];

/** @param request what is not as the report has it by itself */
function ofReport(
  name: string,
  request: { readonly by?: string; readonly sinceAgoMs?: number },
): DashboardReport {
  const report = REPORTS.get(name)!;
  return {
    name,
    async ask(sql, pipeline) {
      const { window, columns, rows } = await runReport(sql, {
        pipeline,
        report,
        statementTimeoutMs: STATEMENT_TIMEOUT_MS,
        ...request,
      });
      return { window, columns: columns.map((column) => column.name), rows };
    },
  };
}
