-- The newest rejects that nobody has dealt with. $1: the pipeline's id; $2: bytes shown of each.
select
  to_char(rejected_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as rejected_at,
  files.path as file,
  line_number::float8 as line,
  column_name as column,
  code,
  rejects.reason,
  substring(raw from 1 for $2::integer) as raw
from pgsluice.rejects
join pgsluice.files using (file_id)
where pipeline_id = $1::bigint and rejects.state = 'open'
order by reject_id desc
limit 20
