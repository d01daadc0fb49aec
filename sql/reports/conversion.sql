-- How many of the views become purchases?
--
-- cost: by hour it reads the sums by minute: 15 ms for a day; else the window's events: 100 ms for
--   100,000
-- by: product, category, hour
-- window: 24 h by event in whole minutes
-- bar: conversion
-- columns:
-- by: text, the product's id, the category (empty: none), or the start of the hour; of products the
--   1,000 that were viewed most
-- name: text (by product), what the product was called
-- views: count, times that it was viewed
-- purchases: count, times that it was bought
-- conversion: ratio, purchases for each view; empty without views
-- revenue: money, price times quantity of what was bought

with counted as (
  select
    product_id::text as by,
    max(product_name) as name,
    count(*) filter (where event_type = 'view') as views,
    count(*) filter (where event_type = 'purchase') as purchases,
    sum(price * quantity) filter (where event_type = 'purchase') as revenue
  from :table
  where :'by' = 'product'
    and event_timestamp >= :'since'::timestamptz
    and event_timestamp < :'until'::timestamptz
  group by product_id
  union all
  select
    category,
    null,
    count(*) filter (where event_type = 'view'),
    count(*) filter (where event_type = 'purchase'),
    sum(price * quantity) filter (where event_type = 'purchase')
  from :table
  where :'by' = 'category'
    and event_timestamp >= :'since'::timestamptz
    and event_timestamp < :'until'::timestamptz
  group by category
  union all
  select
    to_char(
      date_trunc('hour', minute, :'time_zone') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
    ),
    null,
    coalesce(sum(events) filter (where event_type = 'view'), 0),
    coalesce(sum(events) filter (where event_type = 'purchase'), 0),
    sum(amount) filter (where event_type = 'purchase')
  from pgsluice.events_by_minute
  where :'by' = 'hour'
    and target_table = :'table'
    and minute >= :'since'::timestamptz
    and minute < :'until'::timestamptz
  group by date_trunc('hour', minute, :'time_zone')
)
select
  by,
  name,
  views::bigint as views,
  purchases::bigint as purchases,
  purchases::float8 / nullif(views, 0)::float8 as conversion,
  coalesce(revenue, 0) as revenue
from counted
order by
  case when :'by' = 'hour' then by end,
  views desc,
  purchases desc,
  by
limit case when :'by' = 'product' then 1000 end
