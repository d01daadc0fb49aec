import { requireTable } from "../database/check_table.ts";
import type { Sql } from "../database/connect.ts";
import { sqlState } from "../database/fault.ts";
import type { Schema } from "../schema/schema.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import type { MendedRow } from "./mended_rows.ts";
import { RetryAttempt } from "./retry_attempt.ts";
import type { RetryReport } from "./retry_report.ts";
import { sendMended } from "./send_mended.ts";

/** Deadlocks with the ingester's batches end for one side with "do it again". */
const MAX_ATTEMPTS = 5;

export interface RetryOptions {
  readonly pipeline: NamedPipeline;
  readonly schema: Schema;
  readonly mended: AsyncIterable<MendedRow>;
}

/**
 * Takes mended records back in: all in one transaction. They are first sent into a table of the
 * session's own, which bounds memory and lets the server compare ids.
 * @param sql of one connection, on which nothing else runs
 * @throws PgsluiceError `rejects-not-open`, `table-differs`, and what reading `mended` throws: then
 * nothing was changed
 */
export async function retryRejects(
  sql: Sql,
  { pipeline, schema, mended }: RetryOptions,
): Promise<RetryReport> {
  await requireTable(sql, schema, pipeline.targetTable);
  await sendMended(sql, mended);
  for (let attempt = 1;; attempt++) {
    try {
      return await sql.begin((transaction) =>
        new RetryAttempt(transaction, { pipeline, schema }).run()
      );
    } catch (error) {
      const isRolledBack = sqlState(error)?.startsWith("40") === true;
      if (!isRolledBack || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
