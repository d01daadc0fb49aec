/** Rows in the formats for programs, and Markdown, written as they come. */
import { csvField } from "../generate/csv_field.ts";
import { escapeControls } from "../escape_controls.ts";

export type Cell = string | number | null;

export type RowFormat = "csv" | "json" | "ndjson" | "markdown";

export interface OutputColumn {
  readonly name: string;
  /** In Markdown. */
  readonly align: "left" | "right";
  /** A value as JSON. */
  json(value: string | number): string;
}

export interface RowWriter {
  /** What comes before the rows. */
  begin(): string;
  /** Of the next rows, in the order of the columns. */
  rows(rows: readonly (readonly Cell[])[]): string;
  /** What comes after them. */
  end(): string;
}

/**
 * @param options.facts what the object of `json` has besides its rows
 */
export function rowWriter(
  format: RowFormat,
  { columns, facts }: {
    columns: readonly OutputColumn[];
    facts: Readonly<Record<string, unknown>>;
  },
): RowWriter {
  switch (format) {
    case "csv":
      return {
        begin: () => csvLine(columns.map(({ name }) => name)),
        rows: (rows) => rows.map(csvLine).join(""),
        end: () => "",
      };
    case "ndjson": {
      const object = jsonObject(columns);
      return {
        begin: () => "",
        rows: (rows) => rows.map((row) => `${object(row)}\n`).join(""),
        end: () => "",
      };
    }
    case "json": {
      const object = jsonObject(columns);
      let separator = "";
      return {
        begin: () => `${JSON.stringify({ ...facts, rows: [] }).slice(0, -"]}".length)}`,
        rows(rows) {
          if (rows.length === 0) return "";
          const text = separator + rows.map(object).join(",");
          separator = ",";
          return text;
        },
        end: () => "]}\n",
      };
    }
    case "markdown":
      return {
        begin: () =>
          markdownLine(columns.map(({ name }) => name)) +
          markdownRule(columns.map(({ align }) => align)),
        rows: (rows) => rows.map(markdownLine).join(""),
        end: () => "",
      };
  }
}

/**
 * One record as RFC 4180 has it, with a line feed alone at its end, as `ingest` and the shell's
 * tools like it. As PostgreSQL writes CSV: an empty text is quoted, null is not.
 */
function csvLine(cells: readonly Cell[]): string {
  const fields = cells.map((cell) =>
    cell === null ? "" : cell === "" ? '""' : csvField(String(cell))
  );
  return `${fields.join(",")}\n`;
}

/** Columns of one name get numbers, for an object has each name once. */
function jsonObject(columns: readonly OutputColumn[]): (row: readonly Cell[]) => string {
  const keys = uniqueNames(columns.map(({ name }) => name)).map((name) => JSON.stringify(name));
  return (row) => {
    const members = row.map((value, index) =>
      `${keys[index]!}:${value === null ? "null" : columns[index]!.json(value)}`
    );
    return `{${members.join(",")}}`;
  };
}

/** `a`, `a`, `b` become `a`, `a_2`, `b`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let number = 2; seen.has(unique) || (unique !== name && taken.has(unique)); number++) {
      unique = `${name}_${number}`;
    }
    seen.add(unique);
    return unique;
  });
}

/** What Markdown would take for itself: a `_` only where a word ends. */
const MARKDOWN = /[\\|<`*[\]~]|(?<![\p{L}\p{N}_])_|_(?![\p{L}\p{N}_])/gu;

function markdownLine(cells: readonly Cell[]): string {
  const texts = cells.map((cell) =>
    escapeControls(String(cell ?? "")).replace(MARKDOWN, (found) => `\\${found}`)
  );
  return `| ${texts.join(" | ")} |\n`;
}

function markdownRule(alignments: readonly ("left" | "right")[]): string {
  return `| ${alignments.map((align) => align === "left" ? "---" : "---:").join(" | ")} |\n`;
}
