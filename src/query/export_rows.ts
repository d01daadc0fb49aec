import type { SourceColumn } from "../schema/schema.ts";
import type { ExportBuffer } from "./export_buffer.ts";
import type { ExportFormat } from "./export_format.ts";

/** `PGCOPY\n\377\r\n\0`, flags, and the length of what extends the header. */
const HEADER_BYTES = 11 + 4 + 4;
/** What ends the rows, in place of a row's count of values. */
const TRAILER = 0xffff;
/** What a value of a fixed size takes at most: a time with a sign before its year, or a uuid. */
const LONGEST_VALUE_BYTES = 40;

/** Makes text of rows in PostgreSQL's binary COPY format. */
export class ExportRows {
  /** How many were made. */
  rowCount = 0;
  readonly #types: readonly SourceColumn["type"][];
  readonly #format: ExportFormat;
  /** Of all but texts and numerics. */
  readonly #fixedBytes: number;
  #hasHeader = false;

  /** @param columns those that the rows have, in their order */
  constructor(columns: readonly SourceColumn[], format: ExportFormat) {
    this.#types = columns.map(({ type }) => type);
    this.#format = format;
    const { before, after, nullText } = format;
    this.#fixedBytes = [...before, after].reduce((sum, { length }) => sum + length, 0) +
      columns.length * Math.max(LONGEST_VALUE_BYTES, nullText.length);
  }

  /**
   * Appends what is in `[at, end)`: whole rows, of which the first follows the header, and the last
   * is followed by the trailer.
   * @throws TypeError if the rows have other columns
   */
  put(buffer: ExportBuffer, bytes: Uint8Array, at: number, end: number): void {
    if (!this.#hasHeader) {
      this.#hasHeader = true;
      at += HEADER_BYTES;
    }
    while (at < end) {
      const valueCount = bytes[at]! << 8 | bytes[at + 1]!;
      if (valueCount === TRAILER) return;
      if (valueCount !== this.#types.length) {
        throw new TypeError(
          `a row of ${valueCount} values, where ${this.#types.length} were asked`,
        );
      }
      at = this.#putRow(buffer, bytes, at + 2);
      this.rowCount++;
    }
  }

  /** @returns where it ends */
  #putRow(buffer: ExportBuffer, bytes: Uint8Array, at: number): number {
    const { before, after, nullText, quote } = this.#format;
    buffer.reserve(this.#fixedBytes);
    for (let index = 0; index < this.#types.length; index++) {
      const byteCount = bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 |
        bytes[at + 3]!;
      at += 4;
      buffer.putBytes(before[index]!);
      if (byteCount < 0) {
        buffer.putBytes(nullText);
        continue;
      }
      const end = at + byteCount;
      switch (this.#types[index]!) {
        case "uuid":
          if (quote !== 0) buffer.putByte(quote);
          buffer.putUuid(bytes, at);
          if (quote !== 0) buffer.putByte(quote);
          break;
        case "timestamptz":
          if (quote !== 0) buffer.putByte(quote);
          buffer.putTimestamp(bytes, at);
          if (quote !== 0) buffer.putByte(quote);
          break;
        case "text":
          this.#format.putText(buffer, bytes, at, end);
          buffer.reserve(this.#fixedBytes);
          break;
        case "numeric":
          buffer.putNumeric(bytes, at, quote);
          buffer.reserve(this.#fixedBytes);
          break;
        case "integer":
          buffer.putInt32(bytes, at);
          break;
        case "bigint":
          buffer.putInt64(bytes, at);
          break;
      }
      at = end;
    }
    buffer.putBytes(after);
    return at;
  }
}
