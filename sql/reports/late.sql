-- Which files bring events late, or more than once?
--
-- cost: sorts all events of the files committed in the window: 1.3 s for each million
-- window: 1 h by commit
-- bar: late
-- columns:
-- file: text, the 100 files with the most late events and duplicates; files with neither are not
--   there
-- records: count, records in it: loaded, rejected and duplicates
-- late: count, its events in the table that stand below one whose time is more than a minute later
-- late_share: ratio, of its events in the table
-- latest_ms: ms, by how much the latest of them was late
-- duplicates: count, records of it whose event was in the table already
-- committed_at: time, when it was last read

with chosen as (
  select
    file_id,
    path || case when generation > 1 then ' (generation ' || generation || ')' else '' end as file,
    loaded + rejected + duplicate as records,
    duplicate as duplicates,
    updated_at as committed_at
  from pgsluice.files
  where pipeline_id = :pipeline_id::bigint
    and committed_byte > 0
    and updated_at >= :'since'::timestamptz
    and updated_at < :'until'::timestamptz
), placed as (
  select
    file_id,
    max(event_timestamp) over (
      partition by file_id
      order by line_number
      rows between unbounded preceding and 1 preceding
    ) - event_timestamp as behind
  from :table
  where file_id in (select file_id from chosen)
    -- by the index, files are found only as a range
    and file_id >= (select min(file_id) from chosen)
    and file_id <= (select max(file_id) from chosen)
), counted as (
  select
    file_id,
    count(*) as events,
    count(*) filter (where behind > interval '1 minute') as late,
    max(behind) filter (where behind > interval '1 minute') as latest
  from placed
  group by file_id
)
select
  file,
  records,
  coalesce(late, 0) as late,
  late::float8 / events as late_share,
  extract(epoch from latest)::float8 * 1000 as latest_ms,
  duplicates,
  committed_at
from chosen
left join counted using (file_id)
where late > 0 or duplicates > 0
order by coalesce(late, 0) + duplicates desc, file
limit 100
