-- Which products, or categories, bring the most?
--
-- cost: reads the window's events twice: 60 ms for 50,000
-- by: product, category
-- window: 1 h by event, at most 50000 events
-- bar: revenue
-- columns:
-- by: text, the product's id, or the category (empty: none); the 20 of the most revenue
-- name: text (by product), what the product was called
-- revenue: money, price times quantity of what was bought
-- units: count, pieces bought
-- purchases: count, purchases
-- viewers: count, users who viewed it in the window
-- conversion: ratio, those of the viewers who bought it in the window as well

with purchases as (
  select
    case :'by' when 'product' then product_id::text else coalesce(category, '') end as item,
    user_id,
    product_name,
    price * quantity as amount,
    quantity
  from :table
  where event_timestamp >= :'since'::timestamptz
    and event_timestamp < :'until'::timestamptz
    and event_type = 'purchase'
), sold as (
  select
    item,
    case :'by' when 'product' then max(product_name) end as name,
    sum(amount) as revenue,
    sum(quantity) as units,
    count(*) as purchases
  from purchases
  group by item
  order by revenue desc, item
  limit 20
), viewers as (
  select distinct
    case :'by' when 'product' then product_id::text else coalesce(category, '') end as item,
    user_id
  from :table
  where event_timestamp >= :'since'::timestamptz
    and event_timestamp < :'until'::timestamptz
    and event_type = 'view'
    and case :'by' when 'product' then product_id::text else coalesce(category, '') end in (
      select item from sold
    )
), viewed as (
  select item, count(*) as viewers, count(buyers.user_id) as buyers
  from viewers
  left join (select distinct item, user_id from purchases) buyers using (item, user_id)
  group by item
)
select
  nullif(item, '') as by,
  name,
  revenue,
  units,
  purchases,
  coalesce(viewers, 0) as viewers,
  buyers::float8 / viewers as conversion
from sold
left join viewed using (item)
order by revenue desc, item
