/**
 * The second half of taking rows out: records that waited for them, as duplicates or key conflicts,
 * are read again from their files and loaded by the way of every record that may meet another.
 */
import { join } from "@std/path";
import type { TransactionSql } from "postgres";
import { RecordScanner } from "../csv/record_scanner.ts";
import { quoteIdentifier } from "../database/quote_identifier.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { Schema } from "../schema/schema.ts";
import { type ByteSource, openFile } from "../source/byte_source.ts";
import { hostId } from "../source/host_id.ts";
import { LoneRecords, type RecordFile } from "./lone_record.ts";
import { insertMinutes } from "./minute_deltas.ts";
import { keepRecords } from "./keep_records.ts";
import { RowLoader } from "./row_loader.ts";
import { STAGING_TABLE } from "./staging.ts";
import type { RemovalTarget } from "./take_out_rows.ts";

/** Records read again with one COPY: bounds memory. */
const PAGE_RECORDS = 2_000;
/** How far the clocks may be apart of two servers of which one took the other's place. */
const CLOCK_MARGIN = "1 hour";
/** How many files are named in a refusal. */
const NAMED_FILES = 5;

interface WaitingRecord {
  readonly ordinal: number;
  readonly fileId: number;
  readonly lineNumber: number;
  readonly startByte: number;
  readonly endByte: number;
  readonly key: string;
  /** Of a key conflict, or of a reject that was mended into a duplicate. */
  readonly rejectId: number | null;
  /** The record as it was mended; null if it is to be read in the file. */
  readonly mended: Uint8Array | null;
}

interface WaitingFile {
  readonly fileId: number;
  readonly path: string;
  readonly generation: number;
  readonly archivedPath: string | null;
  readonly header: Uint8Array | null;
  readonly timeZone: string;
  readonly maxRecordBytes: number;
  readonly pipelineName: string;
  readonly sourceKind: "folder" | "stdin";
  readonly sourceHost: string;
  readonly sourcePath: string;
  /** True if all of its records that wait were mended, so that the file itself is not needed. */
  readonly isMended: boolean;
}

/**
 * Reads again what waited for the rows that `takeOutRows` removed.
 * @returns how many records were read again
 * @throws PgsluiceError `waiting-source-gone` that names the files that cannot be read, and
 * `waiting-expired` if it is no longer known which records waited; roll back then
 */
export async function readWaitingAgain(
  transaction: TransactionSql,
  target: RemovalTarget,
): Promise<number> {
  await transaction`
    create temporary table pgsluice_waiting on commit drop as
    select
      row_number() over (order by file_id, start_byte) as ordinal,
      waiting.*
    from (
      select d.file_id, d.line_number, d.start_byte, d.end_byte, d.key, r.reject_id, r.mended
      from pgsluice.duplicates d
      join pg_temp.pgsluice_removed using (key)
      left join pgsluice.rejects r
        on r.file_id = d.file_id and r.start_byte = d.start_byte and r.state = 'duplicate'
      union all
      select file_id, line_number, start_byte, end_byte, key, reject_id, null
      from pgsluice.rejects
      join pg_temp.pgsluice_removed using (key)
      where state = 'open'
    ) waiting
    join pgsluice.files using (file_id)
    join pgsluice.pipelines using (pipeline_id)
    where target_table = ${target.table}`;
  // only now, for what was forgotten before the look above is seen here
  await refuseExpired(transaction, target.table);
  const files = await openWaitingFiles(transaction);
  const loader = new RowLoader(target);
  let count = 0;
  try {
    for (;;) {
      const page = await transaction<WaitingRecord[]>`
        select
          ordinal::float8 as ordinal,
          file_id::float8 as "fileId",
          line_number::float8 as "lineNumber",
          start_byte::float8 as "startByte",
          end_byte::float8 as "endByte",
          key,
          reject_id::float8 as "rejectId",
          mended
        from pg_temp.pgsluice_waiting
        where ordinal > ${count}
        order by ordinal
        limit ${PAGE_RECORDS}`;
      if (page.length === 0) break;
      await loadPage(transaction, { page, files, loader, ...target });
      count += page.length;
    }
  } finally {
    closeAll(files);
  }
  await transaction`drop table pg_temp.pgsluice_waiting`;
  await transaction`truncate pg_temp.pgsluice_removed`;
  return count;
}

/**
 * A file that expired may have had duplicates of the removed rows, unless it was settled before the
 * first of these came.
 */
