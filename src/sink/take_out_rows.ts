/**
 * Takes rows out of the table. Records that were kept out because of them, as duplicates or key
 * conflicts, of whatever file and pipeline, are read again in the same transaction, so that every
 * record is still accounted for when it commits.
 *
 * Order: `lockTable`, `takeOutRows`, new rows if there are any, `readWaitingAgain`.
 */
import type { TransactionSql } from "postgres";
import { quoteIdentifier } from "../database/quote_identifier.ts";
import type { Schema } from "../schema/schema.ts";
import { sumMinutes } from "./minute_deltas.ts";

export interface RemovalTarget {
  readonly schema: Schema;
  /** Quoted. */
  readonly table: string;
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
  const { minutes } = schema;
  const uncounted = minutes === undefined
    ? ""
    : `, went (minute, event_type, events, units, amount) as (
  ${sumMinutes({ minutes, source: "removed" })}
), uncounted as (
  insert into pgsluice.minute_deltas (rollup_id, event_type, minutes, events, units, amounts)
  select
    rollup_id, event_type, array_agg(extract(epoch from minute)::bigint / 60), array_agg(-events),
    array_agg(-units), array_agg(-amount)
  from went
  cross join pgsluice.rollups
  where target_table = $3
  group by rollup_id, event_type
)`;
  const [loaded] = await transaction.unsafe<{ count: number }[]>(
    `
with removed as (
  delete from ${table}
  where file_id = $1 and line_number > $2
  returning *
), kept as (
  insert into pg_temp.pgsluice_removed (key, ingested_at)
  select ${key}::text, ingested_at
  from removed
)${uncounted}
select count(*)::float8 as count
from removed`,
    minutes === undefined ? [fileId, afterLine] : [fileId, afterLine, table],
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
