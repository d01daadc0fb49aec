import type { TransactionSql } from "postgres";
import type { Sql } from "../database/connect.ts";
import type { MinuteSums, Schema } from "../schema/schema.ts";
import { lockTable } from "./lock_table.ts";
import { lockMerge } from "./merge_minutes.ts";
import { sumMinutes } from "./minute_deltas.ts";

export interface SummedTable {
  readonly schema: Schema;
  /** Quoted, as in `pgsluice.pipelines`. */
  readonly table: string;
}

/**
 * Begins to keep a table's sums by minute, with what is in it already. Does nothing if they are
 * kept. While it counts nobody changes the table; 10 M rows take some seconds, once.
 * @returns a sentence if there were rows to count, else null
 * @throws PgsluiceError `table-busy`
 */
export async function beginMinutes(
  sql: Sql,
  { schema, table }: SummedTable,
): Promise<string | null> {
  const { minutes } = schema;
  if (minutes === undefined) return null;
  const [known] = await sql`select from pgsluice.rollups where target_table = ${table}`;
  if (known !== undefined) return null;
  return await sql.begin(async (transaction) => {
    // batches that were under way before have committed then, and are counted below
    await lockTable(transaction, table);
    const [begun] = await transaction`
      insert into pgsluice.rollups (target_table)
      values (${table})
      on conflict do nothing
      returning 1`;
    if (begun === undefined) return null;
    const count = await countRows(transaction, { minutes, table });
    return count > 0 ? `summed up table ${table} by minute, for the reports` : null;
  });
}

/**
 * Counts a table's rows anew, after others than pgsluice changed them.
 * @returns false if its sums are not kept yet, and nothing was done
 * @throws PgsluiceError `table-busy`
 */
export async function recountMinutes(sql: Sql, { schema, table }: SummedTable): Promise<boolean> {
  const { minutes } = schema;
  if (minutes === undefined) return false;
  return await sql.begin(async (transaction) => {
    await lockTable(transaction, table);
    await lockMerge(transaction);
    const [known] = await transaction<{ id: number }[]>`
      select rollup_id as id from pgsluice.rollups where target_table = ${table}`;
    if (known === undefined) return false;
    await transaction`delete from pgsluice.minute_deltas where rollup_id = ${known.id}`;
    await transaction`delete from pgsluice.minutes where rollup_id = ${known.id}`;
    await countRows(transaction, { minutes, table });
    return true;
  });
}

async function countRows(
  transaction: TransactionSql,
  { minutes, table }: { minutes: MinuteSums; table: string },
): Promise<number> {
  const { count } = await transaction.unsafe(
    `
with there (minute, event_type, events, units, amount) as (
  ${sumMinutes({ minutes, source: table })}
)
insert into pgsluice.minutes (rollup_id, minute, event_type, events, units, amount)
select rollup_id, minute, event_type, events, units, amount
from there
cross join pgsluice.rollups
where target_table = $1`,
    [table],
  );
  return count;
}
