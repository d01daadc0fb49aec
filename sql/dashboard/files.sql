-- The newest troubled files, then the newest of all others. $1: the pipeline's id.
with troubled as (
  select *
  from pgsluice.files
  where pipeline_id = $1::bigint and state in ('failed', 'held')
  order by updated_at desc, file_id desc
  limit 20
),
others as (
  select *
  from pgsluice.files
  where pipeline_id = $1::bigint and state not in ('failed', 'held', 'superseded')
  order by updated_at desc, file_id desc
  limit 50
)
select
  path,
  generation,
  state,
  reason,
  loaded::float8 as loaded,
  rejected::float8 as rejected,
  duplicate::float8 as duplicate,
  committed_byte::float8 as committed_bytes,
  size_bytes::float8 as size_bytes,
  to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as updated_at
from (
  select 1 as part, * from troubled
  union all
  select 2 as part, * from others
) listed
order by part, listed.updated_at desc, file_id desc
limit 50
