import type { Sql } from "../database/connect.ts";
import { RecordScanner } from "../csv/record_scanner.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { mappingOf } from "../sink/lone_record.ts";
import type { Schema } from "../schema/schema.ts";
import { type HeaderFacts, readFileHeader } from "./file_header.ts";
import type { ListedReject } from "./list_rejects.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { scanBytes } from "../csv/scan_bytes.ts";

/** Everything about one reject. */
export interface RejectDetails extends ListedReject {
  /** `[startByte, endByte)` in the file, line end included. */
  readonly startByte: number;
  readonly endByte: number;
  /** Of a key conflict. */
  readonly key: string | null;
  readonly closedAt: string | null;
  /** The record's bytes, cut at 8 KiB. */
  readonly raw: Uint8Array;
  /** The record as it was mended. */
  readonly mended: Uint8Array | null;
  /** `[from, to)` in `raw` of the column at fault, its quotes left out; null if not known. */
  readonly fault: { readonly from: number; readonly to: number } | null;
}

type DetailsRow = Omit<RejectDetails, "fault"> & Omit<HeaderFacts, "path">;

/**
 * @returns in the order of the ids
 * @throws PgsluiceError `no-such-reject` that names those the pipeline does not have
 */
export async function showRejects(
  sql: Sql,
  { pipeline, schema, ids }: { pipeline: NamedPipeline; schema: Schema; ids: readonly number[] },
): Promise<RejectDetails[]> {
  const rows = await sql<DetailsRow[]>`
    select
      reject_id::float8 as id,
      rejects.state,
      files.path as file,
      files.generation,
      line_number::float8 as line,
      start_byte::float8 as "startByte",
      end_byte::float8 as "endByte",
      column_name as column,
      code,
      rejects.reason,
      key,
      to_char(rejected_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "rejectedAt",
      to_char(closed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "closedAt",
      raw,
      mended,
      archived_path as "archivedPath",
      files.state as "fileState",
      max_record_bytes as "maxRecordBytes",
      committed_byte::float8 as "committedByte",
      coalesce(first_block_hash, tail_hash) as "beginningHash",
      header
    from pgsluice.rejects
    join pgsluice.files using (file_id)
    where pipeline_id = ${pipeline.pipelineId}
      and reject_id = any(${ids as number[]}::bigint[])`;
  const byId = new Map(rows.map((row) => [row.id, row]));
  const missing = ids.filter((id) => !byId.has(id));
  if (missing.length > 0) {
    throw new PgsluiceError(
      "no-such-reject",
      `pipeline ${pipeline.name} has no reject ${missing.join(", ")}`,
      { hint: "`pgsluice rejects list --all` shows those there are" },
    );
  }
  const details: RejectDetails[] = [];
  for (const id of ids) {
    const row = byId.get(id)!;
    const found = row.column === null
      ? null
      : await readFileHeader({ ...row, path: row.file }, { pipeline, schema });
    const index = schema.columns.findIndex(({ name }) => name === row.column);
    const field = found?.ok ? mappingOf(schema, found.header).fieldIndexes[index] ?? -1 : -1;
    details.push(detailsOf(row, fieldPlace(row, field)));
  }
  return details;
}

/** Without what is known of the file. */
function detailsOf(row: DetailsRow, fault: RejectDetails["fault"]): RejectDetails {
  return {
    id: row.id,
    state: row.state,
    file: row.file,
    generation: row.generation,
    line: row.line,
    startByte: row.startByte,
    endByte: row.endByte,
    column: row.column,
    code: row.code,
    reason: row.reason,
    key: row.key,
    rejectedAt: row.rejectedAt,
    closedAt: row.closedAt,
    raw: row.raw,
    mended: row.mended,
    fault,
  };
}

function fieldPlace(
  { raw, startByte, endByte }: Pick<RejectDetails, "raw" | "startByte" | "endByte">,
  field: number,
): RejectDetails["fault"] {
  if (field === -1) return null;
  const scanner = new RecordScanner({
    startByte: 1,
    startLine: 1,
    maxRecordBytes: endByte - startByte,
  });
  const [step] = scanBytes(scanner, { bytes: raw, atEnd: true });
  if (step !== "record" || field >= Math.min(scanner.fieldCount, scanner.fieldStarts.length)) {
    return null;
  }
  const from = scanner.fieldStarts[field]! - scanner.recordStart;
  return { from, to: scanner.fieldEnds[field]! - scanner.recordStart };
}
