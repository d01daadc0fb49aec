/** From a field's bytes to a column of a binary COPY tuple, one encoder for each type. */
import type { NumericColumn, SourceColumn, TextColumn, WholeColumn } from "./schema.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";

/**
 * Encodes fields of one column. The field `[start, end)` is not empty, is well-formed UTF-8
 * without NUL, and blanks around it are gone unless the column is text.
 */
export interface ColumnEncoder {
  /** Appends length and value. @returns null, or what is wrong; then nothing was appended */
  encode(bytes: Uint8Array, field: FieldRange, out: TupleBuffer): FieldFault | null;
}

export interface FieldRange {
  start: number;
  end: number;
}

export interface FieldFault {
  readonly code: string;
  /** What was expected, as in `expected a whole number of 1 or more`. */
  readonly expected: string;
}

/** Timestamps have their own reader, because other columns are derived from them. */
export function columnEncoder(
  column: Exclude<SourceColumn, { type: "timestamptz" }>,
): ColumnEncoder {
  switch (column.type) {
    case "uuid":
      return new UuidEncoder();
    case "text":
      return column.allowed === undefined ? new FreeTextEncoder() : new ChoiceEncoder(column);
    case "integer":
    case "bigint":
      return new WholeEncoder(column);
    case "numeric":
      return new NumericEncoder(column);
  }
}

const ZERO = 0x30;
const DASH = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;

class UuidEncoder implements ColumnEncoder {
  readonly #fault = {
    code: "bad_uuid",
    expected: "expected 32 hexadecimal digits as 8-4-4-4-12",
  };

  encode(bytes: Uint8Array, { start, end }: FieldRange, out: TupleBuffer): FieldFault | null {
    if (end - start !== 36) return this.#fault;
    const before = out.length;
    out.putInt32(16);
    for (let at = start; at < end;) {
      const place = at - start;
      if (place === 8 || place === 13 || place === 18 || place === 23) {
        if (bytes[at++] !== DASH) return undo(out, before, this.#fault);
        continue;
      }
      const value = hexDigit(bytes[at]!) << 4 | hexDigit(bytes[at + 1]!);
      if (value < 0) return undo(out, before, this.#fault);
      out.putByte(value);
      at += 2;
    }
    return null;
  }
}

/** -1 if it is none; a negative digit makes the whole byte negative. */
function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= 0x39) return byte - ZERO;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

class FreeTextEncoder implements ColumnEncoder {
  encode(bytes: Uint8Array, { start, end }: FieldRange, out: TupleBuffer): FieldFault | null {
    out.putInt32(end - start);
    out.putBytes(bytes, start, end);
    return null;
  }
}

class ChoiceEncoder implements ColumnEncoder {
  readonly #choices: readonly Uint8Array[];
  readonly #fault: FieldFault;

  constructor({ allowed }: TextColumn) {
    this.#choices = allowed!.map((choice) => new TextEncoder().encode(choice));
    this.#fault = { code: "not_allowed", expected: `expected ${allowed!.join(" or ")}` };
  }

  encode(bytes: Uint8Array, { start, end }: FieldRange, out: TupleBuffer): FieldFault | null {
    for (const choice of this.#choices) {
      if (choice.length !== end - start) continue;
      let index = 0;
      while (index < choice.length && bytes[start + index] === choice[index]) index++;
      if (index < choice.length) continue;
      out.putInt32(choice.length);
      out.putBytes(bytes, start, end);
      return null;
    }
    return this.#fault;
  }
}

/** So many digits are exact in a double. */
const EXACT_DIGITS = 15;

class WholeEncoder implements ColumnEncoder {
  readonly #isBig: boolean;
  readonly #smallest: bigint;
  readonly #largest: bigint;
  /** The same as doubles, near enough for numbers of few digits. */
  readonly #smallestNumber: number;
  readonly #largestNumber: number;
  readonly #notWhole: FieldFault;
  readonly #outOfRange: FieldFault;

  constructor(column: WholeColumn) {
    this.#isBig = column.type === "bigint";
    this.#largest = 2n ** (this.#isBig ? 63n : 31n) - 1n;
    this.#smallest = column.minimum === undefined ? -this.#largest - 1n : BigInt(column.minimum);
    this.#smallestNumber = Number(this.#smallest);
    this.#largestNumber = Number(this.#largest);
    const expected = `expected a whole number from ${this.#smallest} to ${this.#largest}`;
    this.#notWhole = { code: "bad_number", expected };
    this.#outOfRange = { code: "out_of_range", expected };
  }

  encode(bytes: Uint8Array, { start, end }: FieldRange, out: TupleBuffer): FieldFault | null {
    const isNegative = bytes[start] === DASH;
    const from = isNegative || bytes[start] === PLUS ? start + 1 : start;
    if (from === end) return this.#notWhole;
    let magnitude = 0;
    for (let at = from; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) return this.#notWhole;
      magnitude = 10 * magnitude + digit;
    }
    if (end - from > EXACT_DIGITS) return this.#encodeLong(bytes, { from, end, isNegative }, out);
    const value = isNegative ? -magnitude : magnitude;
    if (value < this.#smallestNumber || value > this.#largestNumber) return this.#outOfRange;
    this.#put(value, out);
    return null;
  }

