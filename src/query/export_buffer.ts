/**
 * Text being made of values in PostgreSQL's binary formats, without a string in between.
 *
 * Invariant: `[0, length)` is what was put. The `put` methods write without looking: `reserve` comes
 * before them; only those of texts and numerics, whose size is the value's, see to it themselves.
 * @see https://github.com/postgres/postgres/tree/master/src/backend/utils/adt for the formats: the
 * `_send` function of each type
 */
const FIRST_SIZE_BYTES = 512 * 1024;

const ZERO = 0x30;
const DASH = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const COLON = 0x3a;
const CAPITAL_T = 0x54;
const CAPITAL_Z = 0x5a;
/** The two hexadecimal digits of each byte. */
const HEX_HIGH = new Uint8Array(256);
const HEX_LOW = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const digits = byte.toString(16).padStart(2, "0");
  HEX_HIGH[byte] = digits.charCodeAt(0);
  HEX_LOW[byte] = digits.charCodeAt(1);
}

const TWO_TO_32 = 0x1_0000_0000;
/** High halves from -2^21 to below 2^21 make numbers that a double holds exactly. */
const EXACT_HIGH = 0x20_0000;
const BILLION = 1_000_000_000;
const NINE_DIGITS = 9;

/** A digit of PostgreSQL's numeric is one of these: 0 to 9999. */
const BASE_DIGITS = 4;
const NEGATIVE_SIGN = 0x4000;
/** Signs of what is no number, as JSON and CSV have to write it. */
const SPECIAL_NUMERICS: ReadonlyMap<number, string> = new Map([
  [0xc000, "NaN"],
  [0xd000, "Infinity"],
  [0xf000, "-Infinity"],
]);

const DAY_MICROS = 86_400_000_000;
const SECOND_MICROS = 1_000_000;
const MS_MICROS = 1_000;
/** Days from 0000-03-01 to 2000-01-01, where PostgreSQL's time begins. */
const MARCH_ZERO_DAYS = 730_425;
const DAYS_OF_400_YEARS = 146_097;
/** High halves of what is no time: before all, and after all. */
const INFINITY_HIGH = 0x7fff_ffff;
const MINUS_INFINITY_HIGH = -0x8000_0000;

export class ExportBuffer {
  bytes = new Uint8Array(FIRST_SIZE_BYTES);
  length = 0;
  /** Days since 2000 of `#dayText`: events of a day stand together. */
  #day = NaN;
  /** As in `2026-03-14`. */
  #dayText = new Uint8Array(0);

  /** Makes sure that so many bytes can be put. */
  reserve(byteCount: number): void {
    if (this.length + byteCount <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.bytes.length + byteCount));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  putByte(byte: number): void {
    this.bytes[this.length++] = byte;
  }

  putBytes(from: Uint8Array): void {
    const { bytes } = this;
    let to = this.length;
    for (let index = 0; index < from.length; index++) bytes[to++] = from[index]!;
    this.length = to;
  }

  putAscii(text: string): void {
    for (let index = 0; index < text.length; index++) this.putByte(text.charCodeAt(index));
  }

  putUuid(from: Uint8Array, at: number): void {
    const { bytes } = this;
    let to = this.length;
    for (let index = 0; index < 16; index++) {
      const byte = from[at + index]!;
      bytes[to++] = HEX_HIGH[byte]!;
      bytes[to++] = HEX_LOW[byte]!;
      if (index === 3 || index === 5 || index === 7 || index === 9) bytes[to++] = DASH;
    }
    this.length = to;
  }

  putInt32(from: Uint8Array, at: number): void {
    this.#putSafe(int32(from, at));
  }

  putInt64(from: Uint8Array, at: number): void {
    const high = int32(from, at);
    if (high >= -EXACT_HIGH && high < EXACT_HIGH) {
      this.#putSafe(high * TWO_TO_32 + (int32(from, at + 4) >>> 0));
    } else {
      this.putAscii(int64(from, at).toString());
    }
  }

  /** With all the decimals that it has. @param quote put around what is no number; 0 for none */
  putNumeric(from: Uint8Array, at: number, quote: number): void {
    const digitCount = uint16(from, at);
    const weight = uint16(from, at + 2) << 16 >> 16;
    const sign = uint16(from, at + 4);
    const decimals = uint16(from, at + 6);
    const special = SPECIAL_NUMERICS.get(sign);
    if (special !== undefined) {
      if (quote !== 0) this.putByte(quote);
      this.putAscii(special);
      if (quote !== 0) this.putByte(quote);
      return;
    }
    this.reserve(BASE_DIGITS * (Math.max(weight, 0) + 2) + decimals + BASE_DIGITS);
    const digits = at + 8;
    const digitAt = (index: number) =>
      index >= 0 && index < digitCount ? uint16(from, digits + 2 * index) : 0;
    if (sign === NEGATIVE_SIGN) this.putByte(DASH);
    this.#putSafe(weight < 0 ? 0 : digitAt(0));
    for (let index = 1; index <= weight; index++) this.#putPadded(digitAt(index), BASE_DIGITS);
    if (decimals === 0) return;
    this.putByte(POINT);
    const end = this.length + decimals;
    for (let index = weight + 1; this.length < end; index++) {
      this.#putPadded(digitAt(index), BASE_DIGITS);
    }
    this.length = end;
  }

