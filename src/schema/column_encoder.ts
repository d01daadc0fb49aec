import type { TupleBuffer } from "./tuple_buffer.ts";

/** From a field's bytes to a column of a binary COPY tuple; one encoder for each column. */
export interface ColumnEncoder {
  /** What may be wrong with a field, in the order of the codes that `encode` returns. */
  readonly faults: FieldFaults;
  /**
   * Reads a value from `bytes[at]` on, as far as its characters go, and appends length and value.
   * The field is not empty, and blanks around it are gone unless the column is text.
   *
   * Numbers go in and a number comes out, for moving an object over the fields is much slower.
   * @param end nothing is read from here on
   * @param stop what ends the field: `END_STOPS`, then it is well-formed UTF-8 without NUL; or a
   * byte that comes before `end`, or does not: `COMMA_STOPS` (a line end may take its place) or
   * `QUOTE_STOPS`
   * @returns the place behind the value; or -1 - i, if `faults[i]` is wrong with it: then what was
   * appended is the caller's to take back
   */
  encode(bytes: Uint8Array, at: number, end: number, stop: number, out: TupleBuffer): number;
}

/** The first, with the code `MALFORMED`, is also that a field goes on behind the value. */
export type FieldFaults = readonly [malformed: FieldFault, ...others: FieldFault[]];

export interface FieldFault {
  /** Short and stable, as in `bad_number`. */
  readonly code: string;
  /** What was expected, as in `expected a whole number of 1 or more`. */
  readonly expected: string;
}

/** No byte ends the field, `end` does. */
export const END_STOPS = 0;
export const QUOTE_STOPS = 0x22;
export const COMMA_STOPS = 0x2c;

/** Code of the first of an encoder's faults. */
export const MALFORMED = -1;
