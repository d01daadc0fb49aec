/**
 * What verify reads of ledger and table, all in one repeatable-read transaction, so that an
 * ingester may go on meanwhile. Results are bounded by a page, by a block of the file, or by the
 * number of files.
 */
import type { TransactionSql } from "postgres";
import { quoteIdentifier } from "../database/quote_identifier.ts";
import { keyColumn, type NumericColumn, type Schema } from "../schema/schema.ts";
import type { FileState } from "../sink/ledger_file.ts";
import type { ContentDigests } from "../source/content_hash.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { checksumSql, columnTextSql, verifiedColumns } from "./row_text.ts";

/** Rows fetched at a time. */
const PAGE_ROWS = 500;

/** A file of the ledger, and what ledger and table hold of it. */
export interface VerifiedFile {
  readonly fileId: number;
  readonly path: string;
  readonly generation: number;
  readonly timeZone: string;
  readonly maxRecordBytes: number;
  readonly sizeBytes: number | null;
  readonly committedByte: number;
  readonly committedLine: number;
  readonly provisionalFromByte: number | null;
  readonly digests: ContentDigests | null;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly headers: number;
  readonly state: FileState;
  readonly reason: string | null;
  /** Where it was moved to, or was about to be, absolute. */
  readonly archivedPath: string | null;
  readonly deletedAt: Date | null;
  /** Since then records may lack their rejects and duplicates: of those there are only totals. */
  readonly expiredAt: Date | null;
  /** Rows of the table with this file's id, and their checksum. */
  readonly rowCount: number;
  readonly checksum: string | null;
  /** Rows of `pgsluice.rejects`, and those among them whose mended record is no reject any more. */
  readonly rejectRows: number;
  readonly mendedRows: number;
  /** Rows of `pgsluice.duplicates`. */
  readonly duplicateRows: number;
}

/** A file of the pipeline; or rows of the table that no file accounts for which loads into it. */
export type Stock =
  | { readonly kind: "file"; readonly file: VerifiedFile }
  | { readonly kind: "strays"; readonly fileId: number | null; readonly rowCount: number };

interface FileRow extends Omit<VerifiedFile, "digests"> {
  readonly isOurs: boolean;
  readonly firstBlock: Uint8Array | null;
  readonly lastBlock: Uint8Array | null;
  readonly chain: Uint8Array | null;
  readonly tail: Uint8Array | null;
}

export interface LedgerPlace {
  readonly lineNumber: number;
  readonly startByte: number;
  readonly endByte: number;
}

export interface LedgerReject extends LedgerPlace {
  /**
   * What the record is now: still rejected if `open` or `discarded`; else what it was mended to, and
   * if that is a duplicate there is a {@linkcode LedgerDuplicate}, too.
   */
  readonly state: "open" | "loaded" | "duplicate" | "discarded";
  readonly code: string;
  readonly reason: string;
  /** Of a key conflict; null in ledgers of before it was kept. */
  readonly key: string | null;
  /** The record as it was mended, if it is loaded or duplicate now. */
  readonly mended: Uint8Array | null;
  /** sha256 of the bytes kept, in hex. */
  readonly rawHash: string;
}

export interface LedgerDuplicate extends LedgerPlace {
  readonly key: string;
}

/** A row as {@linkcode Snapshot.rowsOf} gives it: its columns' texts, as in `row_text.ts`. */
export interface StoredRow {
  readonly lineNumber: number | null;
  readonly texts: readonly (string | null)[];
}

export interface SnapshotOptions {
  readonly schema: Schema;
  readonly pipeline: NamedPipeline;
  /** Only files of these paths, relative to the source; null for all. */
  readonly paths: readonly string[] | null;
}

export class Snapshot {
  readonly #sql: TransactionSql;
  readonly #schema: Schema;
  readonly #pipeline: NamedPipeline;
  readonly #paths: string[] | null;
  #hasOpenCursor = false;