  #encodeLong(
    bytes: Uint8Array,
    { from, end, isNegative }: { from: number; end: number; isNegative: boolean },
    out: TupleBuffer,
  ): FieldFault | null {
    let at = from;
    while (at < end - 1 && bytes[at] === ZERO) at++;
    // 2^63 has 19 digits; more are out of range whatever they are
    if (end - at > 19) return this.#outOfRange;
    const magnitude = BigInt(String.fromCharCode(...bytes.subarray(at, end)));
    const value = isNegative ? -magnitude : magnitude;
    if (value < this.#smallest || value > this.#largest) return this.#outOfRange;
    if (this.#isBig) {
      out.putInt32(8);
      out.putBigInt64(value);
    } else this.#put(Number(value), out);
    return null;
  }

  #put(value: number, out: TupleBuffer): void {
    if (this.#isBig) {
      out.putInt32(8);
      out.putInt64(value);
    } else {
      out.putInt32(4);
      out.putInt32(value);
    }
  }
}

/** A digit of PostgreSQL's numeric is one of these: 0 to 9999. */
const BASE = 10_000;
const BASE_DIGITS = 4;
const NEGATIVE_SIGN = 0x4000;

/**
 * `numeric` as `numeric_recv` takes it: count of base-10000 digits, weight of the first, sign,
 * decimals shown, digits.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c
 */
class NumericEncoder implements ColumnEncoder {
  readonly #scale: number;
  readonly #wholeLimit: number;
  readonly #unitsPerOne: number;
  /** Base-10000 digits behind the point, and what units are multiplied by to fill them. */
  readonly #fractionGroups: number;
  readonly #fractionShift: number;
  readonly #minimumUnits: number;
  readonly #notNumber: FieldFault;
  readonly #outOfRange: FieldFault;
  readonly #tooFine: FieldFault;
  readonly #groups: number[] = [];

  constructor({ precision, scale, minimum }: NumericColumn) {
    this.#scale = scale;
    this.#wholeLimit = 10 ** (precision - scale);
    this.#unitsPerOne = 10 ** scale;
    this.#fractionGroups = Math.ceil(scale / BASE_DIGITS);
    this.#fractionShift = 10 ** (this.#fractionGroups * BASE_DIGITS - scale);
    this.#minimumUnits = minimum === undefined ? -Infinity : minimum * this.#unitsPerOne;
    const least = minimum === undefined ? "" : ` of ${minimum} or more and`;
    const expected = `expected a number${least} below ${this.#wholeLimit}, ` +
      `with at most ${scale} decimals`;
    this.#notNumber = { code: "bad_number", expected };
    this.#outOfRange = { code: "out_of_range", expected };
    this.#tooFine = { code: "too_many_decimals", expected };
  }

  encode(bytes: Uint8Array, { start, end }: FieldRange, out: TupleBuffer): FieldFault | null {
    const isNegative = bytes[start] === DASH;
    let at = isNegative || bytes[start] === PLUS ? start + 1 : start;
    const from = at;
    let whole = 0;
    let digit = -1;
    for (; at < end; at++) {
      digit = bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      whole = 10 * whole + digit;
    }
    let digitCount = at - from;
    let fraction = 0;
    let isTooFine = false;
    if (at < end && bytes[at] === POINT) {
      at++;
      let unit = this.#unitsPerOne;
      for (; at < end; at++) {
        digit = bytes[at]! - ZERO;
        if (!(digit >= 0 && digit <= 9)) return this.#notNumber;
        digitCount++;
        unit /= 10;
        if (unit >= 1) fraction += digit * unit;
        else if (digit !== 0) isTooFine = true;
      }
    }
    if (at < end || digitCount === 0) return this.#notNumber;
    if (whole >= this.#wholeLimit) return this.#outOfRange;
    if (isTooFine) return this.#tooFine;
    const units = whole * this.#unitsPerOne + fraction;
    if ((isNegative ? -units : units) < this.#minimumUnits) return this.#outOfRange;
    this.#put({ whole, fraction, isNegative: isNegative && units > 0 }, out);
    return null;
  }

  #put(
    { whole, fraction, isNegative }: { whole: number; fraction: number; isNegative: boolean },
    out: TupleBuffer,
  ): void {
    const groups = this.#groups;
    groups.length = 0;
    // least first: fraction, then whole
    let rest = fraction * this.#fractionShift;
    for (let group = 0; group < this.#fractionGroups; group++) {
      groups.push(rest % BASE);
      rest = Math.floor(rest / BASE);
    }
    for (rest = whole; rest > 0; rest = Math.floor(rest / BASE)) groups.push(rest % BASE);
    let first = groups.length;
    while (first > 0 && groups[first - 1] === 0) first--;
    let last = 0;
    while (last < first && groups[last] === 0) last++;
    const count = first - last;
    out.putInt32(8 + 2 * count);
    out.putInt16(count);
    out.putInt16(count === 0 ? 0 : first - 1 - this.#fractionGroups);
    out.putInt16(isNegative ? NEGATIVE_SIGN : 0);
    out.putInt16(this.#scale);
    for (let index = first - 1; index >= last; index--) out.putInt16(groups[index]!);
  }
}

function undo(out: TupleBuffer, length: number, fault: FieldFault): FieldFault {
  out.length = length;
  return fault;
}
