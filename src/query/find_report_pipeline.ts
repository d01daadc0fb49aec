import type { ISql } from "postgres";
import { USER_EVENTS } from "../schema/user_events.ts";
import { findNamedPipeline } from "../sink/named_pipeline.ts";

/** What a report has to know of the pipeline that it is about. */
export interface ReportPipeline {
  readonly pipelineId: number;
  readonly name: string;
  /** Quoted where needed, as in `pgsluice.pipelines`. */
  readonly targetTable: string;
  readonly timeZone: string;
}

/**
 * @throws PgsluiceError `no-ledger`, `ledger-older` (which has no sums by minute either),
 * `no-such-pipeline` or `other-schema`
 */
export async function findReportPipeline(sql: ISql, name: string): Promise<ReportPipeline> {
  return await findNamedPipeline(sql, { name, schema: USER_EVENTS, table: undefined });
}
