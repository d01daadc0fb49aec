import { type ColumnEncoder, type FieldFaults, MALFORMED } from "./column_encoder.ts";
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

/** Reads UUIDs as 8-4-4-4-12 hexadecimal digits of either case. */
export class UuidEncoder implements ColumnEncoder {
  readonly faults: FieldFaults = [
    { code: "bad_uuid", expected: "expected 32 hexadecimal digits as 8-4-4-4-12" },
  ];

  encode(bytes: Uint8Array, at: number, end: number, _stop: number, out: TupleBuffer): number {
    if (end - at < TEXT_LENGTH) return MALFORMED;
    if (
      bytes[at + 8] !== HYPHEN || bytes[at + 13] !== HYPHEN || bytes[at + 18] !== HYPHEN ||
      bytes[at + 23] !== HYPHEN
    ) return MALFORMED;
    const first = fourDigits(bytes, at);
    const second = fourDigits(bytes, at + 4);
    const third = fourDigits(bytes, at + 9);
    const fourth = fourDigits(bytes, at + 14);
    const fifth = fourDigits(bytes, at + 19);
    const sixth = fourDigits(bytes, at + 24);
    const seventh = fourDigits(bytes, at + 28);
    const eighth = fourDigits(bytes, at + 32);
    if ((first | second | third | fourth | fifth | sixth | seventh | eighth) < 0) return MALFORMED;
    out.putInt32(UUID_BYTES);
    out.putInt32(first << 16 | second);
    out.putInt32(third << 16 | fourth);
    out.putInt32(fifth << 16 | sixth);
    out.putInt32(seventh << 16 | eighth);
    return at + TEXT_LENGTH;
  }
}

/** Below 0 if not all are hexadecimal digits, for -1 stays below 0 whatever is or-ed to it. */
function fourDigits(bytes: Uint8Array, at: number): number {
  return HEX_VALUES[bytes[at]!]! << 12 | HEX_VALUES[bytes[at + 1]!]! << 8 |
    HEX_VALUES[bytes[at + 2]!]! << 4 | HEX_VALUES[bytes[at + 3]!]!;
}
