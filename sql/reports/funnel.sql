-- How many users bought a product that they had viewed, and how long did they take?
--
-- cost: reads the window's events three times: 80 ms for 50,000
-- window: 1 h by event, at most 50000 events
-- bar: users
-- columns:
-- stage: text, viewed: a product; purchased: one that they had viewed before, within the window;
--   purchased again: at least two times
-- users: count, users who came so far
-- ratio: ratio, of the users of the stage before
-- median_ms: ms, from a product's first view to its first purchase by the same user, then from the
--   user's first purchase to the second: half of them took no longer
-- p95_ms: ms, 95 % of them took no longer

with purchases as (
  select user_id, product_id, event_timestamp as purchased_at
  from :table
  where event_timestamp >= :'since'::timestamptz
    and event_timestamp < :'until'::timestamptz
    and event_type = 'purchase'
), views as (
  -- only of what was bought: there are many more
  select user_id, product_id, min(event_timestamp) as viewed_at
  from :table
  where event_timestamp >= :'since'::timestamptz
    and event_timestamp < :'until'::timestamptz
    and event_type = 'view'
    and (user_id, product_id) in (select user_id, product_id from purchases)
  group by user_id, product_id
), purchased as (
  select
    user_id,
    purchased_at,
    row_number() over (partition by user_id order by purchased_at) as number,
    lag(purchased_at) over (partition by user_id order by purchased_at) as previous_at,
    case
      when row_number() over (partition by user_id, product_id order by purchased_at) = 1
      then viewed_at
    end as viewed_at
  from purchases
  join views using (user_id, product_id)
  where purchased_at >= viewed_at
), stages as (
  select 1 as number, 'viewed' as stage, count(*) as users, null::interval[] as taken
  from (
    select
    from :table
    where event_timestamp >= :'since'::timestamptz
      and event_timestamp < :'until'::timestamptz
      and event_type = 'view'
    group by user_id
  ) viewers
  union all
  select
    2,
    'purchased',
    count(*) filter (where number = 1),
    percentile_cont(array[0.5, 0.95]) within group (order by purchased_at - viewed_at)
      filter (where viewed_at is not null)
  from purchased
  union all
  select
    3,
    'purchased again',
    count(*) filter (where number = 2),
    percentile_cont(array[0.5, 0.95]) within group (order by purchased_at - previous_at)
      filter (where number = 2)
  from purchased
)
select
  stage,
  users,
  users::float8 / nullif(lag(users) over (order by number), 0) as ratio,
  extract(epoch from taken[1])::float8 * 1000 as median_ms,
  extract(epoch from taken[2])::float8 * 1000 as p95_ms
from stages
order by number
