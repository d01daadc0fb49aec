import { type ColumnEncoder, type FieldFaults, MALFORMED } from "./column_encoder.ts";
import { isFieldEnd } from "./field_bytes.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";

/** Takes text that is, byte for byte, one of a list. */
export class AllowedTextEncoder implements ColumnEncoder {
  readonly faults: FieldFaults;
  readonly #allowed: readonly Uint8Array[];

  constructor(allowed: readonly string[]) {
    const encoder = new TextEncoder();
    this.#allowed = allowed.map((value) => encoder.encode(value));
    this.faults = [{ code: "not_allowed", expected: `expected ${allowed.join(" or ")}` }];
  }

  encode(bytes: Uint8Array, at: number, end: number, stop: number, out: TupleBuffer): number {
    const allowed = this.#allowed;
    for (let choice = 0; choice < allowed.length; choice++) {
      const value = allowed[choice]!;
      let index = 0;
      while (index < value.length && value[index] === bytes[at + index]) index++;
      if (index < value.length || !isFieldEnd(bytes, at + index, end, stop)) continue;
      out.putInt32(index);
      out.putBytes(value, 0, index);
      return at + index;
    }
    return MALFORMED;
  }
}
