import { hostId } from "../source/host_id.ts";
import { type Candidate, scanFolder } from "../source/folder_scan.ts";

/** What is in a pipeline's folder, by path; or why that cannot be told from here. */
export type FolderLook =
  | { readonly kind: "seen"; readonly candidates: ReadonlyMap<string, Candidate> }
  | { readonly kind: "unseen"; readonly why: string };

/**
 * Looks at a pipeline's source without reading a file.
 * @param options.recursive at the folders below as well
 */
export async function lookAtFolder(
  source: { readonly sourceKind: string; readonly sourceHost: string; readonly sourcePath: string },
  { recursive }: { recursive: boolean },
): Promise<FolderLook> {
  if (source.sourceKind !== "folder") {
    return { kind: "unseen", why: "a stream has none that can be seen" };
  }
  if (source.sourceHost !== await hostId()) {
    return { kind: "unseen", why: "the folder is on another machine" };
  }
  try {
    const candidates = await scanFolder(source.sourcePath, { recursive });
    return { kind: "seen", candidates: new Map(candidates.map((each) => [each.path, each])) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const why = error instanceof Deno.errors.NotFound
      ? "the folder is not there"
      : `the folder cannot be read: ${error.message}`;
    return { kind: "unseen", why };
  }
}
