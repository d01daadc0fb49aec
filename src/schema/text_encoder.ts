import type { ColumnEncoder, FieldFault } from "./column_encoder.ts";
import { type FieldCursor, isFieldEnd, isPlainText, isQuotedText } from "./field_cursor.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";
import { isUtf8 } from "./utf8.ts";

const QUOTE = 0x22;

/** Takes text as it is, blanks around it included; of a column with a list, only what is in it. */
export class TextEncoder implements ColumnEncoder {
  readonly malformed: FieldFault;
  readonly #allowed: readonly Uint8Array[] | null;

  constructor(allowed: readonly string[] | undefined) {
    const encoder = new globalThis.TextEncoder();
    this.#allowed = allowed?.map((value) => encoder.encode(value)) ?? null;
    this.malformed = { code: "not_allowed", expected: `expected ${allowed?.join(" or ")}` };
  }

  readonly encode = (cursor: FieldCursor, out: TupleBuffer): FieldFault | null => {
    if (this.#allowed !== null) return this.#encodeAllowed(this.#allowed, cursor, out);
    if (cursor.isQuoted) return this.#encodeQuoted(cursor, out);
    if (!cursor.isEndKnown) return this.#encodePlain(cursor, out);
    const { bytes, at, end } = cursor;
    out.putInt32(end - at);
    out.putBytes(bytes, at, end);
    cursor.at = end;
    return null;
  };

  #encodeAllowed(
    allowed: readonly Uint8Array[],
    cursor: FieldCursor,
    out: TupleBuffer,
  ): FieldFault | null {
    const { bytes, at } = cursor;
    for (let choice = 0; choice < allowed.length; choice++) {
      const value = allowed[choice]!;
      let index = 0;
      while (index < value.length && value[index] === bytes[at + index]) index++;
      if (index < value.length || !isFieldEnd(cursor, at + index)) continue;
      out.putInt32(value.length);
      out.putBytes(value, 0, value.length);
      cursor.at = at + index;
      return null;
    }
    return this.malformed;
  }

  /** Copies while it looks for a comma or a control character, which may be a line end. */
  #encodePlain(cursor: FieldCursor, out: TupleBuffer): FieldFault | null {
    const { bytes, at: start, end } = cursor;
    const target = out.bytes;
    let at = start;
    let to = out.length + 4;
    let orOfBytes = 0;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (!isPlainText(byte)) break;
      orOfBytes |= byte;
      target[to++] = byte;
    }
    return this.#finish(cursor, { at, to, orOfBytes }, out);
  }

  /** Copies while it looks for a quote that is not doubled, or a control character. */
  #encodeQuoted(cursor: FieldCursor, out: TupleBuffer): FieldFault | null {
    const { bytes, at: start, end } = cursor;
    const target = out.bytes;
    let at = start;
    let to = out.length + 4;
    let orOfBytes = 0;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (!isQuotedText(byte)) {
        if (byte !== QUOTE || at + 1 >= end || bytes[at + 1] !== QUOTE) break;
        at++;
      }
      orOfBytes |= byte;
      target[to++] = byte;
    }
    return this.#finish(cursor, { at, to, orOfBytes }, out);
  }

  #finish(
    cursor: FieldCursor,
    { at, to, orOfBytes }: { at: number; to: number; orOfBytes: number },
    out: TupleBuffer,
  ): FieldFault | null {
    if (orOfBytes >= 0x80 && !isUtf8(cursor.bytes, cursor.at, at)) return this.malformed;
    out.putInt32(to - out.length - 4);
    out.length = to;
    cursor.at = at;
    return null;
  }
}
