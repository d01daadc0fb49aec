-- Which records were rejected, why, and how does the last one look?
--
-- cost: reads the ledger's rejects: 90 ms for 100,000
-- by: reason, file
-- window: everything by commit
-- bar: rejects
-- columns:
-- by: text, the reason's code, or the file; of files the 100 with the most rejects
-- rejects: count, records that are rejected now; those that prune has removed are not there
-- open: count, those of them that were not discarded
-- share: ratio, of the records of the file, or of the whole pipeline, whenever they came
-- first_at: time, when the first one was rejected
-- last_at: time, when the last one was rejected
-- last_file: text, where the last one stands
-- last_line: count, the line on which it begins
-- last_reason: text, what is wrong with it, in a sentence
-- last_record: text, as it stands there, cut at 8 KiB

with named as (
  select
    file_id,
    path || case when generation > 1 then ' (generation ' || generation || ')' else '' end as file,
    loaded + rejected + duplicate as records
  from pgsluice.files
  where pipeline_id = :pipeline_id::bigint
), kinds as (
  select
    file_id,
    code,
    count(*) as rejects,
    count(*) filter (where state = 'open') as open,
    min(rejected_at) as first_at,
    max(rejected_at) as last_at,
    max(reject_id) as reject_id
  from pgsluice.rejects
  where state in ('open', 'discarded')
    and rejected_at >= :'since'::timestamptz
    and rejected_at < :'until'::timestamptz
  group by file_id, code
), counted as (
  select
    sum(rejects)::bigint as rejects,
    sum(open)::bigint as open,
    min(first_at) as first_at,
    max(last_at) as last_at,
    max(reject_id) as reject_id
  from kinds
  join named using (file_id)
  group by case :'by' when 'reason' then code else file end
)
select
  case :'by' when 'reason' then code else file end as by,
  rejects,
  open,
  rejects::float8 / nullif(
    case :'by' when 'reason' then (select sum(records) from named) else records end, 0
  )::float8 as share,
  first_at,
  last_at,
  file as last_file,
  line_number as last_line,
  reason as last_reason,
  rtrim(raw, '\x0d0a'::bytea) as last_record
from counted
join pgsluice.rejects using (reject_id)
join named using (file_id)
order by rejects desc, by
limit 100