  /** As in `2026-03-14T10:00:00.000Z`: milliseconds, or microseconds where it has them. */
  putTimestamp(from: Uint8Array, at: number): void {
    const high = int32(from, at);
    const low = int32(from, at + 4) >>> 0;
    if (high === INFINITY_HIGH && low === TWO_TO_32 - 1) return this.putAscii("infinity");
    if (high === MINUS_INFINITY_HIGH && low === 0) return this.putAscii("-infinity");
    let day: number;
    let micros: number;
    if (high >= -EXACT_HIGH && high < EXACT_HIGH) {
      const all = high * TWO_TO_32 + low;
      day = Math.floor(all / DAY_MICROS);
      micros = all - day * DAY_MICROS;
    } else {
      const all = int64(from, at);
      const rest = all % BigInt(DAY_MICROS);
      day = Number((all - rest) / BigInt(DAY_MICROS));
      micros = Number(rest);
      if (micros < 0) {
        micros += DAY_MICROS;
        day--;
      }
    }
    if (day !== this.#day) {
      this.#day = day;
      this.#dayText = dayText(day);
    }
    this.putBytes(this.#dayText);
    this.putByte(CAPITAL_T);
    const seconds = Math.floor(micros / SECOND_MICROS);
    const fraction = micros - seconds * SECOND_MICROS;
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    this.#putPadded(hours, 2);
    this.putByte(COLON);
    this.#putPadded(minutes - 60 * hours, 2);
    this.putByte(COLON);
    this.#putPadded(seconds - 60 * minutes, 2);
    this.putByte(POINT);
    if (fraction % MS_MICROS === 0) this.#putPadded(fraction / MS_MICROS, 3);
    else this.#putPadded(fraction, 6);
    this.putByte(CAPITAL_Z);
  }

  /** A whole number that a double holds exactly. */
  #putSafe(value: number): void {
    if (value < 0) {
      this.putByte(DASH);
      value = -value;
    }
    if (value < BILLION) {
      this.#putPadded(value, digitCountOf(value));
    } else {
      const billions = Math.floor(value / BILLION);
      this.#putPadded(billions, digitCountOf(billions));
      this.#putPadded(value - billions * BILLION, NINE_DIGITS);
    }
  }

  /** @param value not negative, and below 2^31 */
  #putPadded(value: number, digitCount: number): void {
    const { bytes } = this;
    const end = this.length + digitCount;
    for (let to = end - 1; to >= this.length; to--) {
      const rest = value / 10 | 0;
      bytes[to] = ZERO + value - 10 * rest;
      value = rest;
    }
    this.length = end;
  }
}

function digitCountOf(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count++;
  return count;
}

/**
 * The date in the Gregorian calendar, as ISO 8601 has it; year 0 is 1 BC. Years out of 0 to 9999 have
 * a sign and six digits.
 * @see https://howardhinnant.github.io/date_algorithms.html#civil_from_days
 */
function dayText(daysSince2000: number): Uint8Array<ArrayBuffer> {
  // the leap day ends a year that begins in March
  const days = daysSince2000 + MARCH_ZERO_DAYS;
  const era = Math.floor(days / DAYS_OF_400_YEARS);
  const ofEra = days - era * DAYS_OF_400_YEARS;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) -
      Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra -
    (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = yearOfEra + 400 * era + (month <= 2 ? 1 : 0);
  const padded = (value: number, digitCount: number) => String(value).padStart(digitCount, "0");
  const yearText = year >= 0 && year <= 9999
    ? padded(year, 4)
    : String.fromCharCode(year < 0 ? DASH : PLUS) + padded(Math.abs(year), 6);
  return new TextEncoder().encode(`${yearText}-${padded(month, 2)}-${padded(day, 2)}`);
}

function uint16(from: Uint8Array, at: number): number {
  return from[at]! << 8 | from[at + 1]!;
}

function int32(from: Uint8Array, at: number): number {
  return from[at]! << 24 | from[at + 1]! << 16 | from[at + 2]! << 8 | from[at + 3]!;
}

function int64(from: Uint8Array, at: number): bigint {
  return BigInt(int32(from, at)) << 32n | BigInt(int32(from, at + 4) >>> 0);
}
