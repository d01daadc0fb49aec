/**
 * What became of each record of a file: what the file says, put side by side with the ledger. What
 * does not fit together is named on the way.
 */
import type { Schema } from "../schema/schema.ts";
import type { ByteSource } from "../source/byte_source.ts";
import { LedgerPlaces } from "./ledger_places.ts";
import type { SplitRecord } from "./record_block.ts";
import { type ReaderEnd, readRecords, readSingleRecord } from "./record_reader.ts";
import { type ReadRow, RowReader } from "./row_reader.ts";
import type { LedgerReject, Snapshot, VerifiedFile } from "./snapshot.ts";
import type { Differences } from "./verify_report.ts";

/** Texts of the columns, as in `row_text.ts`; null if the record is not valid. */
type Texts = readonly (string | null)[];

export type Fate =
  /** As it is in the file, or as it was mended. */
  | { readonly kind: "loaded"; readonly lineNumber: number; readonly texts: Texts }
  | { readonly kind: "rejected"; readonly reject: LedgerReject; readonly texts: Texts | null }
  | {
    readonly kind: "duplicate";
    readonly lineNumber: number;
    /** As the ledger has it. */
    readonly key: string;
    readonly texts: Texts | null;
  }
  /** Of an expired file: it has neither reject nor duplicate, and may have had one. */
  | { readonly kind: "unkept"; readonly lineNumber: number; readonly texts: Texts | null }
  | { readonly kind: "invalid" };

export interface FatesEnd extends ReaderEnd {
  /** Later records equal to the header. */
  readonly headers: number;
}

export interface FatesOptions {
  readonly source: ByteSource;
  readonly schema: Schema;
  readonly pipelineName: string;
  readonly snapshot: Snapshot;
  readonly differences: Differences;
  /** Sees every byte read, in order; valid during the call. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/**
 * Reads [0, committedByte) of the file. A block of records a step.
 * @throws HeaderFault if its first record is no header of the schema
 */
export async function* readFates(
  file: VerifiedFile,
  options: FatesOptions,
): AsyncGenerator<Fate[], FatesEnd> {
  const { source, schema, pipelineName, snapshot, differences, onBytes } = options;
  const places = new LedgerPlaces(file, { snapshot, differences });
  const blocks = readRecords(source, {
    endByte: file.committedByte,
    maxRecordBytes: file.maxRecordBytes,
    ...(onBytes && { onBytes }),
  });
  let rows: RowReader | null = null;
  let headers = 0;
  for (;;) {
    const step = await blocks.next();
    if (step.done) {
      await places.finish();
      return { ...step.value, headers };
    }
    const block = step.value;
    await places.load(block.records.at(-1)!.endByte);
    const fates: Fate[] = [];
    for (const record of block.records) {
      if (rows === null) {
        rows = new RowReader(record, { block, schema, file, pipelineName });
        continue;
      }
      if (rows.isHeader(record, block)) {
        headers++;
        continue;
      }
      const { lineNumber } = record;
      const { reject, duplicate } = places.take(record, block);
      if (reject?.state === "loaded" || reject?.state === "duplicate") {
        const row = readMended(reject, { record, rows, maxRecordBytes: file.maxRecordBytes });
        if (!row.ok) {
          differences.addLine(lineNumber, {
            expected: `a mended record that is ${reject.state} now`,
            found: row.reason,
          });
          fates.push({ kind: "invalid" });
        } else if (reject.state === "loaded") {
          fates.push({ kind: "loaded", lineNumber, texts: row.texts });
        } else if (duplicate !== undefined) {
          fates.push({ kind: "duplicate", lineNumber, key: duplicate.key, texts: row.texts });
        } else {
          differences.addLine(lineNumber, {
            expected: "a duplicate, to which its reject was mended",
            found: "none in the ledger",
          });
          fates.push({ kind: "invalid" });
        }
        continue;
      }
      const row = rows.read(record);
      const texts = row.ok ? row.texts : null;
      if (reject !== undefined) {
        fates.push({ kind: "rejected", reject, texts });
      } else if (duplicate === undefined && file.expiredAt !== null) {
        fates.push({ kind: "unkept", lineNumber, texts });
      } else if (duplicate === undefined && texts !== null) {
        fates.push({ kind: "loaded", lineNumber, texts });
      } else {
        if (!row.ok) {
          differences.addLine(lineNumber, {
            expected: `a reject (${row.reason})`,
            found: duplicate === undefined ? "none in the ledger" : "a duplicate",
          });
        }
        fates.push(
          duplicate === undefined
            ? { kind: "invalid" }
            : { kind: "duplicate", lineNumber, key: duplicate.key, texts },
        );
      }
    }
    yield fates;
  }
}

/** The mended record, in the place of the one that it was made of. */
function readMended(
  { mended }: LedgerReject,
  { record: { startByte, lineNumber }, rows, maxRecordBytes }: {
    record: SplitRecord;
    rows: RowReader;
    maxRecordBytes: number;
  },
): ReadRow {
  if (mended === null) return { ok: false, reason: "none is kept" };
  const record = readSingleRecord(mended, { startByte, lineNumber, maxRecordBytes });
  if (record === null) return { ok: false, reason: "bytes that are not one record" };
  const row = rows.read(record);
  return row.ok ? row : { ok: false, reason: `one that is not valid (${row.reason})` };
}
