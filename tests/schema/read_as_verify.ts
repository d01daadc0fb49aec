/** Reads bytes as verify does, without a database. */
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { readRecords } from "../../src/verify/record_reader.ts";
import { RowReader } from "../../src/verify/row_reader.ts";

export interface VerifyOptions {
  readonly timeZone: string;
  readonly maxRecordBytes: number;
  readonly pipelineName: string;
  readonly path: string;
}

export interface VerifyRecord {
  readonly startByte: number;
  readonly endByte: number;
  readonly lineNumber: number;
  readonly isHeader: boolean;
  /** By column, as in `row_text.ts`; null if the record is no row. */
  readonly texts: readonly (string | null)[] | null;
}

/** The records after the header. @throws HeaderFault */
export async function readAsVerify(
  bytes: Uint8Array,
  { timeZone, maxRecordBytes, pipelineName, path }: VerifyOptions,
): Promise<VerifyRecord[]> {
  const source = {
    read(atByte: number, into: Uint8Array) {
      const piece = bytes.subarray(atByte, atByte + into.length);
      into.set(piece);
      return Promise.resolve(piece.length);
    },
    close() {},
  };
  const found: VerifyRecord[] = [];
  let rows: RowReader | null = null;
  for await (const block of readRecords(source, { endByte: bytes.length, maxRecordBytes })) {
    for (const record of block.records) {
      if (rows === null) {
        const file = { path, generation: 1, timeZone };
        rows = new RowReader(record, { block, schema: USER_EVENTS, file, pipelineName });
        continue;
      }
      const { startByte, endByte, lineNumber } = record;
      const isHeader = rows.isHeader(record, block);
      const row = isHeader ? null : rows.read(record);
      found.push({
        startByte,
        endByte,
        lineNumber,
        isHeader,
        texts: row?.ok ? row.texts : null,
      });
    }
  }
  return found;
}