async function refuseExpired(transaction: TransactionSql, table: string): Promise<void> {
  const [removed] = await transaction<{ any: boolean }[]>`
    select exists (select from pg_temp.pgsluice_removed) as any`;
  if (!removed!.any) return;
  const expired = await transaction<{ path: string }[]>`
    select path
    from pgsluice.files
    join pgsluice.pipelines using (pipeline_id)
    where target_table = ${table}
      and expired_at is not null
      and duplicate > 0
      and updated_at > (
        select coalesce(min(ingested_at), '-infinity') - ${CLOCK_MARGIN}::interval
        from pg_temp.pgsluice_removed
      )
    order by path
    limit ${NAMED_FILES}`;
  if (expired.length === 0) return;
  throw new PgsluiceError(
    "waiting-expired",
    "rows cannot be taken out of the table: `pgsluice prune` forgot which records of " +
      `${
        expired.map(({ path }) => path).join(", ")
      } were duplicates, and they may be of these rows`,
    { hint: "nothing was changed; delete the rows yourself if you know that none are" },
  );
}

/** `source` is null if only mended records of it wait. */
type OpenWaitingFile = RecordFile & { readonly source: ByteSource | null };

async function openWaitingFiles(
  transaction: TransactionSql,
): Promise<ReadonlyMap<number, OpenWaitingFile>> {
  const rows = await transaction<WaitingFile[]>`
    select
      file_id::float8 as "fileId",
      path,
      generation,
      archived_path as "archivedPath",
      header,
      files.time_zone as "timeZone",
      files.max_record_bytes as "maxRecordBytes",
      name as "pipelineName",
      source_kind as "sourceKind",
      source_host as "sourceHost",
      source_path as "sourcePath",
      (
        select bool_and(mended is not null)
        from pg_temp.pgsluice_waiting w
        where w.file_id = files.file_id
      ) as "isMended"
    from pgsluice.files
    join pgsluice.pipelines using (pipeline_id)
    where file_id in (select file_id from pg_temp.pgsluice_waiting)
    order by path`;
  const here = await hostId();
  const opened = new Map<number, OpenWaitingFile>();
  const missing: string[] = [];
  for (const row of rows) {
    const isHere = row.sourceKind === "folder" && row.sourceHost === here;
    const source = isHere && !row.isMended ? await openWaiting(row) : null;
    const header = row.header ?? (source === null ? null : await readHeaderBytes(source, row));
    if (header === null || (source === null && !row.isMended)) missing.push(row.path);
    if (header !== null) opened.set(row.fileId, { ...row, header, source });
  }
  if (missing.length === 0) return opened;
  closeAll(opened);
  const named = missing.slice(0, NAMED_FILES).join(", ");
  const more = missing.length > NAMED_FILES ? ` and ${missing.length - NAMED_FILES} more` : "";
  throw new PgsluiceError(
    "waiting-source-gone",
    "rows cannot be taken out of the table: records that are duplicates of them would have to be " +
      `read again, and these can no longer be read: ${named}${more}`,
    {
      hint: "nothing was changed; put those files back where they were loaded from, then try again",
      exitCode: EXIT.data,
    },
  );
}

function closeAll(files: ReadonlyMap<number, OpenWaitingFile>): void {
  for (const { source } of files.values()) source?.close();
}