  /** @param sql a transaction of isolation level repeatable read */
  constructor(sql: TransactionSql, { schema, pipeline, paths }: SnapshotOptions) {
    this.#sql = sql;
    this.#schema = schema;
    this.#pipeline = pipeline;
    this.#paths = paths as string[] | null;
  }

  async hasFile(path: string): Promise<boolean> {
    const rows = await this.#sql`
      select from pgsluice.files
      where pipeline_id = ${this.#pipeline.pipelineId} and path = ${path}
      limit 1`;
    return rows.length > 0;
  }

  /** How many files there are to verify, and how many bytes of them are committed. */
  async totals(): Promise<{ fileCount: number; byteCount: number }> {
    const [row] = await this.#sql<{ fileCount: number; byteCount: number }[]>`
      select
        count(*)::float8 as "fileCount",
        coalesce(sum(committed_byte), 0)::float8 as "byteCount"
      from pgsluice.files
      where pipeline_id = ${this.#pipeline.pipelineId}
        and (${this.#paths}::text[] is null or path = any(${this.#paths}::text[]))`;
    return row!;
  }

  /** Every generation of every file, then, unless paths were given, the rows of no file. */
  async stock(): Promise<Stock[]> {
    // no cursor: with one the server would not share the work among its processes
    const rows = await this.#sql.unsafe<FileRow[]>(
      `
with stored as (
  select file_id, count(*) as row_count, ${checksumSql(this.#schema)} as checksum
  from ${this.#pipeline.targetTable}
  where $3::text[] is null
    or file_id in (select file_id from pgsluice.files where path = any($3))
  group by file_id
), rejected as (
  select
    file_id,
    count(*) as row_count,
    count(*) filter (where state in ('loaded', 'duplicate')) as mended_count
  from pgsluice.rejects
  group by file_id
), repeated as (
  select file_id, count(*) as row_count from pgsluice.duplicates group by file_id
)
select
  (pipelines.pipeline_id = $1) is true as "isOurs",
  coalesce(files.file_id, stored.file_id)::float8 as "fileId",
  path,
  generation,
  files.time_zone as "timeZone",
  files.max_record_bytes as "maxRecordBytes",
  size_bytes::float8 as "sizeBytes",
  committed_byte::float8 as "committedByte",
  committed_line::float8 as "committedLine",
  provisional_from_byte::float8 as "provisionalFromByte",
  first_block_hash as "firstBlock",
  last_block_hash as "lastBlock",
  chain_hash as chain,
  tail_hash as tail,
  loaded::float8,
  files.rejected::float8,
  duplicate::float8,
  headers::float8,
  state,
  reason,
  archived_path as "archivedPath",
  deleted_at as "deletedAt",
  expired_at as "expiredAt",
  coalesce(stored.row_count, 0)::float8 as "rowCount",
  stored.checksum::text,
  coalesce(rejected.row_count, 0)::float8 as "rejectRows",
  coalesce(rejected.mended_count, 0)::float8 as "mendedRows",
  coalesce(repeated.row_count, 0)::float8 as "duplicateRows"
from pgsluice.files
join pgsluice.pipelines using (pipeline_id)
left join rejected using (file_id)
left join repeated using (file_id)
full join stored using (file_id)
where (pipelines.pipeline_id = $1 and ($3::text[] is null or path = any($3)))
  or (stored.row_count > 0 and target_table is distinct from $2)
order by path, generation, "fileId"`,
      [this.#pipeline.pipelineId, this.#pipeline.targetTable, this.#paths],
    );
    return rows.map((row) =>
      row.isOurs
        ? { kind: "file", file: toVerifiedFile(row) }
        : { kind: "strays", fileId: row.fileId, rowCount: row.rowCount }
    );
  }

  /** Rejects of the file that start in the range, in order. */
  async rejects(fileId: number, range: ByteRange): Promise<LedgerReject[]> {
    return await this.#sql<LedgerReject[]>`
      select
        line_number::float8 as "lineNumber",
        start_byte::float8 as "startByte",
        end_byte::float8 as "endByte",
        state,
        code,
        reason,
        key,
        case when state in ('loaded', 'duplicate') then mended end as mended,
        encode(sha256(raw), 'hex') as "rawHash"
      from pgsluice.rejects
      where file_id = ${fileId}
        and start_byte >= ${range.fromByte} and start_byte < ${range.toByte}
      order by start_byte`;
  }

  /** Duplicates of the file that start in the range, in order. */
  async duplicates(fileId: number, range: ByteRange): Promise<LedgerDuplicate[]> {
    return await this.#sql<LedgerDuplicate[]>`
      select
        line_number::float8 as "lineNumber",
        start_byte::float8 as "startByte",
        end_byte::float8 as "endByte",
        key
      from pgsluice.duplicates
      where file_id = ${fileId}
        and start_byte >= ${range.fromByte} and start_byte < ${range.toByte}
      order by start_byte`;
  }

  /** The texts of the CSV's columns of the rows with these keys, by the key's text. */
  async contentByKey(keys: readonly string[]): Promise<Map<string, readonly (string | null)[]>> {
    const key = keyColumn(this.#schema);
    const rows = await this.#sql.unsafe(
      `
select ${[key, ...this.#schema.columns].map(columnTextSql).join(", ")}
from ${this.#pipeline.targetTable}
where ${quoteIdentifier(key.name)} = any($1::${key.type}[])`,
      [keys as string[]],
    ).values() as (string | null)[][];
    return new Map(rows.map(([text, ...texts]) => [text!, texts]));
  }

  /**
   * The file's rows by line number, in pages; those without one come last. One file at a time.
   * Other queries may run between the pages, which a cursor of postgres.js bars.
   */
  async *rowsOf(fileId: number): AsyncGenerator<StoredRow[]> {
    // of a file whose bytes could not be read to their end
    if (this.#hasOpenCursor) await this.#sql.unsafe("close stored_rows");
    this.#hasOpenCursor = true;
    await this.#sql.unsafe(
      `
declare stored_rows no scroll cursor for
select line_number::float8, ${verifiedColumns(this.#schema).map(columnTextSql).join(", ")}
from ${this.#pipeline.targetTable}
where file_id = $1
order by line_number nulls last`,
      [fileId],
    );
    for (;;) {
      const rows = await this.#sql.unsafe(`fetch ${PAGE_ROWS} from stored_rows`)
        .values();
      if (rows.length > 0) yield rows.map(([lineNumber, ...texts]) => ({ lineNumber, texts }));
      if (rows.length < PAGE_ROWS) break;
    }
    await this.#sql.unsafe("close stored_rows");
    this.#hasOpenCursor = false;
  }

  /** Whether another file of the pipeline has this content, and all of it is committed. */
  async hasTwin(
    file: VerifiedFile,
    content: { sizeBytes: number; digests: ContentDigests },
  ): Promise<boolean> {
    const { digests } = content;
    const rows = await this.#sql`
      select from pgsluice.files
      where pipeline_id = ${this.#pipeline.pipelineId}
        and file_id <> ${file.fileId}
        and committed_byte = ${content.sizeBytes}
        and chain_hash is not distinct from ${digests.chain}
        and tail_hash = ${digests.tail}
        and state <> 'undone'
      limit 1`;
    return rows.length > 0;
  }

  /** Sum of a column over the rows of the pipeline's files, with the column's decimals. */
  async sumOf(column: NumericColumn): Promise<string> {
    const [row] = await this.#sql.unsafe<{ sum: string }[]>(
      `
select round(coalesce(sum(${quoteIdentifier(column.name)}), 0), $2::integer)::text as sum
from ${this.#pipeline.targetTable}
where file_id in (select file_id from pgsluice.files where pipeline_id = $1)`,
      [this.#pipeline.pipelineId, column.scale],
    );
    return row!.sum;
  }
}

export interface ByteRange {
  readonly fromByte: number;
  readonly toByte: number;
}

function toVerifiedFile(row: FileRow): VerifiedFile {
  const { isOurs: _, firstBlock, lastBlock, chain, tail, ...file } = row;
  const digests = tail === null ? null : { firstBlock, lastBlock, chain, tail };
  return { ...file, digests };
}
