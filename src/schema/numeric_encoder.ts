import { type ColumnEncoder, type FieldFaults, MALFORMED } from "./column_encoder.ts";
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

/** Codes of the faults after the first. */
const OUT_OF_RANGE = -2;
const TOO_FINE = -3;

/**
 * Reads decimal numbers: a sign or none, digits, a point among them, before or behind them, or
 * none. Appends them as `numeric_recv` takes them: count of base-10000 digits, weight of the
 * first, sign, decimals shown, digits.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c
 */
export class NumericEncoder implements ColumnEncoder {
  readonly faults: FieldFaults;
  readonly #scale: number;
  readonly #wholeLimit: number;
  readonly #unitsPerOne: number;
  readonly #minimumUnits: number;
  /** What makes a fraction the one base-10000 digit that it is; 0 if it takes more of them. */
  readonly #toOneDigit: number;
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
    this.#toOneDigit = scale <= BASE_DIGITS ? 10 ** (BASE_DIGITS - scale) : 0;
    this.#digits = new Int32Array(
      Math.ceil((precision - scale) / BASE_DIGITS) + Math.ceil(scale / BASE_DIGITS),
    );
    const least = minimum === undefined ? "" : ` of ${minimum} or more and`;
    const expected = `expected a number${least} below ${this.#wholeLimit}, ` +
      `with at most ${scale} decimals`;
    this.faults = [
      { code: "bad_number", expected },
      { code: "out_of_range", expected },
      { code: "too_many_decimals", expected },
    ];
  }

  encode(bytes: Uint8Array, at: number, end: number, _stop: number, out: TupleBuffer): number {
    const scale = this.#scale;
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
    if (digitCount === 0) return MALFORMED;
    for (; decimals < scale; decimals++) fraction *= 10;
    const units = whole * this.#unitsPerOne + fraction;
    let fault = 0;
    if (whole >= this.#wholeLimit) fault = OUT_OF_RANGE;
    else if (isTooFine) fault = TOO_FINE;
    else if ((isNegative ? -units : units) < this.#minimumUnits) fault = OUT_OF_RANGE;
    // what goes on behind the number is none, whatever else is wrong
    if (fault !== 0) return at < end ? MALFORMED : fault;
    const sign = isNegative && units > 0 ? NEGATIVE_SIGN : 0;
    if (whole > 0 && whole < BASE && this.#toOneDigit > 0) {
      putShort(whole, fraction * this.#toOneDigit, sign << 16 | scale, out);
    } else {
      this.#findDigits(whole, fraction);
      this.#put(sign, out);
    }
    return at;
  }

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

  #put(sign: number, out: TupleBuffer): void {
    const count = this.#digitCount;
    out.putInt32(8 + 2 * count);
    out.putInt16(count);
    out.putInt16(this.#weight);
    out.putInt16(sign);
    out.putInt16(this.#scale);
    for (let index = 0; index < count; index++) out.putInt16(this.#digits[index]!);
  }
}

/** Puts a number of one digit before the point and one or none behind, as most prices are. */
function putShort(whole: number, fraction: number, signAndScale: number, out: TupleBuffer): void {
  const count = fraction > 0 ? 2 : 1;
  out.putInt32(8 + 2 * count);
  out.putInt32(count << 16); // and weight 0
  out.putInt32(signAndScale);
  out.putInt16(whole);
  if (fraction > 0) out.putInt16(fraction);
}
