-- The ledger: what every pipeline has committed. It is the truth; the journal on disk follows it.
-- Plain tables, meant to be read by any SQL client.

create table pgsluice.pipelines (
  pipeline_id bigint generated always as identity primary key,
  name text not null unique,
  -- random: tells this database from another one that has a pipeline of the same name
  identity uuid not null default gen_random_uuid(),
  source_kind text not null check (source_kind in ('folder', 'stdin')),
  source_host text not null,
  source_path text not null,
  -- schema-qualified, quoted where needed
  target_table text not null,
  key_column text not null,
  -- what decides the meaning of bytes
  time_zone text not null,
  schema_fingerprint text not null,
  dialect text not null,
  max_record_bytes integer not null,
  -- raised by each new owner; a batch of an older epoch cannot commit
  epoch bigint not null default 0,
  created_at timestamptz not null default now()
);

create table pgsluice.files (
  file_id bigint generated always as identity primary key,
  pipeline_id bigint not null references pgsluice.pipelines,
  -- relative to the source
  path text not null,
  generation integer not null default 1,
  -- the settings this generation began with, and keeps
  time_zone text not null,
  schema_fingerprint text not null,
  dialect text not null,
  max_record_bytes integer not null,
  -- as last seen on disk; null for a stream
  size_bytes bigint,
  modified_ms bigint,
  inode bigint,
  -- [0, committed_byte) is accounted for, to the last byte; committed_line lines end in it
  committed_byte bigint not null default 0,
  committed_line bigint not null default 0,
  -- start of a last record taken without its newline; null if there is none
  provisional_from_byte bigint,
  -- sha256 over the committed bytes: the first and the last complete 1 MiB block, the chain
  -- sha256(chain before || sha256(block)) over all complete blocks, and what follows the last one
  first_block_hash bytea,
  last_block_hash bytea,
  chain_hash bytea,
  tail_hash bytea,
  -- committed records = loaded + rejected + duplicate; repeated header lines are none
  loaded bigint not null default 0,
  rejected bigint not null default 0,
  duplicate bigint not null default 0,
  headers bigint not null default 0,
  -- local times that occur twice, taken with the earlier offset
  ambiguous_times bigint not null default 0,
  -- open: bytes remain or may come; done: committed up to its size; failed: not a CSV of this
  -- schema; held: replaced, waits for a decision; same: its content is another file's, see
  -- reason; superseded: a later generation took its place
  state text not null default 'open'
    check (state in ('open', 'done', 'failed', 'held', 'same', 'superseded')),
  reason text,
  revision bigint not null default 0,
  first_seen_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (pipeline_id, path, generation),
  check (committed_byte >= 0 and committed_line >= 0),
  check (provisional_from_byte is null or provisional_from_byte < committed_byte)
);

-- finds a file of the same content, sent again under another name
create index files_by_content on pgsluice.files (pipeline_id, committed_byte);

create table pgsluice.rejects (
  reject_id bigint generated always as identity primary key,
  file_id bigint not null references pgsluice.files,
  -- physical line, from 1, on which the record starts
  line_number bigint not null,
  start_byte bigint not null,
  end_byte bigint not null,
  -- null if the record as a whole is at fault
  column_name text,
  code text not null,
  reason text not null,
  -- the record's bytes, cut at 8 KiB; its full length is end_byte - start_byte
  raw bytea not null,
  rejected_at timestamptz not null default now(),
  check (start_byte < end_byte)
);

create index rejects_by_place on pgsluice.rejects (file_id, start_byte);

create table pgsluice.duplicates (
  file_id bigint not null references pgsluice.files,
  line_number bigint not null,
  start_byte bigint not null,
  end_byte bigint not null,
  -- the event's key, as text
  key text not null,
  primary key (file_id, start_byte),
  check (start_byte < end_byte)
);

create table pgsluice.batches (
  batch_id bigint generated always as identity primary key,
  pipeline_id bigint not null references pgsluice.pipelines,
  epoch bigint not null,
  files integer not null,
  bytes bigint not null,
  loaded bigint not null,
  rejected bigint not null,
  duplicate bigint not null,
  -- copy: straight into the table; staging: by way of a staging table, because keys repeated
  route text not null check (route in ('copy', 'staging')),
  -- from the first record to the ledger's move, and the part of it spent sending rows
  elapsed_ms double precision not null,
  copy_ms double precision not null,
  committed_at timestamptz not null default clock_timestamp()
);

create index batches_by_pipeline on pgsluice.batches (pipeline_id, batch_id);
