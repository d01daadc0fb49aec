-- Where the time of batches goes.

alter table pgsluice.batches
  -- how many connections carried batches when this one began; null, as all of these, for batches
  -- of older versions and of commands
  add column connections smallint,
  -- ms: reading its bytes; making rows of them
  add column read_ms double precision,
  add column decode_ms double precision,
  -- ms: waiting for a free connection; then, after copy_ms, for the older batches to commit
  add column queue_ms double precision,
  add column turn_ms double precision,
  -- ms of the ledger's part (rejects and duplicates kept, files moved) and of the commit. They are
  -- those of the batch that the same connection carried before: a batch's own are not over when it
  -- is written down. Null for a connection's first one
  add column ledger_ms double precision,
  add column commit_ms double precision;

alter table pgsluice.batches
  drop constraint batches_route_check,
  -- split: rows whose keys came lately by way of a staging table, all others straight; ask: so did
  -- those whose keys were in the table
  add constraint batches_route_check check (route in ('copy', 'split', 'ask', 'staging'));
