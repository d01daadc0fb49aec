import type { TransactionSql } from "postgres";
import type { Sql } from "../database/connect.ts";
import type { MinuteSums, Schema } from "../schema/schema.ts";
import { lockTable, tryToLockTable } from "./lock_table.ts";
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
 * @throws the database's error, 55P03 if somebody else holds the table
 */
export async function beginMinutes(
  sql: Sql,
  { schema, table }: SummedTable,
): Promise<string | null> {
  const { minutes } = schema;
  if (minutes === undefined) return null;
  const [known] = await sql`
    select from pgsluice.rollups
    where target_table = ${table} and table_oid = to_regclass(${table})`;
  if (known !== undefined) return null;
  const minuteCount = await sql.begin(async (transaction) => {
    // who waits for a database tries again, as after every fault of it
    await tryToLockTable(transaction, table);
    return await count(transaction, { minutes, table });
  });
  return minuteCount > 0 ? `summed up table ${table} by minute, for the reports` : null;
}

/**
 * Counts all rows of a table anew, as is right when others than pgsluice have changed them.
 * @throws PgsluiceError `table-busy`
 */
export async function recountMinutes(sql: Sql, { schema, table }: SummedTable): Promise<void> {
  const { minutes } = schema;
  if (minutes === undefined) return;
  await sql.begin(async (transaction) => {
    await lockTable(transaction, table);
    await count(transaction, { minutes, table });
  });
}

/**
 * To be called with the table locked: batches that were under way before have committed then, and
 * later ones find the sums begun.
 * @returns how many sums there are now
 */
async function count(
  transaction: TransactionSql,
  { minutes, table }: { minutes: MinuteSums; table: string },
): Promise<number> {
  await lockMerge(transaction);
  const [rollup] = await transaction<{ id: number }[]>`
    insert into pgsluice.rollups (target_table, table_oid)
    values (${table}, to_regclass(${table}))
    on conflict (target_table) do update
    set table_oid = excluded.table_oid
    returning rollup_id as id`;
  await transaction`delete from pgsluice.minute_deltas where rollup_id = ${rollup!.id}`;
  await transaction`delete from pgsluice.minutes where rollup_id = ${rollup!.id}`;
  const { count } = await transaction.unsafe(
    `
with there (minute, event_type, events, units, amount) as (
  ${sumMinutes({ minutes, source: table })}
)
insert into pgsluice.minutes (rollup_id, minute, event_type, events, units, amount)
select $1, minute, event_type, events, units, amount
from there`,
    [rollup!.id],
  );
  return count;
}
