-- Events by minute, so that a report of a day need not read a day's events.

-- a target table whose events are counted
create table pgsluice.rollups (
  rollup_id integer generated always as identity primary key,
  -- as in pipelines
  target_table text not null unique,
  -- tells it from another table that was given its name
  table_oid oid not null,
  created_at timestamptz not null default now()
);

-- what was summed up so far. Neither of the two refers to rollups by a constraint: to check it for
-- each row would cost more than the row
create table pgsluice.minutes (
  rollup_id integer not null,
  -- start of the minute
  minute timestamptz not null,
  event_type text not null,
  events bigint not null,
  -- sum of quantity
  units bigint not null,
  -- sum of price * quantity
  amount numeric not null,
  primary key (rollup_id, minute, event_type)
) with (fillfactor = 80);

-- what has come since, and, negative, what has gone. Every transaction that changes the target's
-- rows only inserts here, so that none waits for another; one worker moves them into the sums.
-- A row a type, for a row a minute takes the server five times as long
create table pgsluice.minute_deltas (
  rollup_id integer not null,
  event_type text not null,
  -- whole minutes since 1970; the other arrays go with it
  minutes bigint[] not null,
  events bigint[] not null,
  units bigint[] not null,
  amounts numeric[] not null
);

-- they do not last: to pack them takes longer than to write them
alter table pgsluice.minute_deltas
  alter column minutes set storage external,
  alter column events set storage external,
  alter column units set storage external,
  alter column amounts set storage external;

-- both together: exact in every snapshot
create view pgsluice.events_by_minute as
select
  target_table,
  minute,
  event_type,
  sum(events)::bigint as events,
  sum(units)::bigint as units,
  sum(amount) as amount
from (
  select rollup_id, minute, event_type, events, units, amount
  from pgsluice.minutes
  union all
  select
    rollup_id, to_timestamp(60 * change.minute), event_type, change.events, change.units,
    change.amount
  from pgsluice.minute_deltas
  cross join unnest(minutes, events, units, amounts) as change (minute, events, units, amount)
) counted
join pgsluice.rollups using (rollup_id)
group by target_table, minute, event_type
having sum(events) <> 0;
