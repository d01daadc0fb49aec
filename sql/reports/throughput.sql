-- How fast were batches committed, and where did their time go?
--
-- cost: reads the ledger's list of batches: 250 ms for a million
-- by: minute, hour, day
-- window: 1 h by commit
-- bar: records_per_second
-- columns:
-- by: time, start of the minute, hour or day; those without batches are there too
-- batches: count, batches committed
-- records: count, records in them: loaded, rejected and duplicates
-- bytes: bytes, of the files, in them
-- records_per_second: per_second, on average, idle time included
-- elapsed_ms: ms, from a batch's first record to the ledger's move, on average, as all that follow
-- read_ms: ms, reading its bytes
-- decode_ms: ms, making rows of them
-- queue_ms: ms, waiting for a free connection
-- copy_ms: ms, sending rows until the server has taken them
-- turn_ms: ms, waiting for older batches to commit
-- ledger_ms: ms, writing down rejects, duplicates and how far each file is
-- commit_ms: ms, committing

with counted as (
  select
    date_trunc(:'by', committed_at, :'time_zone') as bucket,
    count(*) as batches,
    sum(loaded + rejected + duplicate) as records,
    sum(bytes) as bytes,
    avg(elapsed_ms) as elapsed_ms,
    avg(read_ms) as read_ms,
    avg(decode_ms) as decode_ms,
    avg(queue_ms) as queue_ms,
    avg(copy_ms) as copy_ms,
    avg(turn_ms) as turn_ms,
    avg(ledger_ms) as ledger_ms,
    avg(commit_ms) as commit_ms
  from pgsluice.batches
  where pipeline_id = :pipeline_id::bigint
    and committed_at >= :'since'::timestamptz
    and committed_at < :'until'::timestamptz
  group by bucket
), steps as (
  -- in every time zone hours and days begin with a quarter of an hour
  select case :'by' when 'minute' then interval '1 minute' else interval '15 minutes' end as step
), buckets as (
  select
    bucket,
    -- the last one ends with the window; what one small batch did in no time is no rate
    greatest(1, extract(epoch from
      lead(bucket, 1, :'until'::timestamptz) over (order by bucket)
        - greatest(bucket, :'since'::timestamptz)
    )) as seconds
  from (
    select distinct date_trunc(:'by', instant, :'time_zone') as bucket
    from steps
    cross join generate_series(
      date_bin(step, :'since'::timestamptz, timestamptz 'epoch'),
      :'until'::timestamptz - interval '1 microsecond',
      step
    ) instant
  ) starts
)
select
  bucket as by,
  coalesce(batches, 0) as batches,
  coalesce(records, 0)::bigint as records,
  coalesce(bytes, 0)::bigint as bytes,
  (coalesce(records, 0) / seconds)::float8 as records_per_second,
  elapsed_ms,
  read_ms,
  decode_ms,
  queue_ms,
  copy_ms,
  turn_ms,
  ledger_ms,
  commit_ms
from buckets
left join counted using (bucket)
order by bucket
