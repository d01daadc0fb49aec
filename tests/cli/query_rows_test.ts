import { assertEquals } from "@std/assert";
import { type Cell, type OutputColumn, rowWriter, uniqueNames } from "../../src/cli/query_rows.ts";

const COLUMNS: readonly OutputColumn[] = [
  { name: "name", align: "left", json: JSON.stringify },
  { name: "revenue", align: "right", json: JSON.stringify },
];

const ROWS: readonly (readonly Cell[])[] = [
  ['Chair, "big" | 5*4', "1999.00"],
  ["", 12],
  [null, null],
  ["two\nlines", 0.5],
];

function written(
  format: "csv" | "json" | "ndjson" | "markdown",
  pages: readonly (readonly (readonly Cell[])[])[],
): string {
  const writer = rowWriter(format, { columns: COLUMNS, facts: { report: "top" } });
  return writer.begin() + pages.map((rows) => writer.rows(rows)).join("") + writer.end();
}

Deno.test("rows as CSV: quoted where they must be, empty texts told from nothing", () => {
  assertEquals(
    written("csv", [ROWS]),
    'name,revenue\n"Chair, ""big"" | 5*4",1999.00\n"",12\n,\n"two\nlines",0.5\n',
  );
});

Deno.test("rows as JSON are one object, however they came, and none is one as well", () => {
  const expected = {
    report: "top",
    rows: [
      { name: 'Chair, "big" | 5*4', revenue: "1999.00" },
      { name: "", revenue: 12 },
      { name: null, revenue: null },
      { name: "two\nlines", revenue: 0.5 },
    ],
  };
  for (const pages of [[ROWS], [ROWS.slice(0, 1), [], ROWS.slice(1)]]) {
    const text = written("json", pages);
    assertEquals([text.at(-1), JSON.parse(text)], ["\n", expected]);
  }
  assertEquals(written("json", []), '{"report":"top","rows":[]}\n');
});

Deno.test("rows as NDJSON are an object a line", () => {
  assertEquals(
    written("ndjson", [ROWS]),
    '{"name":"Chair, \\"big\\" | 5*4","revenue":"1999.00"}\n{"name":"","revenue":12}\n' +
      '{"name":null,"revenue":null}\n{"name":"two\\nlines","revenue":0.5}\n',
  );
  assertEquals(written("ndjson", []), "");
});

Deno.test("rows as Markdown: what would be markup is escaped, a row stays a line", () => {
  assertEquals(
    written("markdown", [ROWS, [["<b> last_at _x_ `a` [b]", "1,999.00"]]]),
    String.raw`| name | revenue |
| --- | ---: |
| Chair, "big" \| 5\*4 | 1999.00 |
|  | 12 |
|  |  |
| two\\nlines | 0.5 |
| \<b> last_at \_x\_ ${"\\`a\\`"} \[b\] | 1,999.00 |
`,
  );
});

Deno.test("columns of one name get numbers that no other has", () => {
  assertEquals(uniqueNames(["a", "a", "a_2", "a", "b"]), ["a", "a_3", "a_2", "a_4", "b"]);
});
