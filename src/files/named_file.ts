import type { ISql } from "postgres";
import type { KnownFile } from "../sink/ledger.ts";
import type { FileState } from "../sink/ledger_file.ts";
import { type NamedPipeline, noSuchFile, pathInSource } from "../sink/named_pipeline.ts";

/** The latest generation of a file, as a command that changes it finds it. */
export interface NamedFile extends KnownFile {
  readonly generation: number;
  readonly state: FileState;
  readonly reason: string | null;
  readonly archivedPath: string | null;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
}

/** Columns of `pgsluice.files` that make a {@linkcode NamedFile}. */
function namedFileColumns(sql: ISql) {
  return sql`
    file_id::float8 as "fileId",
    path,
    generation,
    revision::float8 as revision,
    committed_byte::float8 as "committedByte",
    state,
    reason,
    archived_path as "archivedPath",
    loaded::float8,
    rejected::float8,
    duplicate::float8`;
}

/**
 * @param file named relative to the source, to the working folder, or absolutely
 * @throws PgsluiceError `no-such-file`
 */
export async function findNamedFile(
  sql: ISql,
  { pipeline, file }: { pipeline: NamedPipeline; file: string },
): Promise<NamedFile> {
  const path = pathInSource(file, pipeline);
  const [row] = await sql<NamedFile[]>`
    select ${namedFileColumns(sql)}
    from pgsluice.files
    where pipeline_id = ${pipeline.pipelineId} and path = ${path} and state <> 'superseded'`;
  if (row === undefined) throw noSuchFile(path, pipeline);
  return row;
}

/** The latest generation of every file, by path. */
export async function latestFiles(sql: ISql, pipeline: NamedPipeline): Promise<NamedFile[]> {
  return await sql<NamedFile[]>`
    select ${namedFileColumns(sql)}
    from pgsluice.files
    where pipeline_id = ${pipeline.pipelineId} and state <> 'superseded'
    order by path`;
}
