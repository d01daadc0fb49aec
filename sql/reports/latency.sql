-- How long does it take from a file's last change to the commit of all that is in it?
--
-- cost: reads the ledger's list of files: 160 ms for 100,000
-- by: minute, hour, day
-- window: 1 h by commit
-- bar: p95_ms
-- columns:
-- by: time, start of the minute, hour or day of the file's last commit
-- files: count, files that were committed; streams have no last change
-- p50_ms: ms, half of the files took no longer
-- p95_ms: ms, 95 % of the files took no longer
-- p99_ms: ms, 99 % of the files took no longer
-- max_ms: ms, no file took longer

with taken as (
  select
    date_trunc(:'by', updated_at, :'time_zone') as bucket,
    -- two clocks, where the files are on another machine
    greatest(0, extract(epoch from updated_at)::float8 * 1000 - modified_ms) as ms
  from pgsluice.files
  where pipeline_id = :pipeline_id::bigint
    and state in ('open', 'done')
    and committed_byte > 0
    and modified_ms is not null
    and updated_at >= :'since'::timestamptz
    and updated_at < :'until'::timestamptz
)
select
  bucket as by,
  count(*) as files,
  percentile_cont(0.5) within group (order by ms) as p50_ms,
  percentile_cont(0.95) within group (order by ms) as p95_ms,
  percentile_cont(0.99) within group (order by ms) as p99_ms,
  max(ms) as max_ms
from taken
group by bucket
order by bucket
