/** What the ingester asks of and tells the ledger, batches apart. */
import type { ISql, TransactionSql } from "postgres";
import type { Sql } from "../database/connect.ts";
import type { FileStat } from "../source/byte_source.ts";
import type { ContentDigests } from "../source/content_hash.ts";
import type { FileState, LedgerFile } from "./ledger_file.ts";
import type { PipelineBinding } from "./pipeline_binding.ts";
import { readWaitingAgain } from "./read_waiting_again.ts";
import { lockTable } from "./lock_table.ts";
import { type RemovalTarget, takeOutRows } from "./take_out_rows.ts";

/** What compare-and-set needs to know of a file. */
export type KnownFile = Pick<LedgerFile, "fileId" | "path" | "revision" | "committedByte">;

/** What decides the meaning of a generation's bytes. */
export type FileMeaning = Pick<
  PipelineBinding,
  "timeZone" | "schemaFingerprint" | "dialect" | "maxRecordBytes"
>;

const PAGE_FILES = 2_000;

interface FileRow {
  fileId: number;
  path: string;
  generation: number;
  sizeBytes: number | null;
  modifiedMs: number | null;
  inode: number | null;
  committedByte: number;
  committedLine: number;
  provisionalFromByte: number | null;
  loaded: number;
  rejected: number;
  duplicate: number;
  archivedPath: string | null;
  isArchived: boolean;
  isDeleted: boolean;
  contentMark: number | null;
  state: FileState;
  reason: string | null;
  revision: number;
}

function fileColumns(sql: ISql) {
  return sql`
    file_id::float8 as "fileId",
    path,
    generation,
    size_bytes::float8 as "sizeBytes",
    modified_ms::float8 as "modifiedMs",
    inode::float8 as inode,
    committed_byte::float8 as "committedByte",
    committed_line::float8 as "committedLine",
    provisional_from_byte::float8 as "provisionalFromByte",
    loaded::float8 as loaded,
    rejected::float8 as rejected,
    duplicate::float8 as duplicate,
    archived_path as "archivedPath",
    archived_at is not null as "isArchived",
    deleted_at is not null as "isDeleted",
    -- what contentMark() computes
    (('x' || encode(substring(tail_hash, 1, 4), 'hex'))::bit(32)::int
      # coalesce(('x' || encode(substring(chain_hash, 1, 4), 'hex'))::bit(32)::int, 0))
      & 1073741823 as "contentMark",
    state,
    reason,
    revision::float8 as revision`;
}

function toLedgerFile(row: FileRow): LedgerFile {
  const { sizeBytes, modifiedMs, inode, ...rest } = row;
  const stat = sizeBytes === null || modifiedMs === null ? null : { sizeBytes, modifiedMs, inode };
  return { ...rest, stat };
}

/** The latest generation of every file of the pipeline. */
export async function loadFiles(sql: Sql, pipelineId: number): Promise<Map<string, LedgerFile>> {
  const files = new Map<string, LedgerFile>();
  await eachFile(sql, { pipelineId, take: (file) => files.set(file.path, file) });
  return files;
}

/**
 * The same, one after the other, so that they need not all be in memory. They come as JSON, a page in
 * a row: to read 100,000 rows of their own takes three times as long.
 */
export async function eachFile(
  sql: Sql,
  { pipelineId, take }: { pipelineId: number; take: (file: LedgerFile) => void },
): Promise<void> {
  await sql.begin("isolation level repeatable read read only", async (snapshot) => {
    // where the server knows nothing of the table yet it would sort all files anew for each page
    await snapshot`set local enable_sort = off`;
    for (let lastId = 0;;) {
      const [page] = await snapshot<{ files: FileRow[] | null }[]>`
        select json_agg(file) as files
        from (
          select ${fileColumns(snapshot)}
          from pgsluice.files
          where pipeline_id = ${pipelineId} and state <> 'superseded' and file_id > ${lastId}
          order by file_id
          limit ${PAGE_FILES}
        ) as file`;
      const { files } = page!;
      if (files === null) return;
      for (const file of files) take(toLedgerFile(file));
      lastId = files.at(-1)!.fileId;
    }
  });
}

/** The file as the ledger has it now. */
export async function loadFile(sql: Sql, file: KnownFile): Promise<LedgerFile> {
  const [row] = await sql<FileRow[]>`
    select ${fileColumns(sql)}
    from pgsluice.files
    where file_id = ${file.fileId}`;
  return toLedgerFile(ofKnownFile(row, file));
}

