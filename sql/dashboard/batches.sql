-- The newest batches. $1: the pipeline's id.
select
  to_char(committed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as committed_at,
  files,
  loaded::float8 as loaded,
  rejected::float8 as rejected,
  duplicate::float8 as duplicate,
  bytes::float8 as bytes,
  route,
  elapsed_ms
from pgsluice.batches
where pipeline_id = $1::bigint
order by batch_id desc
limit 50
