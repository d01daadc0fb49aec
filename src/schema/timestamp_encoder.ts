/**
 * Reads timestamps: ISO 8601 as `YYYY-MM-DD`, `T` or a blank, `HH:MM[:SS[.digits]]` and a zone (`Z`,
 * `UTC`, `±hh`, `±hhmm`, `±hh:mm`, or none for the pipeline's own); or an epoch, whole numbers
 * below 10^11 being seconds and all others milliseconds. Digits past microseconds must be zero.
 * Years 0 to 9999; no hour 24, no second 60.
 */
import { type ColumnEncoder, COMMA_STOPS, type FieldFaults, MALFORMED } from "./column_encoder.ts";
import type { TimeZone } from "./time_zone.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";

const DAY_SECONDS = 86_400;
const MICROS = 1_000_000;
const MICRO_DIGITS = 6;
/** Seconds from 1970 to 2000, where PostgreSQL's time begins. */
const POSTGRES_EPOCH_SECONDS = 946_684_800;
/** Within so many seconds, microseconds are exact in a double: 285 years. */
const EXACT_SECONDS = 9_000_000_000;
/** Epoch numbers of this size and above are milliseconds. */
const EPOCH_MS_FROM = 100_000_000_000;
/** 0000-01-01 and 10000-01-01, in seconds since 1970. */
const FIRST_SECOND = -62_167_219_200;
const END_SECOND = 253_402_300_800;
/** More digits than this are past any epoch that is in range. */
const EPOCH_DIGITS = 15;
/** Of `2000-01-01T00:00`. */
const SHORTEST_LENGTH = 16;
/** In place of two digits that are none: in no range, not even as the last two of a year. */
const NO_DIGITS = 10_000;

const ZERO = 0x30;
const DASH = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const COMMA = 0x2c;
const COLON = 0x3a;
const BLANK = 0x20;
const UTC = [0x55, 0x54, 0x43] as const;
const CAPITAL_Z = 0x5a;
/** `T` and `Z` in small letters, and what makes a letter small. */
const SMALL_T = 0x74;
const SMALL_Z = 0x7a;
const TO_SMALL = 0x20;

