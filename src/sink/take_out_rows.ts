/**
 * Takes rows out of the table. Records that were kept out because of them, as duplicates or key
 * conflicts, of whatever file and pipeline, are read again in the same transaction, so that every
 * record is still accounted for when it commits.
 *
 * Order: `lockTable`, `takeOutRows`, new rows if there are any, `readWaitingAgain`.
 */
import type { TransactionSql } from "postgres";
import { sqlState } from "../database/fault.ts";
import { quoteIdentifier } from "../database/quote_identifier.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { Schema } from "../schema/schema.ts";

/** How long one try for the table's lock may hold up the batches behind it. */
const LOCK_TIMEOUT_MS = 2_000;
const LOCK_TRIES = 30;

export interface RemovalTarget {
  readonly schema: Schema;
  /** Quoted. */
  readonly table: string;
}

/**
 * Bars new rows until the transaction ends: a batch that found a row there and counted itself a
 * duplicate of it must have committed before the row goes.
 * @throws PgsluiceError `table-busy`
 */
export async function lockTable(transaction: TransactionSql, table: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      // batches that wait behind this request go on when it gives up
      await transaction.savepoint(async (savepoint) => {
        await savepoint.unsafe(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
        await savepoint.unsafe(`lock table ${table} in share row exclusive mode`);
        await savepoint.unsafe("set local lock_timeout = default");
      });
      return;
    } catch (error) {
      if (sqlState(error) !== "55P03") throw error;
      if (attempt < LOCK_TRIES) continue;
      throw new PgsluiceError("table-busy", `table ${table} could not be locked for the change`, {
        hint: "nothing was changed; end long transactions on the table, then try again",
        exitCode: EXIT.tryAgain,
        cause: error,
      });
    }
  }
}

/**
 * Deletes what was loaded from the file's lines after `afterLine`, with its rejects and duplicates;
 * the keys are remembered until `readWaitingAgain`.
 * @returns how many rows, rejects that counted as rejected, and duplicates went
 */
export async function takeOutRows(
  transaction: TransactionSql,
  { schema, table, fileId, afterLine }: RemovalTarget & { fileId: number; afterLine: number },
): Promise<{ loaded: number; rejected: number; duplicate: number }> {
  const key = quoteIdentifier(schema.key);
  await transaction`
    create temporary table if not exists pgsluice_removed (
      key text primary key,
      ingested_at timestamptz
    ) on commit delete rows`;
  const [loaded] = await transaction.unsafe<{ count: number }[]>(
    `
with removed as (
  delete from ${table}
  where file_id = $1 and line_number > $2
  returning ${key}::text as key, ingested_at
), kept as (
  insert into pg_temp.pgsluice_removed (key, ingested_at)
  select key, ingested_at
  from removed
)
select count(*)::float8 as count
from removed`,
    [fileId, afterLine],
  );
  // a mended reject is counted as what it became: a row is among the rows above
  const [others] = await transaction<{ rejected: number; duplicate: number }[]>`
    with rejects as (
      delete from pgsluice.rejects
      where file_id = ${fileId} and line_number > ${afterLine}
      returning state
    ), duplicates as (
      delete from pgsluice.duplicates
      where file_id = ${fileId} and line_number > ${afterLine}
      returning 1
    )
    select
      (select count(*) from rejects where state in ('open', 'discarded'))::float8 as rejected,
      (select count(*) from duplicates)::float8 as duplicate`;
  return { loaded: loaded!.count, ...others! };
}
