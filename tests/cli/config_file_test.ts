import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import type { Command } from "../../src/cli/command.ts";
import { parseConfig, readConfigFile } from "../../src/cli/config_file.ts";
import { EXIT, PgsluiceError } from "../../src/pgsluice_error.ts";

const COMMANDS: readonly Command[] = [
  {
    name: "ingest",
    summary: "",
    flags: [
      { name: "batch-rows", kind: "whole", placeholder: "N", summary: "" },
      { name: "batch-bytes", kind: "bytes", placeholder: "SIZE", summary: "" },
      { name: "settle", kind: "duration", placeholder: "TIME", summary: "" },
      { name: "max-rejects", kind: "text", placeholder: "N|P%", summary: "" },
      { name: "on-replaced", kind: "text", choices: ["hold", "add"], summary: "" },
      { name: "table", kind: "text", placeholder: "NAME", summary: "" },
      { name: "quiet", kind: "switch", summary: "" },
    ],
    run: () => Promise.resolve(0),
  },
  {
    name: "generate",
    summary: "",
    flags: [
      { name: "dirty", kind: "percent", placeholder: "P%", summary: "" },
      { name: "start", kind: "instant", placeholder: "INSTANT", summary: "" },
    ],
    run: () => Promise.resolve(0),
  },
];

function parse(text: string) {
  return parseConfig(text, { path: "p.json", commands: COMMANDS });
}

Deno.test("a configuration says what flags say, with numbers where they are natural", () => {
  const { path, values } = parse(`{
    "$schema": "./pgsluice.schema.json",
    "batch-rows": 20000, "batch-bytes": "4MiB", "settle": "2s", "max-rejects": 0.5,
    "table": "orders", "on-replaced": "add", "quiet": false,
    "dirty": 1.5, "start": "2025-01-31"
  }`);
  assertEquals(path, "p.json");
  assertEquals(
    Object.fromEntries([...values].map(([name, { text, line }]) => [name, [text, line]])),
    {
      "batch-rows": ["20000", 3],
      "batch-bytes": ["4MiB", 3],
      settle: ["2s", 3],
      "max-rejects": ["0.5", 3],
      table: ["orders", 4],
      "on-replaced": ["add", 4],
      quiet: ["false", 4],
      dirty: ["1.5", 5],
      start: ["2025-01-31", 5],
    },
  );
});

const SCHEMA_HINT = "`pgsluice config schema` describes every key";

const REFUSED: readonly (readonly [text: string, message: string, hint: string])[] = [
  ['{"batchrows": 1}', 'p.json, line 1: unknown key "batchrows"', 'did you mean "batch-rows"?'],
  ['{\n"BATCH_ROWS": 1}', 'p.json, line 2: unknown key "BATCH_ROWS"', 'did you mean "batch-rows"?'],
  ['{"config": "x"}', 'p.json, line 1: unknown key "config"', SCHEMA_HINT],
  ['{"__proto__": 1}', 'p.json, line 1: unknown key "__proto__"', SCHEMA_HINT],
  [
    '{\n\n"batch-rows": "many"}',
    "p.json, line 3: batch-rows: expected a whole number such as 500, 20_000, 50k or 1M, " +
    'got "many"',
    SCHEMA_HINT,
  ],
  [
    '{"batch-rows": 2.5}',
    "p.json, line 1: batch-rows: expected a whole number such as 500, 20_000, 50k or 1M, got 2.5",
    SCHEMA_HINT,
  ],
  [
    '{"settle": 5}',
    "p.json, line 1: settle: expected a duration such as 250ms, 5s, 2m, 1h or 30d, got 5",
    SCHEMA_HINT,
  ],
  ['{"quiet": "yes"}', 'p.json, line 1: quiet: expected true or false, got "yes"', SCHEMA_HINT],
  ['{"quiet": 1}', "p.json, line 1: quiet: expected true or false, got 1", SCHEMA_HINT],
  ['{"table": 5}', "p.json, line 1: table: expected a text that is not empty, got 5", SCHEMA_HINT],
  [
    '{"table": null}',
    "p.json, line 1: table: expected a text that is not empty, got null",
    "leave the key out for the default",
  ],
  [
    '{"on-replaced": "drop"}',
    'p.json, line 1: on-replaced: expected one of hold, add, got "drop"',
    SCHEMA_HINT,
  ],
  [
    '{"dirty": 101}',
    "p.json, line 1: dirty: expected a percentage from 0 to 100 such as 5%, got 101",
    SCHEMA_HINT,
  ],
  [
    '{"ingest": {"table": "x"}}',
    "p.json, line 1: expected ingest to be a text in double quotes, a number, true or false, " +
    "got an object",
    'write one JSON object of flags, as in {"table": "user_events", "batch-rows": 20000}',
  ],
];

for (const [text, message, hint] of REFUSED) {
  Deno.test(`a configuration may not be ${JSON.stringify(text)}`, () => {
    const error = assertThrows(() => parse(text), PgsluiceError);
    assertEquals(
      { message: error.message, hint: error.hint, code: error.code, exitCode: error.exitCode },
      { message, hint, code: "config-file", exitCode: EXIT.usage },
    );
  });
}

Deno.test("a configuration is read from a file, and one that cannot be read is named", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "p.json");
    await Deno.writeTextFile(path, '\ufeff{"table": "orders"}');
    assertEquals((await readConfigFile(path, COMMANDS)).values.get("table")?.text, "orders");

    await Deno.writeFile(join(folder, "latin1"), Uint8Array.of(0x7b, 0xe9, 0x7d));
    await Deno.writeTextFile(join(folder, "long"), " ".repeat(1024 * 1024 + 1));
    for (
      const [name, message] of [
        ["none", `cannot read ${join(folder, "none")}: there is no such file`],
        ["latin1", `cannot read ${join(folder, "latin1")}: it is not UTF-8`],
        ["long", `${join(folder, "long")} is longer than 1048576 bytes`],
        [".", `cannot read ${folder}: it is a folder`],
      ] as const
    ) {
      const error = await assertRejects(
        () => readConfigFile(join(folder, name), COMMANDS),
        PgsluiceError,
      );
      assertEquals([error.code, error.message], ["config-file", message]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("no error about a configuration shows a password that is in it", () => {
  const url = '"postgresql://u:s3cr3t@h/d"';
  const wrong = [
    `{"table": ${url}`,
    `{"table": ${url}, }`,
    `{"table": [${url}]}`,
    `{"table" ${url}}`,
    `{${url}}`,
    `{"tabel": ${url}}`,
    `{"table": ${url}, "table": ${url}}`,
    `{"table": ${url.slice(0, -4)}`,
    `{"table": ${url.replace("s3cr3t", "s3cr3t\\x")}}`,
    `${url}`,
  ];
  for (const text of wrong) {
    const { message, hint } = assertThrows(() => parse(text), PgsluiceError);
    assertEquals(`${message} ${hint}`.includes("s3cr3t"), false, message);
  }
});
