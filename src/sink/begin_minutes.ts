import type { Sql } from "../database/connect.ts";
import type { Schema } from "../schema/schema.ts";
import { lockTable } from "./lock_table.ts";
import { selectMinutes } from "./minute_deltas.ts";

/**
 * Begins to keep a table's sums by minute, with what is in it already. Does nothing if they are
 * kept. While it counts nobody changes the table; 10 M rows take some seconds, once.
 * @param options.table quoted, as in `pgsluice.pipelines`
 * @returns a sentence if there were rows to count, else null
 * @throws PgsluiceError `table-busy`
 */
export async function beginMinutes(
  sql: Sql,
  { schema, table }: { schema: Schema; table: string },
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
    const { count } = await transaction.unsafe(
      `insert into pgsluice.minutes (rollup_id, minute, event_type, events, units, amount)` +
        selectMinutes({ minutes, source: table, table: "$1", sign: "" }),
      [table],
    );
    return count > 0 ? `summed up table ${table} by minute, for the reports` : null;
  });
}
