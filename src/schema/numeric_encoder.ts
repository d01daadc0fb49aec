import type { ColumnEncoder, FieldFault } from "./column_encoder.ts";
import type { FieldCursor } from "./field_cursor.ts";
import type { NumericColumn } from "./schema.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";

const ZERO = 0x30;
const DASH = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;

/** A digit of PostgreSQL's numeric is one of these: 0 to 9999. */
const BASE = 10_000;
const BASE_DIGITS = 4;
const NEGATIVE_SIGN = 0x4000;

/**
 * Reads decimal numbers: a sign or none, digits, a point among them, before or behind them, or
 * none. Appends them as `numeric_recv` takes them: count of base-10000 digits, weight of the
 * first, sign, decimals shown, digits.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c
 */
export class NumericEncoder implements ColumnEncoder {
  readonly malformed: FieldFault;
  readonly #outOfRange: FieldFault;
  readonly #tooFine: FieldFault;
  readonly #scale: number;
  readonly #wholeLimit: number;
  readonly #unitsPerOne: number;
  readonly #minimumUnits: number;
  /** The digits found last, how many they are, and the power of the base that the first has. */
  readonly #digits: Int32Array;
  #digitCount = 0;
  #weight = 0;

  constructor({ precision, scale, minimum }: NumericColumn) {
    this.#scale = scale;
    this.#wholeLimit = 10 ** (precision - scale);
    this.#unitsPerOne = 10 ** scale;
    // 1.1 * 100 is not 110
    this.#minimumUnits = minimum === undefined ? -Infinity : Math.round(minimum * 10 ** scale);
    this.#digits = new Int32Array(
      Math.ceil((precision - scale) / BASE_DIGITS) + Math.ceil(scale / BASE_DIGITS),
    );
    const least = minimum === undefined ? "" : ` of ${minimum} or more and`;
    const expected = `expected a number${least} below ${this.#wholeLimit}, ` +
      `with at most ${scale} decimals`;
    this.malformed = { code: "bad_number", expected };
    this.#outOfRange = { code: "out_of_range", expected };
    this.#tooFine = { code: "too_many_decimals", expected };
  }

  readonly encode = (cursor: FieldCursor, out: TupleBuffer): FieldFault | null => {
    const { bytes, end } = cursor;
    const scale = this.#scale;
    let { at } = cursor;
    const isNegative = bytes[at] === DASH;
    if (isNegative || bytes[at] === PLUS) at++;
    let from = at;
    let whole = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit >>> 0 > 9) break;
      whole = 10 * whole + digit;
    }
    let digitCount = at - from;
    let fraction = 0;
    let decimals = 0;
    let isTooFine = false;
    if (at < end && bytes[at] === POINT) {
      from = ++at;
      for (; at < end; at++) {
        const digit = bytes[at]! - ZERO;
        if (digit >>> 0 > 9) break;
        if (at - from < scale) fraction = 10 * fraction + digit;
        else if (digit > 0) isTooFine = true;
      }
      decimals = at - from;
      digitCount += decimals;
    }
    cursor.at = at;
    if (digitCount === 0) return this.malformed;
    if (whole >= this.#wholeLimit) return this.#outOfRange;
    if (isTooFine) return this.#tooFine;
    for (; decimals < scale; decimals++) fraction *= 10;
    const units = whole * this.#unitsPerOne + fraction;
    if ((isNegative ? -units : units) < this.#minimumUnits) return this.#outOfRange;
    this.#findDigits(whole, fraction);
    this.#put(isNegative && units > 0, out);
    return null;
  };

  /** Finds the base-10000 digits, those of the whole part first, without zeros at either end. */
  #findDigits(whole: number, fraction: number): void {
    const digits = this.#digits;
    let count = 0;
    let weight = -1;
    if (whole > 0) {
      let power = 1;
      for (weight = 0; whole >= power * BASE; weight++) power *= BASE;
      for (let rest = whole; power >= 1; power /= BASE) {
        const digit = Math.floor(rest / power);
        rest -= digit * power;
        digits[count++] = digit;
      }
    }
    let power = this.#unitsPerOne;
    for (let rest = fraction; rest > 0;) {
      let digit: number;
      if (power > BASE) {
        power /= BASE;
        digit = Math.floor(rest / power);
        rest -= digit * power;
      } else {
        digit = rest * (BASE / power);
        rest = 0;
      }
      if (count === 0 && digit === 0) weight--;
      else digits[count++] = digit;
    }
    while (count > 0 && digits[count - 1] === 0) count--;
    this.#digitCount = count;
    this.#weight = count === 0 ? 0 : weight;
  }

  #put(isNegative: boolean, out: TupleBuffer): void {
    const count = this.#digitCount;
    out.putInt32(8 + 2 * count);
    out.putInt16(count);
    out.putInt16(this.#weight);
    out.putInt16(isNegative ? NEGATIVE_SIGN : 0);
    out.putInt16(this.#scale);
    for (let index = 0; index < count; index++) out.putInt16(this.#digits[index]!);
  }
}
