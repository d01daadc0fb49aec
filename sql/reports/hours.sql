-- At which hour of the day is how much viewed and bought?
--
-- cost: reads the sums by minute: 50 ms for a week
-- window: 7 d by event in whole minutes
-- bar: events
-- columns:
-- hour: count, hour of the day, 0 to 23, in the pipeline's time zone; all are there
-- events: count, events of every type
-- views: count, products viewed
-- purchases: count, purchases
-- conversion: ratio, purchases for each view
-- revenue: money, price times quantity of what was bought

with counted as (
  select
    extract(hour from minute at time zone :'time_zone')::int as hour,
    sum(events) as events,
    sum(events) filter (where event_type = 'view') as views,
    sum(events) filter (where event_type = 'purchase') as purchases,
    sum(amount) filter (where event_type = 'purchase') as revenue
  from pgsluice.events_by_minute
  where target_table = :'table'
    and minute >= :'since'::timestamptz
    and minute < :'until'::timestamptz
  group by hour
)
select
  hour,
  coalesce(events, 0)::bigint as events,
  coalesce(views, 0)::bigint as views,
  coalesce(purchases, 0)::bigint as purchases,
  (coalesce(purchases, 0) / views)::float8 as conversion,
  coalesce(revenue, 0) as revenue
from generate_series(0, 23) hour
left join counted using (hour)
order by hour
