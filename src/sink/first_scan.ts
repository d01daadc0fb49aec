import type { Sql } from "../database/connect.ts";
import type { FileStat } from "../source/byte_source.ts";
import type { PipelineBinding } from "./pipeline_binding.ts";

/** Files entered with one statement. */
const PAGE_FILES = 5_000;

/** The reason of a file in state `skipped`. */
export const SKIPPED = "it was there before the pipeline began (--from now)";

/**
 * Writes down that the pipeline's folder was scanned for the first time, and enters what is to be
 * passed over: all of it in one transaction, for a later start must not take the rest as new.
 * @returns false if there was a scan before; then nothing is written
 */
export async function writeFirstScan(
  sql: Sql,
  { pipelineId, skipped, meaning }: {
    pipelineId: number;
    skipped: readonly (FileStat & { readonly path: string })[];
    meaning: PipelineBinding;
  },
): Promise<boolean> {
  return await sql.begin(async (transaction) => {
    const first = await transaction`
      update pgsluice.pipelines
      set scanned_at = now()
      where pipeline_id = ${pipelineId}
        and scanned_at is null
        and not exists (select from pgsluice.files where files.pipeline_id = ${pipelineId})
      returning 1`;
    if (first.length === 0) return false;
    for (let from = 0; from < skipped.length; from += PAGE_FILES) {
      const page = skipped.slice(from, from + PAGE_FILES);
      await transaction`
        insert into pgsluice.files (
          pipeline_id, path, time_zone, schema_fingerprint, dialect, max_record_bytes,
          size_bytes, modified_ms, inode, state, reason
        )
        select
          ${pipelineId}, path, ${meaning.timeZone}, ${meaning.schemaFingerprint},
          ${meaning.dialect}, ${meaning.maxRecordBytes},
          "sizeBytes", "modifiedMs", inode, 'skipped', ${SKIPPED}
        from jsonb_to_recordset(${JSON.stringify(page)}::text::jsonb) as s(
          path text, "sizeBytes" bigint, "modifiedMs" bigint, inode bigint
        )`;
    }
    return true;
  }) as boolean;
}
