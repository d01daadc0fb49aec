import type { ISql } from "postgres";
import { batchApplicationName, ownerLockKeySql } from "../sink/pipeline_owner.ts";

/** A pipeline that was used once. */
export interface KnownPipeline {
  readonly pipelineId: number;
  readonly name: string;
}

/** The server processes that work for its ingesters: those with batches, and the lock's holder. */
export async function pipelineSessions(sql: ISql, pipeline: KnownPipeline): Promise<number[]> {
  const rows = await sql.unsafe<{ pid: number }[]>(
    `select pid
    from pg_stat_activity
    where application_name like $1 and datname = current_database()
    union
    select pid
    from pg_locks
    where locktype = 'advisory' and objsubid = 1 and granted
      and database = (select oid from pg_database where datname = current_database())
      and (classid::bigint << 32) | objid::bigint = ${ownerLockKeySql("$2")}
    order by pid`,
    [batchApplicationName({ ...pipeline, epoch: "%" }), pipeline.name],
  );
  return rows.map(({ pid }) => pid);
}

/** Ends these server processes. @returns how many of them were there */
export async function endSessions(sql: ISql, processIds: readonly number[]): Promise<number> {
  const rows = await sql<{ ended: boolean }[]>`
    select pg_terminate_backend(pid) as ended
    from unnest(${sql.array(processIds as number[])}::int[]) as pid`;
  return rows.filter(({ ended }) => ended).length;
}
