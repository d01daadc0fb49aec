import { assertEquals } from "@std/assert";
import { renderPlace } from "../../src/cli/render_place.ts";
import { firstKeyword } from "../../src/query/first_keyword.ts";
import { statementPlace } from "../../src/query/statement_place.ts";

Deno.test("a place is found by the characters that the server counts", () => {
  const statement = "select '🎁é',\r\n  pric\nfrom t";
  assertEquals(statementPlace(statement, "1"), {
    line: 1,
    character: 1,
    text: "select '🎁é',",
  });
  assertEquals(statementPlace(statement, "17"), { line: 2, character: 3, text: "  pric" });
  assertEquals(statementPlace(statement, "28"), { line: 3, character: 7, text: "from t" });
  for (const position of [undefined, "0", "29", "x"]) {
    assertEquals(statementPlace(statement, position), undefined, position);
  }
});

Deno.test("a caret stands below the place, beside wide characters too", () => {
  const at = (statement: string, position: number, maxWidth = 60) =>
    renderPlace(statementPlace(statement, String(position))!, maxWidth).split("\n");
  assertEquals(at("select pric from t", 8), ["select pric from t", "       ^"]);
  assertEquals(at("select '天地' pric", 13), ["select '天地' pric", "              ^"]);
  assertEquals(at("select\t1,,", 10), ["select 1,,", "         ^"]);
  assertEquals(at("selec", 6), ["selec", "     ^"]);
  const long = `select ${"a, ".repeat(50)}b c d from t`;
  const [line, caret] = at(long, long.indexOf("c d") + 1, 40);
  assertEquals(line!.length <= 40, true, line);
  assertEquals(line!.slice(caret!.length - 1, caret!.length + 2), "c d");
});

Deno.test("the first word of a statement is found behind comments", () => {
  const cases: readonly (readonly [statement: string, word: string | null])[] = [
    ["select 1", "select"],
    ["\n -- why\n\tSELECT 1", "select"],
    ["/* a /* b */ c */copy t to stdout", "copy"],
    ["; ;\n/**/;with x as (select 1) table x", "with"],
    ["(select 1)", ""],
    ["-- nothing", null],
    [" ; /* never closed", null],
    ["", null],
    ["- 1", ""],
    ["/ 1", ""],
  ];
  for (const [statement, word] of cases) assertEquals(firstKeyword(statement), word, statement);
});
