import type { TransactionSql } from "postgres";
import type { LedgerPlaces } from "../checkpoint/compare_journal.ts";
import type { JournalFile, JournalHead } from "../checkpoint/journal_codec.ts";
import { hasOwnerSql } from "../sink/has_owner_sql.ts";

/** What the ledger has of one pipeline that a journal tells too. */
export interface LedgerOfPipeline {
  /** As the journal's first line must be. */
  readonly head: JournalHead;
  readonly epoch: number;
  /** The latest generation of each file. */
  readonly files: LedgerPlaces;
  /** True if an ingester is at work. */
  readonly hasOwner: boolean;
}

/** Rows a cursor brings at a time. */
const PAGE_ROWS = 5_000;

/** @returns null if this database has no pipeline of that name */
export async function readLedger(
  sql: TransactionSql,
  pipeline: string,
): Promise<LedgerOfPipeline | null> {
  const [ledger] = await sql<{ exists: boolean }[]>`
    select to_regclass('pgsluice.files') is not null as exists`;
  if (!ledger!.exists) return null;
  const [row] = await sql.unsafe<
    (JournalHead & { pipelineId: number; epoch: number; hasOwner: boolean })[]
  >(
    `
select
  pipeline_id::float8 as "pipelineId",
  name as pipeline,
  identity::text,
  source_path as source,
  target_table as "table",
  epoch::float8,
  ${hasOwnerSql("name")} as "hasOwner"
from pgsluice.pipelines
where name = $1`,
    [pipeline],
  );
  if (row === undefined) return null;
  const { pipelineId, epoch, hasOwner, ...head } = row;
  return { head, epoch, hasOwner, files: await readFiles(sql, pipelineId) };
}

/** Columns of the first ledger alone: a look must not need the migration that an ingest makes. */
async function readFiles(sql: TransactionSql, pipelineId: number): Promise<LedgerPlaces> {
  const files = new Map<string, JournalFile>();
  const pages = sql<JournalFile[]>`
    select
      path,
      generation,
      committed_byte::float8 as "committedByte",
      committed_line::float8 as "committedLine",
      revision::float8
    from pgsluice.files
    where pipeline_id = ${pipelineId} and state <> 'superseded'
    order by file_id`.cursor(PAGE_ROWS);
  for await (const page of pages) for (const file of page) files.set(file.path, file);
  return files;
}
