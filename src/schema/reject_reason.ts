/** Why records cannot be loaded, in words for people. */
import type { CsvRecord } from "../csv/record.ts";
import type { FieldFault } from "./column_encoder.ts";
import type { HeaderMapping } from "./header_mapping.ts";
import type { Schema } from "./schema.ts";
import { isUtf8 } from "./utf8.ts";

/** Why a record cannot be loaded. */
export interface RejectReason {
  /** Null if the record as a whole is at fault. */
  readonly columnName: string | null;
  /** Short and stable, as in `bad_number`. */
  readonly code: string;
  /** A sentence for people. */
  readonly reason: string;
}

/** So much of a wrong field is shown. */
const SHOWN_BYTES = 40;

/** What is wrong with the record before any of its values is looked at; null if nothing is. */
export function wholeRecordFault(
  record: CsvRecord,
  { schema, mapping }: { schema: Schema; mapping: HeaderMapping },
): RejectReason | null {
  if (record.hasNul) {
    return { columnName: null, code: "nul_byte", reason: "the record contains a NUL byte" };
  }
  if (record.fieldCount !== mapping.fieldCount) {
    const isShort = record.fieldCount < mapping.fieldCount;
    return {
      columnName: null,
      code: isShort ? "short_record" : "long_record",
      reason: `the record has ${record.fieldCount} fields, the header ${mapping.fieldCount}`,
    };
  }
  if (!record.hasHighBytes) return null;
  for (let field = 0; field < record.fieldCount; field++) {
    if (isUtf8(record.bytes, record.fieldStarts[field]!, record.fieldEnds[field]!)) continue;
    const columnName = schema.columns[mapping.fieldIndexes.indexOf(field)]?.name ?? null;
    return {
      columnName,
      code: "invalid_utf8",
      reason: `${columnName ?? `field ${field + 1}`} is not UTF-8`,
    };
  }
  return null;
}

export function missingValue(columnName: string): RejectReason {
  return {
    columnName,
    code: "missing_value",
    reason: `${columnName} is empty, and it is required`,
  };
}

/** @param field without blanks around it, unless the column is text */
export function wrongValue(
  columnName: string,
  { code, expected }: FieldFault,
  field: Uint8Array,
): RejectReason {
  const shown = new TextDecoder().decode(field.subarray(0, SHOWN_BYTES));
  const value = JSON.stringify(field.length > SHOWN_BYTES ? `${shown}…` : shown);
  return { columnName, code, reason: `${columnName} is ${value}: ${expected}` };
}