/** Earlier generations whose records are still accounted for, by rows in the table or otherwise. */
export async function loadReplaced(sql: Sql, pipelineId: number): Promise<LedgerFile[]> {
  const rows = await sql<FileRow[]>`
    select ${fileColumns(sql)}
    from pgsluice.files
    where pipeline_id = ${pipelineId}
      and state = 'superseded'
      and loaded + rejected + duplicate > 0`;
  return rows.map(toLedgerFile);
}

/**
 * Enters generation 1 of these paths, which the ledger does not have yet. Not within a transaction:
 * the commit does not wait for the disk. A crash may forget them, but never a batch that names them,
 * whose commit comes later and does wait.
 */
export async function registerFiles(
  sql: Sql,
  options: { pipelineId: number; paths: readonly string[]; meaning: FileMeaning },
): Promise<LedgerFile[]> {
  const { pipelineId, paths, meaning } = options;
  const rows = await sql<FileRow[]>`
    insert into pgsluice.files (
      pipeline_id, path, time_zone, schema_fingerprint, dialect, max_record_bytes
    )
    select
      ${pipelineId}, path, ${meaning.timeZone}, ${meaning.schemaFingerprint},
      ${meaning.dialect}, ${meaning.maxRecordBytes}
    from set_config('synchronous_commit', 'off', true),
      unnest(${sql.array(paths as string[])}::text[]) as path
    returning ${fileColumns(sql)}`;
  return rows.map(toLedgerFile);
}

/** Puts a new generation in the place of `file`, whose bytes are no longer there. */
export async function supersedeFile(
  sql: ISql,
  options: { file: KnownFile; reason: string; meaning: FileMeaning },
): Promise<LedgerFile> {
  const { file, reason, meaning } = options;
  const [row] = await sql<FileRow[]>`
    with old as (
      update pgsluice.files
      set state = 'superseded', reason = ${reason}, revision = revision + 1, updated_at = now()
      where file_id = ${file.fileId} and revision = ${file.revision}
      returning pipeline_id, path, generation
    )
    insert into pgsluice.files (
      pipeline_id, path, generation, time_zone, schema_fingerprint, dialect, max_record_bytes
    )
    select
      pipeline_id, path, generation + 1, ${meaning.timeZone}, ${meaning.schemaFingerprint},
      ${meaning.dialect}, ${meaning.maxRecordBytes}
    from old
    returning ${fileColumns(sql)}`;
  return toLedgerFile(ofKnownFile(row, file));
}

/** Writes down what a look at the file told, without moving it; `stat` is null for a stream. */
export async function markFile(
  sql: Sql,
  options: { file: KnownFile; state: FileState; reason: string | null; stat: FileStat | null },
): Promise<LedgerFile> {
  const { file, state, reason, stat } = options;
  const [row] = await sql<FileRow[]>`
    update pgsluice.files
    set
      state = ${state},
      reason = ${reason},
      size_bytes = ${stat?.sizeBytes ?? null},
      modified_ms = ${stat?.modifiedMs ?? null},
      inode = ${stat?.inode ?? null},
      revision = revision + 1,
      updated_at = now()
    where file_id = ${file.fileId} and revision = ${file.revision}
    returning ${fileColumns(sql)}`;
  return toLedgerFile(ofKnownFile(row, file));
}

/**
 * Takes back what was loaded as if the file ended there, now that it has grown: a last record
 * without its newline, or the lines after a quote that stood open. It is read again from
 * `fromByte`. One transaction. `digests` are of the bytes before, `line` the lines that end there;
 * `headers` and `ambiguousTimes` were counted in what is taken back.
 * @throws PgsluiceError of `readWaitingAgain`
 */
export async function takeBackProvisional(
  sql: Sql,
  options: {
    file: KnownFile;
    fromByte: number;
    target: RemovalTarget;
    digests: ContentDigests;
    line: number;
    /** The file's header is taken back as well, and may be another when it comes again. */
    takesHeader: boolean;
    headers: number;
    ambiguousTimes: number;
  },
): Promise<LedgerFile> {
  const { file, fromByte, target, digests, line, takesHeader, headers, ambiguousTimes } = options;
  return await sql.begin(async (transaction) => {
    // this pipeline's own batches have committed
    if (await isShared(transaction, target.table)) await lockTable(transaction, target.table);
    const { fileId } = file;
    const taken = await takeOutRows(transaction, { ...target, fileId, afterLine: line });
    const [row] = await transaction<FileRow[]>`
      update pgsluice.files
      set
        committed_byte = ${fromByte},
        committed_line = ${line},
        provisional_from_byte = null,
        first_block_hash = ${digests.firstBlock},
        last_block_hash = ${digests.lastBlock},
        chain_hash = ${digests.chain},
        tail_hash = ${digests.tail},
        header = case when ${takesHeader} then null else header end,
        loaded = loaded - ${taken.loaded},
        rejected = rejected - ${taken.rejected},
        duplicate = duplicate - ${taken.duplicate},
        headers = headers - ${headers},
        ambiguous_times = ambiguous_times - ${ambiguousTimes},
        state = 'open',
        revision = revision + 1,
        updated_at = now()
      where file_id = ${fileId} and revision = ${file.revision}
        and committed_byte = ${file.committedByte}
      returning ${fileColumns(transaction)}`;
    const back = toLedgerFile(ofKnownFile(row, file));
    await readWaitingAgain(transaction, target);
    return back;
  });
}

