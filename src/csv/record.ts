/** How a field was written: its content stands in the window as it is. */
export const PLAIN_FIELD = 0;
/** In quotes, which are outside its boundaries; the content stands in the window as it is. */
export const QUOTED_FIELD = 1;
/** In quotes, and each `""` within its boundaries stands for one quote. */
export const QUOTED_FIELD_WITH_QUOTES = 2;

/** What is kept of a record for people to see, in bytes. */
export const RAW_BYTES = 8 * 1024;

/**
 * The record a scanner stands on, as places in the scanner's window: no field is copied. Valid
 * until the scanner's next call.
 *
 * After a malformed line the fields mean nothing, and after one with code `oversize_record` the
 * window does not hold it: only `startByte`, `endByte`, `lineNumber` and `terminated` do.
 */
export interface CsvRecord {
  /** The window. */
  readonly bytes: Uint8Array;
  /** `[recordStart, recordEnd)` in the window, line end included. */
  readonly recordStart: number;
  readonly recordEnd: number;
  /** How many fields it has, which may be more than the boundaries kept. */
  readonly fieldCount: number;
  /** Field i is `[fieldStarts[i], fieldEnds[i])` in the window, without its quotes. */
  readonly fieldStarts: Int32Array;
  readonly fieldEnds: Int32Array;
  /** {@linkcode PLAIN_FIELD}, {@linkcode QUOTED_FIELD} or {@linkcode QUOTED_FIELD_WITH_QUOTES}. */
  readonly fieldQuoting: Uint8Array;
  /** True if any byte is 0x80 or above; otherwise it is ASCII. */
  readonly hasHighBytes: boolean;
  /** True if any byte is 0. */
  readonly hasNul: boolean;
  /** `[startByte, endByte)` in the file, line end included. */
  readonly startByte: number;
  readonly endByte: number;
  /** Physical line on which it starts, from 1. */
  readonly lineNumber: number;
  /** False if the input ends without its newline. */
  readonly terminated: boolean;
}
