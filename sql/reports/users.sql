-- How many users were active, how many of them for the first time?
--
-- cost: reads the window's events, and the users of all events before it: 0.6 s for each million
-- by: hour, day
-- window: 24 h by event
-- bar: active
-- columns:
-- by: time, start of the hour or day; those without users are there too
-- active: count, users with an event
-- new: count, those of them whose first event ever it was
-- returning: count, those of them who had been there before the hour or day began

with active as (
  select distinct
    date_trunc(:'by', event_timestamp, :'time_zone') as bucket,
    user_id
  from :table
  where event_timestamp >= :'since'::timestamptz
    and event_timestamp < :'until'::timestamptz
), arrived as (
  select user_id, min(bucket) as bucket
  from active
  group by user_id
), known as (
  select user_id
  from :table
  where event_timestamp < :'since'::timestamptz
  group by user_id
), counted as (
  select
    active.bucket,
    count(*) as active,
    count(*) filter (where arrived.bucket = active.bucket and known.user_id is null) as new
  from active
  join arrived using (user_id)
  left join known using (user_id)
  group by active.bucket
), buckets as (
  -- in every time zone hours and days begin with a quarter of an hour
  select distinct date_trunc(:'by', instant, :'time_zone') as bucket
  from generate_series(
    date_bin('15 minutes', :'since'::timestamptz, timestamptz 'epoch'),
    :'until'::timestamptz - interval '1 microsecond',
    interval '15 minutes'
  ) instant
)
select
  bucket as by,
  coalesce(active, 0) as active,
  coalesce(new, 0) as new,
  coalesce(active - new, 0) as returning
from buckets
left join counted using (bucket)
order by bucket