async function openWaiting(file: WaitingFile): Promise<ByteSource | null> {
  // at its path there may be another one by now
  for (const path of [file.archivedPath, join(file.sourcePath, file.path)]) {
    if (path === null) continue;
    try {
      return await openFile(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}

/** The header of a file that was loaded when the ledger did not keep it. */
async function readHeaderBytes(
  source: ByteSource,
  { maxRecordBytes }: WaitingFile,
): Promise<Uint8Array | null> {
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes });
  for (let byte = 0;;) {
    const byteCount = await source.read(byte, scanner.room());
    scanner.grow(byteCount);
    byte += byteCount;
    const step = scanner.next(byteCount === 0);
    if (step === "more") continue;
    if (step !== "record") return null;
    return scanner.bytes.slice(scanner.recordStart, scanner.recordEnd);
  }
}

async function loadPage(
  transaction: TransactionSql,
  { page, files, loader, schema, table }: RemovalTarget & {
    page: readonly WaitingRecord[];
    files: ReadonlyMap<number, OpenWaitingFile>;
    loader: RowLoader;
  },
): Promise<void> {
  const records = new LoneRecords(schema);
  for (const record of page) {
    const file = files.get(record.fileId)!;
    const bytes = record.mended ?? await readRange(file.source!, record);
    if (bytes === null || records.add(file, { ...record, bytes }) !== null) {
      throw otherBytes(file, record);
    }
  }
  const sorted = records.atTheirPlaces(
    await loader.load(transaction, { batch: records.batch, route: "staging" }),
  );
  await insertMinutes(transaction, { ...sorted, table });
  await refuseOtherKeys(transaction, { page, files, schema });
  await forgetWaiting(transaction, page);
  // a mended record keeps its reject, which tells what it was mended to
  const mended = new Map(
    page.filter((record) => record.mended !== null).map((record) => [placeOf(record), record]),
  );
  await keepRecords(transaction, {
    duplicates: sorted.duplicates,
    rejects: sorted.rejects.filter((reject) => !mended.has(placeOf(reject))),
  });
  for (const reject of sorted.rejects) {
    const record = mended.get(placeOf(reject));
    if (record === undefined) continue;
    mended.delete(placeOf(reject));
    const { code, reason, key, columnName } = reject;
    await transaction`
      update pgsluice.rejects
      set
        state = 'open', mended = null, closed_at = null,
        column_name = ${columnName}, code = ${code}, reason = ${reason}, key = ${key}
      where reject_id = ${record.rejectId}`;
  }
  for (const duplicate of sorted.duplicates) mended.delete(placeOf(duplicate));
  for (const { rejectId } of mended.values()) {
    await transaction`
      update pgsluice.rejects set state = 'loaded' where reject_id = ${rejectId}`;
  }
  for (const { segment, loaded, rejected, duplicate } of sorted.moves) {
    const mine = page.filter(({ fileId }) => fileId === segment.fileId);
    const duplicatesBefore = mine.filter(isDuplicate).length;
    // no new revision: where the file is committed to does not change
    await transaction`
      update pgsluice.files
      set
        loaded = loaded + ${loaded},
        rejected = rejected + ${rejected - (mine.length - duplicatesBefore)},
        duplicate = duplicate + ${duplicate - duplicatesBefore}
      where file_id = ${segment.fileId}`;
  }
}

function isDuplicate({ rejectId, mended }: WaitingRecord): boolean {
  return rejectId === null || mended !== null;
}

function placeOf({ fileId, startByte }: { fileId: number; startByte: number }): string {
  return `${fileId}:${startByte}`;
}

/** The places found in the ledger must still hold the records that were read there. */
async function refuseOtherKeys(
  transaction: TransactionSql,
  { page, files, schema }: {
    page: readonly WaitingRecord[];
    files: ReadonlyMap<number, OpenWaitingFile>;
    schema: Schema;
  },
): Promise<void> {
  const [other] = await transaction.unsafe<{ ordinal: number }[]>(
    `
select ordinal::float8 as ordinal
from pg_temp.pgsluice_waiting w
left join ${STAGING_TABLE} s using (file_id, line_number)
where w.ordinal between $1 and $2
  and s.${quoteIdentifier(schema.key)}::text is distinct from w.key
order by ordinal
limit 1`,
    [page[0]!.ordinal, page.at(-1)!.ordinal],
  );
  if (other === undefined) return;
  const record = page.find(({ ordinal }) => ordinal === other.ordinal)!;
  throw otherBytes(files.get(record.fileId)!, record);
}

/** Takes the page's duplicates and key conflicts out of the ledger. */
async function forgetWaiting(
  transaction: TransactionSql,
  page: readonly WaitingRecord[],
): Promise<void> {
  const [first, last] = [page[0]!.ordinal, page.at(-1)!.ordinal];
  await transaction`
    delete from pgsluice.duplicates d
    using pg_temp.pgsluice_waiting w
    where w.ordinal between ${first} and ${last}
      and (w.reject_id is null or w.mended is not null)
      and d.file_id = w.file_id
      and d.start_byte = w.start_byte`;
  await transaction`
    delete from pgsluice.rejects r
    using pg_temp.pgsluice_waiting w
    where w.ordinal between ${first} and ${last}
      and w.mended is null
      and r.reject_id = w.reject_id`;
}

async function readRange(
  source: ByteSource,
  { startByte, endByte }: WaitingRecord,
): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(endByte - startByte);
  for (let filled = 0; filled < bytes.length;) {
    const byteCount = await source.read(startByte + filled, bytes.subarray(filled));
    if (byteCount === 0) return null;
    filled += byteCount;
  }
  return bytes;
}

function otherBytes(file: RecordFile, { lineNumber, key }: WaitingRecord): PgsluiceError {
  return new PgsluiceError(
    "waiting-source-gone",
    `rows cannot be taken out of the table: line ${lineNumber} of ${file.path} was a duplicate of ` +
      `key ${key} and would have to be read again, but the file holds something else there`,
    {
      hint: "nothing was changed; put the file back as it was loaded, then try again",
      exitCode: EXIT.data,
    },
  );
}
