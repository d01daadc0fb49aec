import { join } from "@std/path";
import type { ByteSource } from "../source/byte_source.ts";
import { sameDigests } from "../source/content_hash.ts";
import { hashContent } from "./hash_content.ts";
import { openReadable, UnreadableError } from "./readable_file.ts";
import type { VerifiedFile } from "./snapshot.ts";

export interface FoundSource {
  /** To be closed by the caller. */
  readonly source: ByteSource;
  /** Read where the ledger says it was moved to. */
  readonly isArchived: boolean;
}

/**
 * Opens the file where it is: at its path below `sourcePath`, or where it was moved to. The ledger
 * names the latter before the move, and after it another file may come to the path: if there are
 * two, it is the one at the path only if that holds the committed bytes.
 * @throws UnreadableError, `isGone` if it is at neither place
 */
export async function findSource(file: VerifiedFile, sourcePath: string): Promise<FoundSource> {
  const path = join(sourcePath, file.path);
  const { archivedPath } = file;
  const isArchived = archivedPath !== null && await wasMoved(file, { path, archivedPath });
  return { source: await openReadable(isArchived ? archivedPath : path), isArchived };
}

async function wasMoved(
  file: VerifiedFile,
  { path, archivedPath }: { path: string; archivedPath: string },
): Promise<boolean> {
  // what is at the path of a superseded one is a later generation
  if (file.state === "superseded") return true;
  // in this order a file that is being moved is seen at one of the two at least
  const isAtPath = await read(path, () => true) ?? false;
  const isInArchive = await read(archivedPath, () => true) ?? false;
  if (!isAtPath || !isInArchive) return isInArchive;
  const isStillAtPath = await read(path, async (source) => {
    if (file.digests === null) return false;
    const content = await hashContent(source, file.committedByte);
    return content !== null && sameDigests(content.digests(), file.digests);
  });
  return isStillAtPath !== true;
}

/** @returns null if there is no such file */
async function read<T>(
  path: string,
  use: (source: ByteSource) => T | Promise<T>,
): Promise<T | null> {
  let source: ByteSource | undefined;
  try {
    source = await openReadable(path);
    return await use(source);
  } catch (error) {
    if (error instanceof UnreadableError && error.isGone) return null;
    throw error;
  } finally {
    source?.close();
  }
}
