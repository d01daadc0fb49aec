import type { TransactionSql } from "postgres";
import type { Sql } from "../database/connect.ts";
import { filterSql, type RejectFilter } from "./reject_filter.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { type NotOpen, refuseNotOpen } from "./refuse_not_open.ts";

/**
 * Closes open rejects for good: their records stay out of the table and counted as rejected.
 * @param what ids, each of an open reject; or a filter, whose open ones it is
 * @returns how many
 * @throws PgsluiceError `rejects-not-open` before anything changes
 */
export async function discardRejects(
  sql: Sql,
  pipeline: NamedPipeline,
  what: { readonly ids: readonly number[] } | { readonly filter: RejectFilter },
): Promise<number> {
  return await sql.begin(async (transaction) => {
    if ("ids" in what) await requireOpen(transaction, pipeline, what.ids);
    const discarded = await transaction`
      update pgsluice.rejects
      set state = 'discarded', closed_at = clock_timestamp()
      from pgsluice.files
      where files.file_id = rejects.file_id
        and ${filterSql(transaction, pipeline, "filter" in what ? what.filter : {})}
        and (
          ${"filter" in what}::boolean
          or reject_id = any(${("ids" in what ? what.ids : []) as number[]}::bigint[])
        )`;
    // no count and no place changes, so a running ingester need not hear of it
    return discarded.count;
  });
}

/** Locks them, so that nobody else closes them meanwhile. */
async function requireOpen(
  transaction: TransactionSql,
  pipeline: NamedPipeline,
  ids: readonly number[],
): Promise<void> {
  await transaction`
    select from pgsluice.rejects
    where reject_id = any(${ids as number[]}::bigint[])
    order by reject_id
    for update`;
  refuseNotOpen(
    pipeline.name,
    await transaction<NotOpen[]>`
      select
        asked.reject_id::float8 as "rejectId",
        ours.state,
        false as "isRepeated"
      from (select distinct unnest(${ids as number[]}::bigint[]) as reject_id) asked
      left join (
        select reject_id, rejects.state
        from pgsluice.rejects
        join pgsluice.files using (file_id)
        where pipeline_id = ${pipeline.pipelineId}
      ) ours using (reject_id)
      where ours.state is distinct from 'open'
      order by asked.reject_id`,
  );
}
