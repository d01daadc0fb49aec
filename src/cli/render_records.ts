import { displayWidth } from "./display_width.ts";
import { escapeControls } from "../escape_controls.ts";
import { fitWidth } from "./fit_width.ts";

export interface RecordsOptions {
  readonly names: readonly string[];
  /** One cell a name; control characters in it are shown as escapes. */
  readonly rows: readonly (readonly string[])[];
  /** Columns of the terminal, to which values are cut. */
  readonly maxWidth: number;
}

/** A line a value, row after row: for rows that are too wide for a table. */
export function renderRecords({ names, rows, maxWidth }: RecordsOptions): string {
  const shown = names.map(escapeControls);
  const nameWidth = shown.reduce((widest, name) => Math.max(widest, displayWidth(name)), 0);
  return rows.map((row, index) => {
    const lines = shown.map((name, column) => {
      const blanks = " ".repeat(nameWidth - displayWidth(name));
      const line = `  ${name}${blanks}  ${escapeControls(row[column] ?? "")}`;
      return fitWidth(line.trimEnd(), maxWidth);
    });
    return `row ${index + 1}\n${lines.join("\n")}\n`;
  }).join("\n");
}
