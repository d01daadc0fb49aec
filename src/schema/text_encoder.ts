import {
  type ColumnEncoder,
  END_STOPS,
  type FieldFaults,
  MALFORMED,
  QUOTE_STOPS,
} from "./column_encoder.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";
import { isUtf8 } from "./utf8.ts";

const BLANK = 0x20;
const LENGTH_BYTES = 4;

/** Takes text as it is, blanks around it included. */
export class TextEncoder implements ColumnEncoder {
  readonly faults: FieldFaults = [{ code: "invalid_utf8", expected: "expected UTF-8" }];

  /** Copies while it looks for the end. */
  encode(bytes: Uint8Array, at: number, end: number, stop: number, out: TupleBuffer): number {
    const target = out.bytes;
    const lengthAt = out.length;
    const start = at;
    let to = lengthAt + LENGTH_BYTES;
    if (stop === END_STOPS) {
      while (at < end) target[to++] = bytes[at++]!;
    } else {
      let orOfBytes = 0;
      for (; at < end; at++) {
        const byte = bytes[at]!;
        if (byte === stop) {
          // a doubled quote is one, and goes on
          if (stop !== QUOTE_STOPS || at + 1 >= end || bytes[at + 1] !== QUOTE_STOPS) break;
          at++;
        } else if (byte < BLANK) break; // a line end, or rare
        orOfBytes |= byte;
        target[to++] = byte;
      }
      if (orOfBytes >= 0x80 && !isUtf8(bytes, start, at)) return MALFORMED;
    }
    out.putInt32(to - lengthAt - LENGTH_BYTES);
    out.length = to;
    return at;
  }
}
