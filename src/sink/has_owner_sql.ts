import { ownerLockKeySql } from "./pipeline_owner.ts";

/** SQL that is true if an ingester holds the pipeline whose name is given as SQL. */
export function hasOwnerSql(nameSql: string): string {
  // an advisory lock of one bigint shows as its two halves, with objsubid 1
  return `exists (
    select
    from pg_locks
    where locktype = 'advisory'
      and objsubid = 1
      and granted
      and database = (select oid from pg_database where datname = current_database())
      and (classid::bigint << 32) | objid::bigint = ${ownerLockKeySql(nameSql)}
  )`;
}
