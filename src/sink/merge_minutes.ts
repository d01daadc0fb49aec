import type { TransactionSql } from "postgres";
import type { Sql } from "../database/connect.ts";

/** Minutes left of earlier runs that are worth a merge before there is anything new. */
const LEFTOVERS = 5_000;

/** Of all tables; whoever merges holds it until the transaction ends. "minutes" in ASCII. */
const MERGE_LOCK = "30796695599342963"; // a string: postgres.js has no bigint

/** Whether earlier runs left so much that looking at the sums is slow. */
export async function hasManyDeltas(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ isMany: boolean }[]>`
    select coalesce(sum(cardinality(minutes)) > ${LEFTOVERS}, false) as "isMany"
    from pgsluice.minute_deltas`;
  return row!.isMany;
}

/** Until the transaction ends nothing is merged. */
export async function lockMerge(transaction: TransactionSql): Promise<void> {
  await transaction`select pg_advisory_xact_lock(${MERGE_LOCK}::bigint)`;
}

/**
 * Moves what has come since the last time into the sums, in one transaction: for whoever looks
 * nothing changes. Does nothing while another one is at it.
 * @returns how many events it moved
 */
export async function mergeMinutes(sql: Sql): Promise<number> {
  return await sql.begin(async (transaction) => {
    // nothing is lost with it: it is all there again, in another place
    await transaction`set local synchronous_commit = off`;
    const [lock] = await transaction<{ isMine: boolean }[]>`
      select pg_try_advisory_xact_lock(${MERGE_LOCK}::bigint) as "isMine"`;
    if (!lock!.isMine) return 0;
    const [moved] = await transaction<{ events: number }[]>`
      with gone as (
        delete from pgsluice.minute_deltas
        returning rollup_id, event_type, minutes, events, units, amounts
      ), changes as (
        select rollup_id, event_type, change.*
        from gone
        cross join unnest(minutes, events, units, amounts) as change (minute, events, units, amount)
      ), merged as (
        insert into pgsluice.minutes (rollup_id, minute, event_type, events, units, amount)
        select
          rollup_id, to_timestamp(60 * minute), event_type, sum(events), sum(units), sum(amount)
        from changes
        group by rollup_id, minute, event_type
        order by rollup_id, minute, event_type
        on conflict (rollup_id, minute, event_type) do update
        set
          events = minutes.events + excluded.events,
          units = minutes.units + excluded.units,
          amount = minutes.amount + excluded.amount
      )
      select coalesce(sum(abs(events)), 0)::float8 as events
      from changes`;
    return moved!.events;
  });
}
