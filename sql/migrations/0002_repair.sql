-- What mending, taking back, archiving and forgetting need.

alter table pgsluice.pipelines
  -- raised by every command that changes the ledger beside the ingester, which then reads it anew
  add column changes bigint not null default 0,
  -- when the first scan of its folder was written down: what --from now means
  add column scanned_at timestamptz;

alter table pgsluice.files
  -- the header record's bytes: what a mended record is read with when the file is gone
  add column header bytea,
  -- where the file was moved to after it was loaded, absolute; written before the move
  add column archived_path text,
  -- when it had been moved there, and what had been moved was seen to be what was committed;
  -- null while it is on the way
  add column archived_at timestamptz,
  -- when it was deleted after it was loaded
  add column deleted_at timestamptz,
  -- since when its rejects and duplicates are no longer kept one by one, only as totals
  add column expired_at timestamptz,
  drop constraint files_state_check,
  -- undone: its rows were taken out of the table; skipped: was there before the pipeline began
  -- (--from now)
  add constraint files_state_check check (
    state in ('open', 'done', 'failed', 'held', 'same', 'superseded', 'undone', 'skipped')
  );

alter table pgsluice.rejects
  -- of a key conflict, as text
  add column key text,
  -- open: the record is out of the table; loaded, duplicate: it was mended and is that now;
  -- discarded: it stays out, and nobody need look at it again
  add column state text not null default 'open'
    check (state in ('open', 'loaded', 'duplicate', 'discarded')),
  -- the record as it was mended
  add column mended bytea,
  add column closed_at timestamptz;

-- whatever removes rows looks for the records that were kept out because of them
create index duplicates_by_key on pgsluice.duplicates (key);
create index rejects_by_key on pgsluice.rejects (key) where key is not null;
