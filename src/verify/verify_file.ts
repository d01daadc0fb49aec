import { compareExpired } from "./compare_expired.ts";
import { compareRows } from "./compare_rows.ts";
import { KeyLookups } from "./key_lookups.ts";
import { readCommitted } from "./read_committed.ts";
import type { FatesOptions } from "./record_fates.ts";
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

/** One file against ledger and table. What is wrong goes to `options.differences`. */
export async function verifyFile(file: VerifiedFile, options: FatesOptions): Promise<FileResult> {
  try {
    const compare = file.expiredAt === null ? compareKept : compareExpired;
    return await compare(file, options);
  } catch (error) {
    if (!(error instanceof HeaderFault)) throw error;
    const reason = `its first line is no header of this schema: ${error.message}`;
    options.differences.addLine(1, { expected: "a header", found: error.message });
    return { counts: file, reason };
  }
}

/**
 * A file of which every reject and duplicate is kept: reads it once, and a second time only to name
 * the rows that differ.
 */
async function compareKept(file: VerifiedFile, options: FatesOptions): Promise<FileResult> {
  const { schema, differences } = options;
  const counts = { loaded: 0, rejected: 0, duplicate: 0 };
  const checksum = new Checksum();
  const rowText = rowTextBuilder(schema);
  const lookups = new KeyLookups(options);
  const fates = readCommitted(file, options);
  let step = await fates.next();
  for (; !step.done; step = await fates.next()) {
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
          if (fate.texts !== null) lookups.addDuplicate(fate, fate.texts);
          break;
      }
    }
    await lookups.flushFull();
  }
  await lookups.flush();
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
  return { counts, reason: step.value };
}

const COUNTS = [
  ["loaded", "loaded"],
  ["rejected", "rejected"],
  ["duplicates", "duplicate"],
] as const;
