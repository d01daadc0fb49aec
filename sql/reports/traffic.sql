-- How much was viewed and bought over time, and what did it bring?
--
-- cost: reads the sums by minute: 20 ms for a day, 300 ms for a month
-- by: hour, minute, day
-- window: 24 h by event in whole minutes
-- bar: revenue
-- columns:
-- by: time, start of the hour, minute or day; those without events are there too
-- events: count, events of every type
-- views: count, products viewed
-- purchases: count, purchases
-- units: count, pieces bought
-- revenue: money, price times quantity of what was bought
-- order_value: money, revenue of one purchase, on average

with counted as (
  select
    date_trunc(:'by', minute, :'time_zone') as bucket,
    sum(events) as events,
    sum(events) filter (where event_type = 'view') as views,
    sum(events) filter (where event_type = 'purchase') as purchases,
    sum(units) filter (where event_type = 'purchase') as units,
    sum(amount) filter (where event_type = 'purchase') as revenue
  from pgsluice.events_by_minute
  where target_table = :'table'
    and minute >= :'since'::timestamptz
    and minute < :'until'::timestamptz
  group by bucket
), steps as (
  -- in every time zone hours and days begin with a quarter of an hour
  select case :'by' when 'minute' then interval '1 minute' else interval '15 minutes' end as step
), buckets as (
  select distinct date_trunc(:'by', instant, :'time_zone') as bucket
  from steps
  cross join generate_series(
    date_bin(step, :'since'::timestamptz, timestamptz 'epoch'),
    :'until'::timestamptz - interval '1 microsecond',
    step
  ) instant
)
select
  bucket as by,
  coalesce(events, 0)::bigint as events,
  coalesce(views, 0)::bigint as views,
  coalesce(purchases, 0)::bigint as purchases,
  coalesce(units, 0)::bigint as units,
  coalesce(revenue, 0) as revenue,
  round(revenue / purchases, 2) as order_value
from buckets
left join counted using (bucket)
order by bucket
