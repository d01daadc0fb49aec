import type { SourceColumn } from "../schema/schema.ts";
import type { Random } from "./random.ts";

/**
 * What can be wrong with a row. Each kind is certain to be rejected, as one reject, and leaves the
 * rows around it alone: a defective row is one physical line, and an open quote in it cannot become
 * legal CSV with the quotes of a later line, for the next quote there is an opening one, with text
 * behind it.
 *
 * Rows are strings of one character a byte here, fields are as they stand between the commas.
 */
export interface DefectKind {
  /** As in the manifest. */
  readonly name: string;
  /** Whether it can befall this column. */
  readonly strikes: (column: SourceColumn) => boolean;
  /** The defective line, without its newline. */
  readonly spoil: (row: SoundRow, random: Random) => string;
  /** At most one in so many events; 1 unless given. */
  readonly eventsPerDefect?: number;
  /** It needs rows of so many fields, lest an empty line be left, which is no record; else 1. */
  readonly fewestFields?: number;
}

/** A row before it is spoilt. */
export interface SoundRow {
  readonly fields: readonly string[];
  /** The column struck, and its place among the fields. */
  readonly column: SourceColumn;
  readonly place: number;
}

/** Longest record that the ingester accepts by default, 1 MiB, and a little more. */
const OVERSIZE_FIELD_BYTES = 1024 * 1024 + 1024;

const NO_NUMBERS = ["n/a", "twelve", '"12,50"', "12.5 EUR", "0x1F", "NaN", "-", "1 2"];
const NO_UUIDS = ["not-a-uuid", "0192f7a0-0000-7000-8000-00000000000", "g192f7a0-0000-7000-8000-0"];
const NO_TIMESTAMPS = [
  "yesterday",
  "2026-13-01T00:00:00Z",
  "2026-02-30T12:00:00Z",
  "2026-01-31T25:00:00Z",
  "2026-01-31T12:61:00Z",
  "24.11.2026 19:38",
  "2026-01-31T12:00:00.1234567Z",
];
/** Invalid UTF-8: a lone byte, an overlong slash, a surrogate, a cut-off euro, beyond U+10FFFF. */
const NO_UTF8 = ["\xff", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82 ", "\xf4\x90\x80\x80"];

/** Every kind of defect there is. */
export const DEFECT_KINDS: readonly DefectKind[] = [
  {
    name: "not_a_number",
    strikes: isNumber,
    spoil: (row, random) => replaced(row, random.pick(NO_NUMBERS)),
  },
  {
    name: "not_a_uuid",
    strikes: (column) => column.type === "uuid",
    spoil: (row, random) => replaced(row, random.pick(NO_UUIDS)),
  },
  {
    name: "bad_timestamp",
    strikes: (column) => column.type === "timestamptz",
    spoil: (row, random) => replaced(row, random.pick(NO_TIMESTAMPS)),
  },
  {
    name: "missing_required",
    strikes: (column) => column.presence === "required",
    spoil: (row) => replaced(row, ""),
    fewestFields: 2,
  },
  {
    name: "unknown_value",
    strikes: (column) => column.type === "text" && column.allowed !== undefined,
    spoil: (row, random) => replaced(row, random.pick(valuesNotAllowed(row.column))),
  },
  {
    name: "negative",
    strikes: (column) => isNumber(column) && (column.minimum ?? -1) >= 0,
    spoil: (row, random) => replaced(row, `-${1 + random.below(99)}`),
  },
  {
    name: "extra_decimal",
    strikes: (column) => column.type === "numeric",
    spoil: (row, random) => replaced(row, `12.${digits(row.column)}${1 + random.below(9)}`),
  },
  {
    name: "number_too_large",
    strikes: isNumber,
    spoil: (row) => replaced(row, tooLarge(row.column)),
  },
  {
    name: "short_row",
    strikes: () => true,
    spoil: ({ fields }, random) => fields.slice(0, 2 + random.below(fields.length - 2)).join(","),
    fewestFields: 3,
  },
  {
    name: "long_row",
    strikes: () => true,
    spoil: ({ fields }, random) =>
      [...fields, ...["surplus", "2"].slice(random.below(2))].join(","),
  },
  {
    name: "text_after_quote",
    strikes: isFreeText,
    spoil: (row, random) =>
      replaced(row, random.pick(['"Steel" Chair', '"5"" Lamp" blue', '"A"B"C"'])),
  },
  {
    name: "open_quote",
    strikes: isFreeText,
    // the other fields lose their quotes, so that the line has no other than the open one
    spoil: ({ fields, place }) =>
      fields.map((field, at) => (at === place ? '"Steel Chair' : field.replaceAll(/[",]/g, "")))
        .join(","),
  },
  {
    name: "bad_utf8",
    strikes: isFreeText,
    spoil: (row, random) => replaced(row, `Caf${random.pick(NO_UTF8)} Table`),
  },
  {
    name: "nul_byte",
    strikes: isFreeText,
    spoil: (row) => replaced(row, "Steel\0Chair"),
  },
  {
    name: "oversize_record",
    strikes: isFreeText,
    spoil: (row) => replaced(row, "x".repeat(OVERSIZE_FIELD_BYTES)),
    eventsPerDefect: 100_000,
  },
];

/** A kind of defect with the places of a row that it can befall, at least one. */
export interface ApplicableDefect {
  readonly kind: DefectKind;
  readonly places: readonly number[];
}

/** The kinds that rows of these columns can suffer; never none, for any row can be too long. */
export function applicableDefects(columns: readonly SourceColumn[]): ApplicableDefect[] {
  return DEFECT_KINDS.map((kind) => ({
    kind,
    places: columns.flatMap((column, place) => (kind.strikes(column) ? [place] : [])),
  })).filter(({ kind, places }) => places.length > 0 && columns.length >= (kind.fewestFields ?? 1));
}

function replaced({ fields, place }: SoundRow, field: string): string {
  return fields.with(place, field).join(",");
}

function isNumber(
  column: SourceColumn,
): column is SourceColumn & { type: "integer" | "bigint" | "numeric" } {
  return column.type === "integer" || column.type === "bigint" || column.type === "numeric";
}

function isFreeText(column: SourceColumn): boolean {
  return column.type === "text" && column.allowed === undefined;
}

function valuesNotAllowed(column: SourceColumn): string[] {
  const allowed = column.type === "text" ? column.allowed ?? [] : [];
  const values = ["refund", "click", "unknown", ...allowed.map((value) => `${value}s`)];
  return values.filter((value) => !allowed.includes(value));
}

/** As many digits as the scale has. */
function digits(column: SourceColumn): string {
  return "5".repeat(column.type === "numeric" ? column.scale : 0);
}

/** The smallest number that the column's type cannot hold. */
function tooLarge(column: SourceColumn): string {
  switch (column.type) {
    case "integer":
      return "2147483648";
    case "numeric":
      return `1${"0".repeat(column.precision - column.scale)}`;
    default:
      return "9223372036854775808";
  }
}
