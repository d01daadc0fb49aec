import type { ZoneClock } from "./zone_clock.ts";

/** An instant: whole seconds since 1970, rounded down, and the microseconds after them. */
export interface Instant {
  readonly seconds: number;
  readonly micros: number;
}

const ISO = new RegExp(
  "^([0-9]{4})-([0-9]{2})-([0-9]{2})" +
    "[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?" +
    "(?: ?(?:([Zz]|UTC)|([+-])([0-9]{2})(?::?([0-9]{2}))?))?$",
);
/** More digits are past the year 9999, whatever they are. */
const EPOCH = /^-?[0-9]{1,15}$/;
/** Epoch numbers of this size and above are milliseconds. */
const EPOCH_MS_FROM = 100_000_000_000;
/** Years 0 to 9999. */
const FIRST_MS = Date.parse("0000-01-01T00:00:00Z");
const END_MS = Date.parse("+010000-01-01T00:00:00Z");

/**
 * Reads a timestamp as the design has it: ISO 8601 with or without a zone, or an epoch number.
 * @returns null if it is none, or a clock time that `clock` skips
 */
export function readTimestamp(text: string, clock: ZoneClock): Instant | null {
  const match = ISO.exec(text);
  if (match === null) return readEpoch(text);
  const [, year, month, day, hour, minute, second = "0", decimals = "", zulu, sign] = match;
  const days = daysSince1970(Number(year), Number(month), Number(day));
  if (days === null || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  if (decimals.length > 6 && !/^0*$/.test(decimals.slice(6))) return null;
  const micros = decimals === "" ? 0 : Number(decimals.slice(0, 6).padEnd(6, "0"));
  const local = days * 86_400 + Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  if (zulu !== undefined) return { seconds: local, micros };
  if (sign === undefined) {
    const seconds = clock.instantOf(local);
    return seconds === null ? null : { seconds, micros };
  }
  const [, , , , , , , , , , offsetHour, offsetMinute = "0"] = match;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null;
  const offset = Number(offsetHour) * 3600 + Number(offsetMinute) * 60;
  return { seconds: sign === "+" ? local - offset : local + offset, micros };
}

/** The instant as PostgreSQL's `extract(epoch from …)::text` has it. */
export function epochText({ seconds, micros }: Instant): string {
  if (seconds >= 0) return `${seconds}.${String(micros).padStart(6, "0")}`;
  const back = micros === 0 ? 0 : 1_000_000 - micros;
  return `-${back === 0 ? -seconds : -seconds - 1}.${String(back).padStart(6, "0")}`;
}

function readEpoch(text: string): Instant | null {
  if (!EPOCH.test(text)) return null;
  const value = Number(text);
  const millis = value < EPOCH_MS_FROM ? value * 1000 : value;
  if (millis < FIRST_MS || millis >= END_MS) return null;
  const seconds = Math.floor(millis / 1000);
  return { seconds, micros: (millis - seconds * 1000) * 1000 };
}

/** Null if there is no such day. */
function daysSince1970(year: number, month: number, day: number): number | null {
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) return null;
  // Date.UTC takes the years 0 to 99 for 1900 to 1999; 400 years are 146,097 days
  return Date.UTC(year + 400, month - 1, day) / 86_400_000 - 146_097;
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
