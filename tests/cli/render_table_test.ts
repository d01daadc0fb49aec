import { assertEquals } from "@std/assert";
import { renderTable, type TableColumn } from "../../src/cli/render_table.ts";

const COLUMNS: readonly TableColumn[] = [
  { header: "file", align: "left" },
  { header: "rows", align: "right" },
  { header: "state", align: "left" },
];

function lines(...texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

Deno.test("a table aligns its columns and leaves no blanks at the ends of lines", () => {
  assertEquals(
    renderTable({
      columns: COLUMNS,
      rows: [["a.csv", "1,000", "done"], ["long-name.csv", "7", ""]],
    }),
    lines(
      "file            rows  state",
      "a.csv          1,000  done",
      "long-name.csv      7",
    ),
  );
});

Deno.test("a table without rows is its headers", () => {
  assertEquals(renderTable({ columns: COLUMNS, rows: [] }), "file  rows  state\n");
});

Deno.test("a table shows control characters as escapes, one line a row", () => {
  assertEquals(
    renderTable({ columns: COLUMNS, rows: [["a\nb\u001b[2J\u202e.csv", "1", "\u0085"]] }),
    lines(
      String.raw`file                     rows  state`,
      String.raw`a\nb\u001b[2J\u202e.csv     1  \u0085`,
    ),
  );
});

Deno.test("a table aligns wide and combining characters by the columns they take", () => {
  assertEquals(
    renderTable({ columns: COLUMNS, rows: [["天地", "1", "x"], ["e\u0301", "22", "y"]] }),
    lines("file  rows  state", "天地     1  x", "e\u0301       22  y"),
  );
});

Deno.test("a table too wide for the terminal has its widest left column cut, numbers never", () => {
  assertEquals(
    renderTable({
      columns: COLUMNS,
      rows: [["a-very-long-file-name.csv", "1,000,000", "done"]],
      maxWidth: 30,
    }),
    lines(
      "file               rows  state",
      "a-very-long…  1,000,000  done",
    ),
  );
});
