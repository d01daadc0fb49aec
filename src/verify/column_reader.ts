/**
 * What a CSV field means to a column, on strings. Written apart from the ingester's decoder, so
 * that a fault of one is seen by the other.
 */
import type { NumericColumn, SourceColumn, WholeColumn } from "../schema/schema.ts";

/**
 * Reads a field that is neither empty nor has a NUL in it, nor blanks around unless it is text.
 * @returns the column's text, as in `row_text.ts`; null if the field is no value of the column
 */
export type ColumnReader = (field: string) => string | null;

/** Timestamps are read by `readTimestamp`, because other columns are derived from them. */
export function columnReader(column: Exclude<SourceColumn, { type: "timestamptz" }>): ColumnReader {
  switch (column.type) {
    case "uuid":
      return (field) => UUID.test(field) ? field.toLowerCase() : null;
    case "text": {
      const { allowed } = column;
      return (field) => allowed === undefined || allowed.includes(field) ? field : null;
    }
    case "integer":
    case "bigint":
      return wholeReader(column);
    case "numeric":
      return numericReader(column);
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** So many digits are exact in a double, which is quicker than a bigint. */
const EXACT_DIGITS = 15;
const WHOLE = /^[+-]?[0-9]+$/;
const DECIMAL = /^([+-]?)0*([0-9]*)(?:\.([0-9]*))?$/;

function wholeReader(column: WholeColumn): ColumnReader {
  const bits = column.type === "integer" ? 32n : 64n;
  const largest = 2n ** (bits - 1n) - 1n;
  const smallest = column.minimum === undefined ? -largest - 1n : BigInt(column.minimum);
  return (field) => {
    if (!WHOLE.test(field)) return null;
    if (field.length <= EXACT_DIGITS) {
      const value = Number(field);
      return value >= Number(smallest) && value <= Number(largest) ? String(value) : null;
    }
    const value = BigInt(field.startsWith("+") ? field.slice(1) : field);
    return value >= smallest && value <= largest ? String(value) : null;
  };
}

function numericReader({ precision, scale, minimum }: NumericColumn): ColumnReader {
  const wholeDigits = precision - scale;
  // in units of the last place, where 1.1 * 100 is 110 only when rounded
  const least = minimum === undefined ? null : BigInt(Math.round(minimum * 10 ** scale));
  return (field) => {
    const match = DECIMAL.exec(field);
    if (match === null) return null;
    const [, sign, whole = "", decimals = ""] = match;
    if (whole.length > wholeDigits || !/[0-9]/.test(field)) return null;
    if (decimals.length > scale && !/^0*$/.test(decimals.slice(scale))) return null;
    const isPlain = sign !== "-" && whole !== "" && scale > 0 && decimals.length === scale;
    if (isPlain && (minimum ?? 0) <= 0) return `${whole}.${decimals}`;
    const units = BigInt(whole + decimals.slice(0, scale).padEnd(scale, "0"));
    const value = sign === "-" ? -units : units;
    if (least !== null && value < least) return null;
    const digits = String(units).padStart(scale + 1, "0");
    const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    return value < 0n ? `-${text}` : text;
  };
}
