import type { Sql } from "../database/connect.ts";
import { sqlState } from "../database/fault.ts";

/** A vacuum of the table may hold it up for long, and does the same by itself. */
const LOCK_TIMEOUT_MS = 100;
/** The lock was not to be had; the index is another's. */
const HARMLESS_STATES: readonly (string | undefined)[] = ["55P03", "42501"];

/**
 * Has a table's BRIN indexes take in what is new, as autovacuum does some time within the next
 * minutes: until then whoever asks for a stretch of time reads all that has come since. Does
 * nothing where it may not, or not now.
 * @param table quoted
 */
export async function summarizeIndexes(sql: Sql, table: string): Promise<void> {
  try {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await transaction`
        select brin_summarize_new_values(indexes.oid)
        from pg_class indexes
        join pg_am on pg_am.oid = relam
        join pg_index on indexrelid = indexes.oid
        where amname = 'brin'
          and relkind = 'i'
          and pg_has_role(relowner, 'usage')
          and indrelid in (
            select to_regclass(${table})
            union all
            select relid from pg_partition_tree(to_regclass(${table}))
          )`;
    });
  } catch (error) {
    if (!HARMLESS_STATES.includes(sqlState(error))) throw error;
  }
}
