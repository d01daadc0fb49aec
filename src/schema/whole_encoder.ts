import type { ColumnEncoder, FieldFault } from "./column_encoder.ts";
import type { FieldCursor } from "./field_cursor.ts";
import type { WholeColumn } from "./schema.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";

const ZERO = 0x30;
const DASH = 0x2d;
const PLUS = 0x2b;
/** The digits behind the billions. */
const REST_DIGITS = 9;
const BILLION = 1_000_000_000;

/**
 * Reads whole numbers: a sign or none, then digits, leading zeros included. They are carried as
 * billions and a rest, so that they are exact over the whole of int64.
 */
export class WholeEncoder implements ColumnEncoder {
  readonly malformed: FieldFault;
  readonly #outOfRange: FieldFault;
  readonly #isBig: boolean;
  readonly #smallestBillions: number;
  readonly #smallestRest: number;
  readonly #largestBillions: number;
  readonly #largestRest: number;

  constructor(column: WholeColumn) {
    this.#isBig = column.type === "bigint";
    const largest = 2n ** (this.#isBig ? 63n : 31n) - 1n;
    const smallest = column.minimum === undefined ? -largest - 1n : BigInt(column.minimum);
    this.#smallestBillions = Number(smallest / BigInt(BILLION));
    this.#smallestRest = Number(smallest % BigInt(BILLION));
    this.#largestBillions = Number(largest / BigInt(BILLION));
    this.#largestRest = Number(largest % BigInt(BILLION));
    const expected = `expected a whole number from ${smallest} to ${largest}`;
    this.malformed = { code: "bad_number", expected };
    this.#outOfRange = { code: "out_of_range", expected };
  }

  readonly encode = (cursor: FieldCursor, out: TupleBuffer): FieldFault | null => {
    const { bytes, end } = cursor;
    let { at } = cursor;
    const isNegative = bytes[at] === DASH;
    if (isNegative || bytes[at] === PLUS) at++;
    const from = at;
    while (at < end && bytes[at] === ZERO) at++;
    const first = at;
    let rest = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit >>> 0 > 9) break;
      rest = 10 * rest + digit;
    }
    cursor.at = at;
    if (at === from) return this.malformed;
    let billions = 0;
    if (at - first > REST_DIGITS) {
      billions = digitsIn(bytes, first, at - REST_DIGITS);
      rest = digitsIn(bytes, at - REST_DIGITS, at);
    }
    return isNegative ? this.#put(-billions, -rest, out) : this.#put(billions, rest, out);
  };

  #put(billions: number, rest: number, out: TupleBuffer): FieldFault | null {
    if (billions <= this.#smallestBillions) {
      if (billions < this.#smallestBillions || rest < this.#smallestRest) return this.#outOfRange;
    }
    if (billions >= this.#largestBillions) {
      if (billions > this.#largestBillions || rest > this.#largestRest) return this.#outOfRange;
    }
    if (!this.#isBig) {
      out.putInt32(4);
      out.putInt32(billions * BILLION + rest);
    } else if (billions === 0) {
      out.putInt32(8);
      out.putInt64(rest);
    } else {
      out.putInt32(8);
      out.putBillions(billions, rest);
    }
    return null;
  }
}

/** The number of the digits in `[start, end)`; not exact past 2^53. */
function digitsIn(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = 10 * value + bytes[at]! - ZERO;
  return value;
}