/** Code of the second fault. */
const TIME_SKIPPED = -2;

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export class TimestampEncoder implements ColumnEncoder {
  readonly faults: FieldFaults;
  readonly #timeZone: TimeZone;
  /** Of what was read last: whole seconds since 1970, rounded down. */
  seconds = 0;
  /** True if it was a local time that occurs twice, taken as the first. */
  isAmbiguous = false;
  /** Microseconds after `seconds`. */
  #micros = 0;
  /** Days from 1970 to the first of the month met last; months come in runs. */
  #month = NaN;
  #daysBefore = 0;
  #dayCount = 0;

  constructor(timeZone: TimeZone) {
    this.#timeZone = timeZone;
    this.faults = [
      {
        code: "bad_timestamp",
        expected: "expected ISO 8601, or epoch seconds or milliseconds",
      },
      {
        code: "time_skipped",
        expected: `does not exist in ${timeZone.name}: clocks were put forward over it`,
      },
    ];
  }

  encode(bytes: Uint8Array, at: number, end: number, stop: number, out: TupleBuffer): number {
    this.isAmbiguous = false;
    this.#micros = 0;
    const isDate = end - at >= SHORTEST_LENGTH && bytes[at + 4] === DASH;
    const behind = isDate ? this.#readDate(bytes, at, end, stop) : this.#readEpoch(bytes, at, end);
    if (behind < 0) return behind;
    out.putInt32(8);
    const seconds = this.seconds - POSTGRES_EPOCH_SECONDS;
    if (seconds > -EXACT_SECONDS && seconds < EXACT_SECONDS) {
      out.putInt64(seconds * MICROS + this.#micros);
    } else {
      // a billion of microseconds is a thousand seconds
      const billions = Math.floor(seconds / 1000);
      out.putBillions(billions, (seconds - 1000 * billions) * MICROS + this.#micros);
    }
    return behind;
  }

  #readDate(bytes: Uint8Array, at: number, end: number, stop: number): number {
    const year = 100 * twoDigits(bytes, at) + twoDigits(bytes, at + 2);
    const month = twoDigits(bytes, at + 5);
    const day = twoDigits(bytes, at + 8);
    const hour = twoDigits(bytes, at + 11);
    const minute = twoDigits(bytes, at + 14);
    if (
      year > 9999 || month < 1 || month > 12 || hour > 23 || minute > 59 ||
      bytes[at + 7] !== DASH || bytes[at + 13] !== COLON
    ) return MALFORMED;
    const separator = bytes[at + 10]!;
    if ((separator | TO_SMALL) !== SMALL_T && separator !== BLANK) return MALFORMED;
    this.#findMonth(year, month);
    if (day < 1 || day > this.#dayCount) return MALFORMED;
    const days = this.#daysBefore + day - 1;
    this.seconds = days * DAY_SECONDS + hour * 3600 + minute * 60;
    at += SHORTEST_LENGTH;
    if (at < end && bytes[at] === COLON) {
      at = this.#readSecond(bytes, at + 1, end, stop);
      if (at < 0) return at;
    }
    // by far the most
    if (at < end && bytes[at] === CAPITAL_Z) return at + 1;
    return this.#readZone(bytes, at, end);
  }

  #findMonth(year: number, month: number): void {
    const yearMonth = 16 * year + month;
    if (yearMonth === this.#month) return;
    this.#month = yearMonth;
    this.#daysBefore = daysSince1970(year, month);
    this.#dayCount = daysOfMonth(year, month);
  }

  /** Reads `SS` or `SS.digits`, and adds it to what was read. */
  #readSecond(bytes: Uint8Array, at: number, end: number, stop: number): number {
    const second = at + 2 <= end ? twoDigits(bytes, at) : NO_DIGITS;
    if (second > 59) return MALFORMED;
    this.seconds += second;
    at += 2;
    if (at >= end) return at;
    if (bytes[at] !== POINT && (bytes[at] !== COMMA || stop === COMMA_STOPS)) return at;
    const from = ++at;
    let micros = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit >>> 0 > 9) break;
      if (at - from < MICRO_DIGITS) micros = 10 * micros + digit;
      else if (digit > 0) return MALFORMED;
    }
    if (at === from) return MALFORMED;
    for (let missing = MICRO_DIGITS - (at - from); missing > 0; missing--) micros *= 10;
    this.#micros = micros;
    return at;
  }

  /** Reads the zone, if there is one, and takes `seconds` for a time of it. */
  #readZone(bytes: Uint8Array, at: number, end: number): number {
    const local = this.seconds;
    if (at < end && bytes[at] === BLANK) at++;
    const first = at < end ? bytes[at]! : 0;
    if ((first | TO_SMALL) === SMALL_Z) return at + 1;
    if (first === UTC[0] && at + 3 <= end && bytes[at + 1] === UTC[1] && bytes[at + 2] === UTC[2]) {
      return at + 3;
    }
    if (first !== PLUS && first !== DASH) return this.#takeLocal(local, at, end);
    const hours = at + 3 <= end ? twoDigits(bytes, at + 1) : NO_DIGITS;
    let minutes = 0;
    at += 3;
    const hasColon = at < end && bytes[at] === COLON;
    if (hasColon || (at < end && isDigit(bytes[at]!))) {
      if (hasColon) at++;
      minutes = at + 2 <= end ? twoDigits(bytes, at) : NO_DIGITS;
      at += 2;
    }
    if (hours > 23 || minutes > 59) return MALFORMED;
    const offset = hours * 3600 + minutes * 60;
    this.seconds = first === PLUS ? local - offset : local + offset;
    return at;
  }

  #readEpoch(bytes: Uint8Array, at: number, end: number): number {
    const isNegative = at < end && bytes[at] === DASH;
    if (isNegative) at++;
    const from = at;
    let value = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit >>> 0 > 9) break;
      value = 10 * value + digit;
    }
    if (at === from || at - from > EPOCH_DIGITS) return MALFORMED;
    if (isNegative) value = -value;
    if (value < EPOCH_MS_FROM) {
      this.seconds = value;
    } else {
      this.seconds = Math.floor(value / 1000);
      this.#micros = (value - 1000 * this.seconds) * 1000;
    }
    const isInRange = this.seconds >= FIRST_SECOND && this.seconds < END_SECOND;
    return isInRange ? at : MALFORMED;
  }

  /** Takes a time without a zone as one of the pipeline's zone. */
  #takeLocal(local: number, at: number, end: number): number {
    this.seconds = this.#timeZone.instantOf(local);
    this.isAmbiguous = this.#timeZone.kind === "ambiguous";
    if (this.#timeZone.kind !== "skipped") return at;
    return at < end ? MALFORMED : TIME_SKIPPED;
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

/** NO_DIGITS if they are not two digits. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? NO_DIGITS : 10 * tens + ones;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysOfMonth(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : DAYS_OF_MONTH[month - 1]!;
}

/** Of the first of the month. */
function daysSince1970(year: number, month: number): number {
  const past = year - 1;
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
  const inYear = DAYS_BEFORE_MONTH[month - 1]! + (month > 2 && isLeap(year) ? 1 : 0);
  // 719,162 days lie between 0001-01-01 and 1970-01-01
  return 365 * past + leapDays + inYear - 719_162;
}
