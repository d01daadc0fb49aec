import type { ColumnEncoder, FieldFault } from "./column_encoder.ts";
import type { FieldCursor } from "./field_cursor.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";

const UUID_BYTES = 16;
const TEXT_LENGTH = 36;
const HYPHEN = 0x2d;

/** The value of a byte as a hexadecimal digit; -1 if it is none. */
const HEX_VALUES = new Int8Array(256).fill(-1);
for (const [value, digit] of [..."0123456789abcdef"].entries()) {
  HEX_VALUES[digit.charCodeAt(0)] = value;
  HEX_VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/** In 8-4-4-4-12, where the digits of each byte begin and where the hyphens are. */
const DIGIT_PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const HYPHEN_PLACES = [8, 13, 18, 23];

/** Reads UUIDs as 8-4-4-4-12 hexadecimal digits of either case. */
export class UuidEncoder implements ColumnEncoder {
  readonly malformed = {
    code: "bad_uuid",
    expected: "expected 32 hexadecimal digits as 8-4-4-4-12",
  };

  readonly encode = (cursor: FieldCursor, out: TupleBuffer): FieldFault | null => {
    const { bytes, at: start } = cursor;
    if (cursor.end - start < TEXT_LENGTH) return this.malformed;
    for (let index = 0; index < HYPHEN_PLACES.length; index++) {
      if (bytes[start + HYPHEN_PLACES[index]!] !== HYPHEN) return this.malformed;
    }
    out.putInt32(UUID_BYTES);
    const target = out.bytes;
    const to = out.length;
    let check = 0;
    for (let index = 0; index < UUID_BYTES; index++) {
      const from = start + DIGIT_PLACES[index]!;
      const high = HEX_VALUES[bytes[from]!]!;
      const low = HEX_VALUES[bytes[from + 1]!]!;
      check |= high | low;
      target[to + index] = high << 4 | low;
    }
    if (check < 0) return this.malformed;
    out.length = to + UUID_BYTES;
    cursor.at = start + TEXT_LENGTH;
    return null;
  };
}
