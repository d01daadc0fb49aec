/** Keeps the rejects of a batch and the places of its duplicates, in the batch's transaction. */
import type { TransactionSql } from "postgres";
import { copyIn, PIECE_BYTES } from "../database/copy_in.ts";
import { COPY_HEADER_BYTES, TupleBuffer } from "../schema/tuple_buffer.ts";
import type { Reject } from "./batch.ts";
import type { DuplicateRecord, SortedRows } from "./sort_out.ts";

const COPY_REJECTS = `
copy pgsluice.rejects (
  file_id, line_number, start_byte, end_byte, column_name, code, reason, key, raw
) from stdin (format binary)`;
const REJECT_COLUMNS = 9;

const COPY_DUPLICATES = `
copy pgsluice.duplicates (file_id, line_number, start_byte, end_byte, key)
from stdin (format binary)`;
const DUPLICATE_COLUMNS = 5;

/** What a tuple takes besides its texts and raw bytes, at most. */
const FIXED_BYTES = 128;
/** A UTF-16 code unit in UTF-8 takes so much, at most. */
const UTF8_BYTES = 3;

const encoder = new TextEncoder();

export async function keepRecords(
  transaction: TransactionSql,
  { rejects, duplicates }: Pick<SortedRows, "rejects" | "duplicates">,
): Promise<void> {
  if (rejects.length > 0) {
    const bytes = tuples(rejects, putReject);
    await copyIn(transaction, { statement: COPY_REJECTS, bytes });
  }
  if (duplicates.length > 0) {
    const bytes = tuples(duplicates, putDuplicate);
    await copyIn(transaction, { statement: COPY_DUPLICATES, bytes });
  }
}

/** Input for COPY, in pieces: a batch may be nothing but rejects of 8 KiB. */
function* tuples<Row>(
  rows: readonly Row[],
  put: (row: Row, out: TupleBuffer) => void,
): Generator<Uint8Array> {
  const out = new TupleBuffer({ firstSizeBytes: PIECE_BYTES });
  let from = 0; // the header goes with the first piece alone
  for (const row of rows) {
    put(row, out);
    if (out.length < PIECE_BYTES / 2) continue;
    yield out.bytes.subarray(from, out.length);
    from = COPY_HEADER_BYTES;
    out.reset();
  }
  yield out.finish().subarray(from);
}

function putReject(reject: Reject, out: TupleBuffer): void {
  const { columnName, code, reason, key, raw } = reject;
  const textLength = (columnName?.length ?? 0) + code.length + reason.length + (key?.length ?? 0);
  out.reserve(FIXED_BYTES + UTF8_BYTES * textLength + raw.length);
  out.putInt16(REJECT_COLUMNS);
  putPlace(reject, out);
  putText(columnName, out);
  putText(code, out);
  putText(reason, out);
  putText(key, out);
  out.putInt32(raw.length);
  out.bytes.set(raw, out.length);
  out.length += raw.length;
}

function putDuplicate(duplicate: DuplicateRecord, out: TupleBuffer): void {
  out.reserve(FIXED_BYTES + UTF8_BYTES * duplicate.key.length);
  out.putInt16(DUPLICATE_COLUMNS);
  putPlace(duplicate, out);
  putText(duplicate.key, out);
}

function putPlace(
  { fileId, lineNumber, startByte, endByte }: Omit<DuplicateRecord, "key">,
  out: TupleBuffer,
): void {
  putBigint(fileId, out);
  putBigint(lineNumber, out);
  putBigint(startByte, out);
  putBigint(endByte, out);
}

function putBigint(value: number, out: TupleBuffer): void {
  out.putInt32(8);
  out.putInt64(value);
}

function putText(text: string | null, out: TupleBuffer): void {
  if (text === null) return out.putNull();
  const lengthAt = out.length;
  out.putInt32(0);
  const { written } = encoder.encodeInto(text, out.bytes.subarray(out.length));
  out.length = lengthAt;
  out.putInt32(written);
  out.length += written;
}
