-- Reports of the pipeline itself ask for a stretch of time; both tables grow in the order of it.

create index batches_by_time on pgsluice.batches using brin (committed_at);
create index rejects_by_time on pgsluice.rejects using brin (rejected_at);
