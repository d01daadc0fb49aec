import type { DerivedColumn, SourceColumn } from "../schema/schema.ts";

/** Longest piece of a text shown, in characters. */
const SHOWN_CHARACTERS = 60;

/** A column's text, as in `row_text.ts`, for people. */
export function showText(column: SourceColumn | DerivedColumn, text: string | null): string {
  if (text === null) return "null";
  switch (column.type) {
    case "text":
      return text.length <= SHOWN_CHARACTERS
        ? JSON.stringify(text)
        : `${JSON.stringify(text.slice(0, SHOWN_CHARACTERS))}… (${text.length} characters)`;
    case "timestamptz":
      return showInstant(text);
    case "date":
      return showInstant(text).slice(0, "2000-01-01".length);
    default:
      return text;
  }
}

/** `1700000000.123456` is `2023-11-14 22:13:20.123456Z`; what no Date can hold stays as it is. */
function showInstant(text: string): string {
  const instant = new Date(Math.floor(Number(text)) * 1000);
  if (!(instant.getUTCFullYear() >= 0 && instant.getUTCFullYear() <= 9999)) return text;
  const seconds = instant.toISOString().slice(0, "2000-01-01T00:00:00".length).replace("T", " ");
  const [, decimals] = text.split(".");
  if (decimals === undefined || /^0*$/.test(decimals)) return `${seconds}Z`;
  // before 1970 the decimals count backwards
  const micros = text.startsWith("-") ? String(1_000_000 - Number(decimals)) : decimals;
  return `${seconds}.${micros.padStart(6, "0")}Z`;
}
