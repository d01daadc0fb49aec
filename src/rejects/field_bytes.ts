import { type CsvRecord, QUOTED_FIELD_WITH_QUOTES } from "../csv/record.ts";

const QUOTE = 0x22;

/** A copy of a field's content, each doubled quote being one. */
export function fieldBytes(record: CsvRecord, index: number): Uint8Array<ArrayBuffer> {
  const start = record.fieldStarts[index]!;
  const end = record.fieldEnds[index]!;
  const bytes = new Uint8Array(record.bytes.subarray(start, end));
  if (record.fieldQuoting[index] !== QUOTED_FIELD_WITH_QUOTES) return bytes;
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    bytes[length++] = bytes[at]!;
    if (bytes[at] === QUOTE) at++;
  }
  return bytes.slice(0, length);
}
