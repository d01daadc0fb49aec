import type { ISql } from "postgres";
import { type NamedPipeline, noSuchFile, pathInSource } from "../sink/named_pipeline.ts";

/** Which rejects of a pipeline; what is absent does not narrow them. */
export interface RejectFilter {
  /** Those that were mended or discarded as well. */
  readonly withClosed?: boolean;
  /** Relative to the source. */
  readonly path?: string;
  readonly code?: string;
  /** Rejected at or after, in ms since 1970. */
  readonly sinceMs?: number;
}

/** A condition on `pgsluice.rejects` joined with `pgsluice.files`, for `where`. */
export function filterSql(sql: ISql, pipeline: NamedPipeline, filter: RejectFilter) {
  const { withClosed = false, path = null, code = null, sinceMs = null } = filter;
  return sql`
    files.pipeline_id = ${pipeline.pipelineId}
    and (${withClosed}::boolean or rejects.state = 'open')
    and (${path}::text is null or files.path = ${path}::text)
    and (${code}::text is null or rejects.code = ${code}::text)
    and (
      ${sinceMs}::float8 is null
      or rejects.rejected_at >= to_timestamp(${sinceMs}::float8 / 1000)
    )`;
}

/**
 * The ledger's path of a file named relative to the source, to the working folder, or absolutely.
 * @throws PgsluiceError `no-such-file` if the pipeline has none of it
 */
export async function findPath(
  sql: ISql,
  pipeline: NamedPipeline,
  file: string,
): Promise<string> {
  const path = pathInSource(file, pipeline);
  const found = await sql`
    select from pgsluice.files
    where pipeline_id = ${pipeline.pipelineId} and path = ${path}
    limit 1`;
  if (found.length === 0) throw noSuchFile(path, pipeline);
  return path;
}
