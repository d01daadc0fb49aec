/**
 * One text for a row, built alike by the server from what is stored and here from what the file
 * says, and a checksum over many that does not depend on their order.
 *
 * Invariants: two rows have the same text only if every column verified is the same, nulls told
 * from empty texts; no session setting changes it. A column's text is: of numbers, uuid and text
 * the value itself, a numeric with all digits of its scale; of timestamps and dates the seconds
 * since 1970, timestamps with six decimals.
 */
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { quoteIdentifier } from "../database/quote_identifier.ts";
import type { DerivedColumn, Schema, SourceColumn } from "../schema/schema.ts";

/** The columns verify compares: those of the CSV, then the derived ones. */
export function verifiedColumns(schema: Schema): (SourceColumn | DerivedColumn)[] {
  return [...schema.columns, ...schema.derived];
}

/** SQL for a column's text; null where the column is null. */
export function columnTextSql(column: SourceColumn | DerivedColumn): string {
  const name = quoteIdentifier(column.name);
  switch (column.type) {
    case "text":
      return name;
    case "timestamptz":
    case "date":
      return `extract(epoch from ${name})::text`;
    default:
      return `${name}::text`;
  }
}

/** SQL for the text of a row: its line number, then each column. Never null. */
export function rowTextSql(schema: Schema): string {
  return [
    "coalesce(line_number::text, '')",
    ...verifiedColumns(schema).map((column) => {
      const text = columnTextSql(column);
      // a text may hold the separator, so its length in bytes goes before it
      return column.type === "text"
        ? `coalesce(octet_length(${text}) || ':' || ${text}, '')`
        : `coalesce(${text}, '')`;
    }),
  ].join(" || '|' || ");
}

/** SQL aggregate over rows: the sum of the first 64 bits of the sha256 of their texts. */
export function checksumSql(schema: Schema): string {
  return "sum(('x' || encode(" +
    `substr(sha256(convert_to(${rowTextSql(schema)}, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint)`;
}

/** Builds the text of a row from its line number and its columns' texts. */
export function rowTextBuilder(
  schema: Schema,
): (lineNumber: number, texts: readonly (string | null)[]) => string {
  const isText = verifiedColumns(schema).map((column) => column.type === "text");
  return (lineNumber, texts) => {
    let row = String(lineNumber);
    for (let index = 0; index < isText.length; index++) {
      const text = texts[index]!;
      row += "|";
      if (text === null) continue;
      row += isText[index] ? `${Buffer.byteLength(text)}:${text}` : text;
    }
    return row;
  };
}

/** Sums like {@linkcode checksumSql}, modulo 2^64. */
export class Checksum {
  #sum = 0n;
  #high = 0;
  #low = 0;
  #pending = 0;

  add(rowText: string): void {
    const digest = hash("sha256", rowText, "hex");
    this.#high += parseInt(digest.slice(0, 8), 16);
    this.#low += parseInt(digest.slice(8, 16), 16);
    // sums of 32-bit numbers stay exact in a double for two million of them
    if (++this.#pending === 1_000_000) this.#fold();
  }

  /** True if `sum`, as the server gave it, is over the same rows; null is over none. */
  equals(sum: string | null): boolean {
    return BigInt.asUintN(64, BigInt(sum ?? 0)).toString() === this.toString();
  }

  toString(): string {
    this.#fold();
    return this.#sum.toString();
  }

  #fold(): void {
    this.#sum = BigInt.asUintN(
      64,
      this.#sum + (BigInt(this.#high) << 32n) + BigInt(this.#low),
    );
    this.#high = 0;
    this.#low = 0;
    this.#pending = 0;
  }
}
