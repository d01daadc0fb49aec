import { type CsvRecord, QUOTED_FIELD_WITH_QUOTES } from "../csv/record.ts";
import type { Schema, SourceColumn } from "./schema.ts";

/** Which field of a record is which column. */
export interface HeaderMapping {
  /** By column of the schema: index of its field, -1 if the file has none. */
  readonly fieldIndexes: Int32Array;
  readonly fieldCount: number;
  /** Names that no column has. */
  readonly unknownNames: readonly string[];
  /** Where it begins in the file, behind a byte order mark and empty lines. */
  readonly startByte: number;
  /** The header as it stands in the file, without its line end. */
  readonly headerBytes: Uint8Array;
}

export type HeaderResult =
  | { readonly ok: true; readonly mapping: HeaderMapping }
  /** `reason` goes on from "FILE: ". */
  | { readonly ok: false; readonly code: string; readonly reason: string };

/** What people put into the folder by mistake, told by how it begins. */
const TEXT_BEGINNINGS: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /^\s*<(?:!doctype|html|\?xml)/i, what: "HTML or XML" },
  { pattern: /^version https:\/\/git-lfs/, what: "a Git LFS pointer, not the file it stands for" },
  { pattern: /^\s*[[{]/, what: "JSON" },
];
const BYTE_BEGINNINGS: readonly { readonly bytes: readonly number[]; readonly what: string }[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: "a ZIP archive or a spreadsheet" },
  { bytes: [0x1f, 0x8b], what: "compressed (gzip)" },
];
/** What else tables are separated by. */
const OTHER_SEPARATORS = [";", "\t", "|"];
/** So much of a strange header is shown. */
const SHOWN_CHARACTERS = 60;
const LF = 0x0a;
const CR = 0x0d;

/** Finds the schema's columns in a file's first record: any order, case and blanks ignored. */
export function mapHeader(schema: Schema, record: CsvRecord): HeaderResult {
  const headerBytes = record.bytes.slice(record.recordStart, lineEndStart(record));
  const text = new TextDecoder().decode(headerBytes);
  const wrong = TEXT_BEGINNINGS.find(({ pattern }) => pattern.test(text)) ??
    BYTE_BEGINNINGS.find(({ bytes }) => bytes.every((byte, at) => headerBytes[at] === byte));
  if (wrong !== undefined) return fault("not_csv", `it is ${wrong.what}, expected CSV`);
  if (record.hasNul || text.includes("\ufffd")) {
    return fault("not_csv", "it is binary or not UTF-8, expected CSV with a header");
  }
  const names = fieldTexts(record).map((name) => name.trim().toLowerCase());
  const places = schema.columns.map((column) => placesOf(column, names));
  const required = schema.columns.filter(({ presence }) => presence === "required");
  if (places.every((found) => found.length === 0)) {
    return fault(
      "not_csv",
      `its first line ${quote(text)} names no column of ${schema.table}, expected a header with ` +
        required.map(({ name }) => name).join(", ") + separatorHint(schema, names),
    );
  }
  const twice = places.findIndex((found) => found.length > 1);
  if (twice !== -1) {
    const given = places[twice]!.map((place) => names[place]).join(" and ");
    return fault(
      "duplicate_column",
      `its header has ${schema.columns[twice]!.name} more than once: ${given}`,
    );
  }
  const missing = required.filter((column) => placesOf(column, names).length === 0);
  if (missing.length > 0) {
    return fault(
      "missing_column",
      `its header ${quote(text)} lacks ${missing.map(nameAndAliases).join(", ")}`,
    );
  }
  const known = new Set(places.flat());
  return {
    ok: true,
    mapping: {
      fieldIndexes: Int32Array.from(places, (found) => found[0] ?? -1),
      fieldCount: record.fieldCount,
      unknownNames: names.filter((_, place) => !known.has(place)),
      startByte: record.startByte,
      headerBytes,
    },
  };
}

/**
 * True if the record is the header again: the same bytes, but for the line end. Such a record is no
 * row and no reject, even where its names would do as values.
 */
export function isRepeatedHeader({ headerBytes }: HeaderMapping, record: CsvRecord): boolean {
  const { bytes, recordStart, recordEnd } = record;
  const sizeBytes = recordEnd - recordStart;
  // most are told by their length, without a look at their bytes
  if (sizeBytes < headerBytes.length || sizeBytes > headerBytes.length + 2) return false;
  if (lineEndStart(record) - recordStart !== headerBytes.length) return false;
  return headerBytes.every((byte, index) => bytes[recordStart + index] === byte);
}

/**
 * What `mapHeader` would say of a header with the bytes of one that it mapped before, and at once;
 * null if the bytes are others.
 * @param known of the same schema
 */
export function mapSameHeader(known: HeaderMapping, record: CsvRecord): HeaderMapping | null {
  if (!isRepeatedHeader(known, record)) return null;
  return known.startByte === record.startByte ? known : { ...known, startByte: record.startByte };
}

/** Says so if the header would do with another separator. */
function separatorHint(schema: Schema, names: readonly string[]): string {
  const separator = OTHER_SEPARATORS.find((separator) => {
    const parts = names.flatMap((name) => name.split(separator)).map((part) => part.trim());
    return schema.columns.some((column) => placesOf(column, parts).length > 0);
  });
  return separator === undefined ? "" : ` with commas between, not ${quote(separator)}`;
}

function fault(code: string, reason: string): HeaderResult {
  return { ok: false, code, reason };
}

/** Where the record's LF or CRLF begins; a CR that ends the input is a line end as well. */
function lineEndStart({ bytes, recordStart, recordEnd }: CsvRecord): number {
  let end = recordEnd;
  if (end > recordStart && bytes[end - 1] === LF) end--;
  if (end > recordStart && bytes[end - 1] === CR) end--;
  return end;
}

function fieldTexts(record: CsvRecord): string[] {
  const decoder = new TextDecoder();
  const count = Math.min(record.fieldCount, record.fieldStarts.length);
  return Array.from({ length: count }, (_, index) => {
    const bytes = record.bytes.subarray(record.fieldStarts[index], record.fieldEnds[index]);
    const text = decoder.decode(bytes);
    return record.fieldQuoting[index] === QUOTED_FIELD_WITH_QUOTES
      ? text.replaceAll('""', '"')
      : text;
  });
}

function placesOf(column: SourceColumn, names: readonly string[]): number[] {
  const wanted = [column.name, ...column.aliases ?? []].map((name) => name.toLowerCase());
  return names.flatMap((name, place) => wanted.includes(name) ? [place] : []);
}

function nameAndAliases({ name, aliases = [] }: SourceColumn): string {
  return aliases.length === 0 ? name : `${name} (or ${aliases.join(", ")})`;
}

function quote(text: string): string {
  return JSON.stringify(
    text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`,
  );
}
