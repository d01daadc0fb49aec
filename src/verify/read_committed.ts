import { ContentHash, sameDigests } from "../source/content_hash.ts";
import { type Fate, type FatesEnd, type FatesOptions, readFates } from "./record_fates.ts";
import type { VerifiedFile } from "./snapshot.ts";

/**
 * Reads [0, committedByte) of the file as {@linkcode readFates} does, and compares what the ledger
 * says of these bytes as a whole: their hash, their lines, how they end.
 *
 * Returns what is wrong with the file as a whole; null if nothing is.
 * @throws HeaderFault
 */
export async function* readCommitted(
  file: VerifiedFile,
  options: FatesOptions,
): AsyncGenerator<Fate[], string | null> {
  const content = new ContentHash();
  const end = yield* readFates(file, {
    ...options,
    onBytes: (bytes) => {
      content.update(bytes);
      options.onBytes?.(bytes);
    },
  });
  const reason = otherBytes(file, { end, content });
  if (reason === null) compareEnd(file, { end, options });
  else options.differences.addFact({ expected: "the bytes that were loaded", found: reason });
  return reason;
}

/** Says so if the file is not the one that was loaded. */
function otherBytes(
  file: VerifiedFile,
  { end, content }: { end: FatesEnd; content: ContentHash },
): string | null {
  if (end.endByte < file.committedByte) {
    return `it has ${end.endByte} bytes, of which ${file.committedByte} were loaded`;
  }
  if (file.digests !== null && !sameDigests(content.digests(), file.digests)) {
    return "its bytes have changed since they were loaded";
  }
  return null;
}

/** Compares what the ledger says of the place it stands at. */
function compareEnd(
  file: VerifiedFile,
  { end, options: { differences } }: { end: FatesEnd; options: FatesOptions },
): void {
  const { committedByte, committedLine, provisionalFromByte } = file;
  differences.addCount(`lines before byte ${committedByte}`, {
    expected: end.lineCount,
    found: committedLine,
  });
  differences.addCount("repeated headers", { expected: end.headers, found: file.headers });
  const { unterminatedFromByte } = end;
  if (unterminatedFromByte === null) return;
  // an open quote before it may depend on the end as well
  if (provisionalFromByte === null || provisionalFromByte > unterminatedFromByte) {
    differences.addFact({
      expected: `a last record without newline, from byte ${unterminatedFromByte}, as provisional`,
      found: provisionalFromByte === null ? "none" : `one from byte ${provisionalFromByte}`,
    });
  }
}
