/** What the bytes of a field are to those who read it. */
import { COMMA_STOPS, END_STOPS, MALFORMED } from "./column_encoder.ts";
import { isUtf8 } from "./utf8.ts";

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;

/**
 * Whether the field ends at `at`, as far as that can be told.
 * @param stop as in `ColumnEncoder.encode`
 */
export function isFieldEnd(bytes: Uint8Array, at: number, end: number, stop: number): boolean {
  if (stop === END_STOPS || at >= end) return stop === END_STOPS && at === end;
  const byte = bytes[at]!;
  return byte === stop || (stop === COMMA_STOPS && isLineEnd(byte));
}

export function isLineEnd(byte: number): boolean {
  return byte === LF || byte === CR;
}

/** What may stand around a value that is not text. */
export function isBlank(byte: number): boolean {
  return byte === BLANK || byte === TAB;
}

/**
 * Passes over a field of text that is not kept.
 * @param stop as in `ColumnEncoder.encode`
 * @returns the place behind it; `MALFORMED` if it is not UTF-8
 */
export function skipText(bytes: Uint8Array, start: number, end: number, stop: number): number {
  let at = start;
  while (at < end && bytes[at]! >= BLANK && bytes[at] !== stop) at++;
  return isUtf8(bytes, start, at) ? at : MALFORMED;
}
