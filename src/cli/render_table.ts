import { displayWidth } from "./display_width.ts";
import { escapeControls } from "../escape_controls.ts";
import { fitWidth } from "./fit_width.ts";

/** No column is cut to fewer columns of the terminal than this, or than its header. */
const MIN_CUT_WIDTH = 8;

const GAP = "  ";

export interface TableColumn {
  readonly header: string;
  readonly align: "left" | "right";
}

export interface TableOptions {
  readonly columns: readonly TableColumn[];
  /** One cell a column; control characters in it are shown as escapes. */
  readonly rows: readonly (readonly string[])[];
  /**
   * Columns of the terminal: the widest left-aligned columns are cut until a line fits. Without
   * it nothing is cut, as is right where the output goes to a file or a pipe.
   */
  readonly maxWidth?: number;
}

/** Aligned plain text: a line of headers and one a row, each ending in a newline. */
export function renderTable({ columns, rows, maxWidth }: TableOptions): string {
  const lines = [columns.map((column) => column.header), ...rows].map((row) =>
    row.map(escapeControls)
  );
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => displayWidth(line[index] ?? "")))
  );
  if (maxWidth !== undefined) cutWidths(widths, { columns, maxWidth });
  return lines.map((line) => {
    const cells = columns.map((column, index) =>
      pad(fitWidth(line[index] ?? "", widths[index]!), widths[index]!, column.align)
    );
    return `${cells.join(GAP).trimEnd()}\n`;
  }).join("");
}

function cutWidths(
  widths: number[],
  { columns, maxWidth }: { columns: readonly TableColumn[]; maxWidth: number },
): void {
  const least = columns.map(({ header, align }, index) =>
    align === "left" ? Math.max(displayWidth(header), MIN_CUT_WIDTH) : widths[index]!
  );
  const total = () => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  while (total() > maxWidth) {
    const widest = widths
      .map((width, index) => ({ index, spare: width - least[index]!, width }))
      .filter(({ spare }) => spare > 0)
      .sort((a, b) => b.width - a.width)[0];
    if (widest === undefined) return;
    widths[widest.index]!--;
  }
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const blanks = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "left" ? text + blanks : blanks + text;
}
