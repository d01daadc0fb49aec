import { type ColumnEncoder, type FieldFaults, MALFORMED } from "./column_encoder.ts";
import type { WholeColumn } from "./schema.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";

const ZERO = 0x30;
const DASH = 0x2d;
const PLUS = 0x2b;
/** The digits behind the billions. */
const REST_DIGITS = 9;
const BILLION = 1_000_000_000;

/** Code of the second fault. */
const OUT_OF_RANGE = -2;

/**
 * Reads whole numbers: a sign or none, then digits, leading zeros included. They are carried as
 * billions and a rest, so that they are exact over the whole of int64.
 */
export class WholeEncoder implements ColumnEncoder {
  readonly faults: FieldFaults;
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
    this.faults = [{ code: "bad_number", expected }, { code: "out_of_range", expected }];
  }

  encode(bytes: Uint8Array, at: number, end: number, _stop: number, out: TupleBuffer): number {
    const isNegative = bytes[at] === DASH;
    if (isNegative || bytes[at] === PLUS) at++;
    const from = at;
    while (at < end && bytes[at] === ZERO) at++;
    const first = at;
    // so many digits are an int32, which is quick
    const restEnd = end - at > REST_DIGITS ? at + REST_DIGITS : end;
    let rest = 0;
    for (; at < restEnd; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit >>> 0 > 9) break;
      rest = 10 * rest + digit;
    }
    if (at === from) return MALFORMED;
    let billions = 0;
    if (at - first === REST_DIGITS) {
      while (at < end && bytes[at]! - ZERO >>> 0 <= 9) at++;
      billions = digitsIn(bytes, first, at - REST_DIGITS);
      rest = digitsIn(bytes, at - REST_DIGITS, at);
    }
    if (isNegative) {
      billions = -billions;
      rest = -rest;
    }
    // what goes on behind the number is none, whatever else is wrong
    if (!this.#isInRange(billions, rest)) return at < end ? MALFORMED : OUT_OF_RANGE;
    this.#put(billions, rest, out);
    return at;
  }

  #isInRange(billions: number, rest: number): boolean {
    if (billions <= this.#smallestBillions) {
      if (billions < this.#smallestBillions || rest < this.#smallestRest) return false;
    }
    if (billions >= this.#largestBillions) {
      if (billions > this.#largestBillions || rest > this.#largestRest) return false;
    }
    return true;
  }

  #put(billions: number, rest: number, out: TupleBuffer): void {
    if (!this.#isBig) {
      out.putInt32(4);
      out.putInt32((billions * BILLION + rest) | 0);
    } else {
      out.putInt32(8);
      if (billions === 0) {
        out.putInt32(rest >> 31); // the sign
        out.putInt32(rest);
      } else out.putBillions(billions, rest);
    }
  }
}

/** The number of the digits in `[start, end)`; not exact past 2^53. */
function digitsIn(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = 10 * value + bytes[at]! - ZERO;
  return value;
}
