/**
 * What became of each record of a file: what the file says, put side by side with the ledger. What
 * does not fit together is named on the way.
 */
import type { Schema } from "../schema/schema.ts";
import type { ByteSource } from "../source/byte_source.ts";
import { LedgerPlaces } from "./ledger_places.ts";
import { type ReaderEnd, readRecords } from "./record_reader.ts";
import { RowReader } from "./row_reader.ts";
import type { LedgerDuplicate, LedgerReject, Snapshot, VerifiedFile } from "./snapshot.ts";
import type { Differences } from "./verify_report.ts";

/** Texts of the columns, as in `row_text.ts`; null if the record is not valid. */
type Texts = readonly (string | null)[];

export type Fate =
  | { readonly kind: "loaded"; readonly lineNumber: number; readonly texts: Texts }
  | { readonly kind: "rejected"; readonly reject: LedgerReject; readonly texts: Texts | null }
  | {
    readonly kind: "duplicate";
    readonly duplicate: LedgerDuplicate;
    readonly texts: Texts | null;
  }
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
      const row = rows.read(record);
      const { reject, duplicate } = places.take(record, block);
      const texts = row.ok ? row.texts : null;
      if (reject !== undefined) {
        fates.push({ kind: "rejected", reject, texts });
      } else if (duplicate === undefined && texts !== null) {
        fates.push({ kind: "loaded", lineNumber: record.lineNumber, texts });
      } else {
        if (!row.ok) {
          differences.addLine(record.lineNumber, {
            expected: `a reject (${row.reason})`,
            found: duplicate === undefined ? "none in the ledger" : "a duplicate",
          });
        }
        fates.push(
          duplicate === undefined ? { kind: "invalid" } : { kind: "duplicate", duplicate, texts },
        );
      }
    }
    yield fates;
  }
}
