import { ContentHash, sameDigests } from "../source/content_hash.ts";
import { compareRows } from "./compare_rows.ts";
import { KeyLookups } from "./key_lookups.ts";
import { type FatesEnd, type FatesOptions, readFates } from "./record_fates.ts";
import { HeaderFault } from "./row_reader.ts";
import { Checksum, rowTextBuilder } from "./row_text.ts";
import type { VerifiedFile } from "./snapshot.ts";

/** What became of the file's records, as read in the file. */
export interface FileCounts {
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
}

export interface FileResult {
  readonly counts: FileCounts;
  /** What is wrong with the file as a whole, if anything is. */
  readonly reason: string | null;
}

/**
 * One file against ledger and table: reads [0, committedByte) once, and a second time only to name
 * the rows that differ. What is wrong goes to `options.differences`.
 */
export async function verifyFile(file: VerifiedFile, options: FatesOptions): Promise<FileResult> {
  try {
    return await readFile(file, options);
  } catch (error) {
    if (!(error instanceof HeaderFault)) throw error;
    const reason = `its first line is no header of this schema: ${error.message}`;
    options.differences.addLine(1, { expected: "a header", found: error.message });
    return { counts: file, reason };
  }
}

async function readFile(file: VerifiedFile, options: FatesOptions): Promise<FileResult> {
  const { schema, snapshot, differences, onBytes } = options;
  const counts = { loaded: 0, rejected: 0, duplicate: 0 };
  const checksum = new Checksum();
  const rowText = rowTextBuilder(schema);
  const content = new ContentHash();
  const lookups = new KeyLookups({ schema, snapshot, differences });
  const fates = readFates(file, {
    ...options,
    onBytes: (bytes) => {
      content.update(bytes);
      onBytes?.(bytes);
    },
  });
  let end: FatesEnd | null = null;
  while (end === null) {
    const step = await fates.next();
    if (step.done) {
      end = step.value;
      break;
    }
    for (const fate of step.value) {
      switch (fate.kind) {
        case "loaded":
          counts.loaded++;
          checksum.add(rowText(fate.lineNumber, fate.texts));
          break;
        case "rejected":
          counts.rejected++;
          if (fate.texts !== null) lookups.addReject(fate.reject, fate.texts);
          break;
        case "duplicate":
          counts.duplicate++;
          if (fate.texts !== null) lookups.addDuplicate(fate.duplicate, fate.texts);
          break;
      }
    }
    await lookups.flushFull();
  }
  await lookups.flush();
  const reason = otherBytes(file, { end, content });
  if (reason !== null) {
    differences.addFact({ expected: "the bytes that were loaded", found: reason });
  } else compareEnd(file, { end, options });
  for (const [noun, name] of COUNTS) {
    differences.addCount(`${noun} in the ledger`, { expected: counts[name], found: file[name] });
  }
  if (counts.loaded !== file.rowCount || !checksum.equals(file.checksum)) {
    const before = differences.count;
    await compareRows(file, options);
    if (differences.count === before) {
      differences.addFact({ expected: "the same checksum of rows", found: "another one" });
    }
  }
  return { counts, reason };
}

const COUNTS = [
  ["loaded", "loaded"],
  ["rejected", "rejected"],
  ["duplicates", "duplicate"],
] as const;

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
