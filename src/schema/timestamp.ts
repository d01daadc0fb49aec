/**
 * Reads timestamps out of bytes: ISO 8601 as `YYYY-MM-DD`, `T` or a blank, `HH:MM[:SS[.digits]]`
 * and a zone (`Z`, `UTC`, `±hh`, `±hhmm`, `±hh:mm`, or none for the pipeline's own); or an epoch,
 * whole numbers below 10^11 being seconds and all others milliseconds. Digits past microseconds
 * must be zero. Years 0 to 9999.
 */
import type { TimeZone } from "./time_zone.ts";

const DAY_SECONDS = 86_400;
/** Epoch numbers of this size and above are milliseconds. */
const EPOCH_MS_FROM = 100_000_000_000;
/** 0000-01-01 and 10000-01-01, in seconds since 1970. */
const FIRST_SECOND = -62_167_219_200;
const END_SECOND = 253_402_300_800;
/** More digits than this are past any epoch that is in range. */
const EPOCH_DIGITS = 15;

const ZERO = 0x30;
const DASH = 0x2d;
const PLUS = 0x2b;
const COLON = 0x3a;
const BLANK = 0x20;

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export type TimestampFault = "bad_timestamp" | "time_skipped";

export class TimestampReader {
  readonly #timeZone: TimeZone;
  /** Of what was read last: whole seconds since 1970, rounded down, and microseconds after them. */
  seconds = 0;
  micros = 0;
  /** True if it was a local time that occurs twice, taken as the first. */
  isAmbiguous = false;

  constructor(timeZone: TimeZone) {
    this.#timeZone = timeZone;
  }

  /** Reads `[start, end)`. @returns null, or what is wrong */
  read(bytes: Uint8Array, start: number, end: number): TimestampFault | null {
    this.isAmbiguous = false;
    if (end - start < 16 || bytes[start + 4] !== DASH) return this.#readEpoch(bytes, start, end);
    const year = 100 * twoDigits(bytes, start) + twoDigits(bytes, start + 2);
    const month = twoDigits(bytes, start + 5);
    const day = twoDigits(bytes, start + 8);
    const hour = twoDigits(bytes, start + 11);
    const minute = twoDigits(bytes, start + 14);
    const between = bytes[start + 10]!;
    // a pair that is not two digits is NaN, which is in no range
    if (
      !(year >= 0 && month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59) ||
      day > daysOfMonth(year, month) || bytes[start + 7] !== DASH || bytes[start + 13] !== COLON ||
      (between !== 0x54 && between !== BLANK && between !== 0x74)
    ) return "bad_timestamp";
    let at = start + 16;
    let second = 0;
    this.micros = 0;
    if (at < end && bytes[at] === COLON) {
      second = at + 3 <= end ? twoDigits(bytes, at + 1) : NaN;
      if (!(second <= 59)) return "bad_timestamp";
      at += 3;
      if (at < end && (bytes[at] === 0x2e || bytes[at] === 0x2c)) {
        at = this.#readFraction(bytes, at + 1, end);
        if (at === -1) return "bad_timestamp";
      }
    }
    const local = daysSince1970(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 +
      second;
    return this.#readZone(bytes, { at, end, local });
  }

  /** Sets `micros`. @returns where the digits end; -1 if there are none, or too fine ones */
  #readFraction(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    let unit = 100_000;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      if (unit >= 1) this.micros += digit * unit;
      else if (digit !== 0) return -1;
      unit = unit >= 1 ? Math.floor(unit / 10) : 0;
    }
    return at === start ? -1 : at;
  }

  #readZone(
    bytes: Uint8Array,
    { at, end, local }: { at: number; end: number; local: number },
  ): TimestampFault | null {
    if (at === end) {
      this.seconds = this.#timeZone.instantOf(local);
      this.isAmbiguous = this.#timeZone.kind === "ambiguous";
      return this.#timeZone.kind === "skipped" ? "time_skipped" : null;
    }
    if (bytes[at] === BLANK) at++;
    const length = end - at;
    const first = bytes[at];
    if (length === 1 && (first === 0x5a || first === 0x7a)) {
      this.seconds = local;
      return null;
    }
    if (length === 3 && first === 0x55 && bytes[at + 1] === 0x54 && bytes[at + 2] === 0x43) {
      this.seconds = local;
      return null;
    }
    if (first !== PLUS && first !== DASH) return "bad_timestamp";
    const hasColon = length === 6 && bytes[at + 3] === COLON;
    if (length !== 3 && length !== 5 && !hasColon) return "bad_timestamp";
    const hours = twoDigits(bytes, at + 1);
    const minutes = length === 3 ? 0 : twoDigits(bytes, at + (hasColon ? 4 : 3));
    if (!(hours <= 23 && minutes <= 59)) return "bad_timestamp";
    const offset = hours * 3600 + minutes * 60;
    this.seconds = first === PLUS ? local - offset : local + offset;
    return null;
  }

  #readEpoch(bytes: Uint8Array, start: number, end: number): TimestampFault | null {
    const isNegative = start < end && bytes[start] === DASH;
    let at = isNegative ? start + 1 : start;
    if (at === end || end - at > EPOCH_DIGITS) return "bad_timestamp";
    let value = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) return "bad_timestamp";
      value = 10 * value + digit;
    }
    if (isNegative) value = -value;
    const isMilliseconds = value >= EPOCH_MS_FROM;
    this.seconds = isMilliseconds ? Math.floor(value / 1000) : value;
    this.micros = isMilliseconds ? (value - 1000 * this.seconds) * 1000 : 0;
    const isInRange = this.seconds >= FIRST_SECOND && this.seconds < END_SECOND;
    return isInRange ? null : "bad_timestamp";
  }
}

/** NaN if they are not two digits. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : NaN;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysOfMonth(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : DAYS_OF_MONTH[month - 1]!;
}

function daysSince1970(year: number, month: number, day: number): number {
  const past = year - 1;
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
  const inYear = DAYS_BEFORE_MONTH[month - 1]! + (month > 2 && isLeap(year) ? 1 : 0) + day - 1;
  // 719,162 days lie between 0001-01-01 and 1970-01-01
  return 365 * past + leapDays + inYear - 719_162;
}
