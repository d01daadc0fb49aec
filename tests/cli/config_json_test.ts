import { assertEquals, assertThrows } from "@std/assert";
import { FlatJsonFault, readFlatObject } from "../../src/cli/config_json.ts";

Deno.test({
  name: "a flat object is read as JSON.parse reads it, with the line of each key",
  permissions: "none",
  fn() {
    const text = `
{ "a": 1, "b":-0.5e+2,
  "quoted \\"\\u00e9\\n": "x\\\\",

  "on": true, "off"
  : false, "nothing": null }
`;
    const entries = readFlatObject(text);
    assertEquals(
      Object.fromEntries(entries.map(({ key, value }) => [key, value])),
      JSON.parse(text),
    );
    assertEquals(entries.map(({ line }) => line), [2, 2, 3, 5, 5, 6]);
    assertEquals(readFlatObject(" {}\r\n"), []);
  },
});

const REFUSED: readonly (readonly [text: string, line: number, message: string])[] = [
  ["", 1, "expected {, got the end of the file"],
  ["\n[1]", 2, "expected {, got an array"],
  ['"x"', 1, "expected {, got a text"],
  ['{"a": 1', 1, "expected , or }, got the end of the file"],
  ['{"a": 1,\n}', 2, "expected a key in double quotes, got }"],
  ['{"a" 1}', 1, "expected :, got a number"],
  ["{a: 1}", 1, "expected a key in double quotes, got what is no JSON"],
  ["{\"a\": 'secret'}", 1, "to be a text in double quotes, a number, true or false, got what is"],
  ['{"a": 01}', 1, "got what is no JSON"],
  ['{"a": truely}', 1, "got what is no JSON"],
  [
    '{"a":\n {"b": 1}}',
    2,
    "expected a to be a text in double quotes, a number, true or false, got",
  ],
  ['{"a": []}', 1, "got an array"],
  ['{"a": "two\nlines"}', 1, "got what is no JSON"],
  ['{"a": 1,\n "b": 2,\n\n "a": 3}', 4, "a is there already, on line 1"],
  ['{"a": 1}\n// all', 2, "something follows the closing }"],
  ['{"a": 1} {}', 1, "something follows the closing }"],
];

for (const [text, line, message] of REFUSED) {
  Deno.test(`no flat object: ${JSON.stringify(text)}`, () => {
    const error = assertThrows(() => readFlatObject(text), FlatJsonFault, message);
    assertEquals(error.line, line);
    assertEquals(error.message.includes("secret"), false);
  });
}

Deno.test("a text of a megabyte is read, closed or not", () => {
  const long = "x".repeat(1024 * 1024);
  assertEquals(readFlatObject(`{"a": "${long}"}`)[0]!.value, long);
  assertThrows(() => readFlatObject(`{"a": "${long}`), FlatJsonFault);
});
