import type { ISql } from "postgres";
import type { FileState } from "../sink/ledger_file.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";

/** One generation of a file, as the ledger has it. */
export interface ListedFile {
  readonly path: string;
  readonly generation: number;
  readonly state: FileState;
  readonly reason: string | null;
  /** As last seen on disk; null for a stream. */
  readonly sizeBytes: number | null;
  readonly committedBytes: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly archivedPath: string | null;
  readonly deletedAtMs: number | null;
  readonly expiredAtMs: number | null;
  readonly updatedAtMs: number;
}

/** Every generation of every file, by path, then generation. */
export async function listFiles(
  sql: ISql,
  { pipeline, state }: { pipeline: NamedPipeline; state: FileState | null },
): Promise<ListedFile[]> {
  return await sql<ListedFile[]>`
    select
      path,
      generation,
      state,
      reason,
      size_bytes::float8 as "sizeBytes",
      committed_byte::float8 as "committedBytes",
      loaded::float8,
      rejected::float8,
      duplicate::float8,
      archived_path as "archivedPath",
      (extract(epoch from deleted_at) * 1000)::float8 as "deletedAtMs",
      (extract(epoch from expired_at) * 1000)::float8 as "expiredAtMs",
      (extract(epoch from updated_at) * 1000)::float8 as "updatedAtMs"
    from pgsluice.files
    where pipeline_id = ${pipeline.pipelineId}
      and (${state}::text is null or state = ${state})
    order by path, generation`;
}
