import type { Sql } from "../database/connect.ts";
import type { ReportPipeline } from "../query/find_report_pipeline.ts";
import type { ReportValue, ReportWindow } from "../query/report.ts";

/** Of each statement: nobody waits for what was so long ago. */
export const STATEMENT_TIMEOUT_MS = 5_000;

export interface DashboardAnswer {
  readonly window: ReportWindow;
  /** Names, in the order of the values. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ReportValue[])[];
}

export interface DashboardReport {
  /** By which the page knows it. */
  readonly name: string;
  /**
   * From one snapshot.
   * @throws PgsluiceError what `runReport` throws, and what the database says
   */
  ask(sql: Sql, pipeline: ReportPipeline): Promise<DashboardAnswer>;
}