async function isShared(transaction: TransactionSql, table: string): Promise<boolean> {
  const [row] = await transaction<{ count: number }[]>`
    select count(*)::int as count
    from pgsluice.pipelines
    where target_table = ${table}`;
  return row!.count > 1;
}

/** What the file's rows, rejects and duplicates are after all of them went. */
export async function clearCounts(transaction: TransactionSql, fileId: number): Promise<void> {
  await transaction`
    update pgsluice.files
    set loaded = 0, rejected = 0, duplicate = 0, expired_at = null
    where file_id = ${fileId}`;
}

/** Has files looked at again that were not loaded because `path` had their content. */
export async function reopenTwins(
  transaction: TransactionSql,
  { pipelineId, path }: { pipelineId: number; path: string },
): Promise<void> {
  await transaction`
    update pgsluice.files
    set state = 'open', reason = null, revision = revision + 1, updated_at = now()
    where pipeline_id = ${pipelineId} and state = 'same' and reason = ${sameAs(path)}`;
}

/** The reason of a file in state `same`. */
export function sameAs(path: string): string {
  return `same as ${path}`;
}

/**
 * Tells a running ingester to read the ledger anew. It comes before the files are touched: batches
 * too lock the pipeline before its files.
 */
export async function raiseChanges(
  transaction: TransactionSql,
  pipelineId: number,
): Promise<void> {
  await transaction`
    update pgsluice.pipelines
    set changes = changes + 1
    where pipeline_id = ${pipelineId}`;
}

/** One of these files whose records are accounted for and whose committed bytes are these. */
export async function findContent(
  sql: Sql,
  { fileIds, sizeBytes, digests }: {
    fileIds: readonly number[];
    sizeBytes: number;
    digests: ContentDigests;
  },
): Promise<{ readonly path: string } | null> {
  const [row] = await sql<{ path: string }[]>`
    select path
    from pgsluice.files
    where file_id = any(${sql.array(fileIds as number[])}::bigint[])
      and committed_byte = ${sizeBytes}
      and tail_hash = ${digests.tail}
      and chain_hash is not distinct from ${digests.chain}
      and (state = 'done' or state = 'superseded' and loaded + rejected + duplicate > 0)
    order by file_id
    limit 1`;
  return row ?? null;
}

/** The hashes of the file's committed bytes; null before its first batch. */
export async function loadDigests(sql: Sql, fileId: number): Promise<ContentDigests | null> {
  const [row] = await sql<{
    firstBlock: Uint8Array | null;
    lastBlock: Uint8Array | null;
    chain: Uint8Array | null;
    tail: Uint8Array | null;
  }[]>`
    select
      first_block_hash as "firstBlock",
      last_block_hash as "lastBlock",
      chain_hash as chain,
      tail_hash as tail
    from pgsluice.files
    where file_id = ${fileId}`;
  if (row === undefined || row.tail === null) return null;
  return { ...row, tail: row.tail };
}

function ofKnownFile(row: FileRow | undefined, file: KnownFile): FileRow {
  if (row === undefined) throw new LedgerMovedError(file.path);
  return row;
}

/** The ledger is not where this process thought it was: nothing was changed; read it again. */
export class LedgerMovedError extends Error {
  constructor(what: string) {
    super(`the ledger moved under ${what}: another ingester, or a batch whose commit was unknown`);
    this.name = "LedgerMovedError";
  }
}

/** A command changed the ledger on purpose while this process ran: read it again. */
export class LedgerChangedError extends LedgerMovedError {
  constructor() {
    super("this ingester");
    this.message = "a command changed the ledger, which is read again";
    this.name = "LedgerChangedError";
  }
}
