import { join } from "@std/path";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { hostId } from "../source/host_id.ts";

/** What the ledger says of where a file is. */
export interface FilePlace {
  /** Relative to the source. */
  readonly path: string;
  readonly archivedPath: string | null;
  readonly fileState: string;
}

/**
 * Where the file's bytes may lie; or why they cannot be had, as it reads after "FILE: ". It may be
 * at either of two places, and another file at the other: the ledger names the archive before the
 * file is moved there.
 */
export async function sourcePaths(
  pipeline: NamedPipeline,
  { path, archivedPath, fileState }: FilePlace,
): Promise<{ readonly paths: readonly string[] } | { readonly missing: string }> {
  if (pipeline.sourceKind === "stdin") return { missing: "it was a stream" };
  if (pipeline.sourceHost !== await hostId()) return { missing: "it is on another machine" };
  const inFolder = fileState === "superseded" ? [] : [join(pipeline.sourcePath, path)];
  const paths = archivedPath === null ? inFolder : [archivedPath, ...inFolder];
  return paths.length > 0 ? { paths } : { missing: "it was replaced by a later generation" };
}
