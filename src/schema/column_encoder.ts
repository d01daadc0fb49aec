import type { FieldCursor } from "./field_cursor.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";

/** From a field's bytes to a column of a binary COPY tuple; one encoder for each column. */
export interface ColumnEncoder {
  /** What is wrong with a field that goes on behind the value. */
  readonly malformed: FieldFault;
  /**
   * Reads a value from the cursor on, as far as its characters go but not past the cursor's end
   * (text: to its end), moves the cursor behind it and appends length and value. The field is not
   * empty, is well-formed UTF-8 without NUL, and blanks around it are gone unless the column is
   * text.
   *
   * A function of its own, not a method: called without looking at which of the encoders it
   * belongs to, it is quicker by a twentieth of all the decoding.
   * @returns null, or what is wrong; then `out` is the caller's to set back
   */
  readonly encode: (cursor: FieldCursor, out: TupleBuffer) => FieldFault | null;
}

export interface FieldFault {
  readonly code: string;
  /** What was expected, as in `expected a whole number of 1 or more`. */
  readonly expected: string;
}
