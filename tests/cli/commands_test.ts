import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { Flag } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { environmentName } from "../../src/cli/flags.ts";
import { commandHelp } from "../../src/cli/help.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

/** Variables that are no flag's. */
const OWN_VARIABLES = [
  "PGSLUICE_CONFIG",
  "PGSLUICE_HOME",
  "PGSLUICE_DEBUG",
  "PGSLUICE_SELFTEST_VICTIM",
  "PGSLUICE_TEST_DATABASE_URL",
];

async function pgsluice(...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", MAIN, ...args],
    env: { NO_COLOR: "1", PGSLUICE_DEBUG: "" },
  }).output();
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}

for (const command of COMMANDS) {
  Deno.test(`help on ${command.name} shows every flag on lines that fit a terminal`, async () => {
    const { details: _, ...withoutDetails } = command;
    const help = await commandHelp(withoutDetails);
    assertEquals((await commandHelp(command)).startsWith(help), true);
    assertMatch(command.name, /^[a-z]+( [a-z]+)?$/);
    assertMatch(command.summary, /^[a-z][^\n]{9,80}[^.\n]$/);
    for (const flag of command.flags) {
      assertMatch(flag.name, /^[a-z]+(-[a-z]+)*$/);
      assertEquals(help.includes(`\n  --${flag.name} `), true, flag.name);
      assertEquals(flag.kind === "switch", flag.placeholder === undefined, flag.name);
    }
    assertEquals(help.split("\n").filter((line) => line.length > 100), []);
  });
}

Deno.test("commands and the flags of each have names of their own", () => {
  const names = COMMANDS.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
  for (const { name, flags } of COMMANDS) {
    assertEquals(flags.length, new Set(flags.map((flag) => flag.name)).size, name);
  }
});

Deno.test("flags of one name take the same values, for their environment variable is one", () => {
  const seen = new Map<string, Flag>();
  for (const flag of COMMANDS.flatMap(({ flags }) => flags)) {
    const { kind, placeholder, choices } = seen.get(flag.name) ?? flag;
    assertEquals({ kind, placeholder, choices }, {
      kind: flag.kind,
      placeholder: flag.placeholder,
      choices: flag.choices,
    });
    assertEquals(OWN_VARIABLES.includes(environmentName(flag)), false, flag.name);
    seen.set(flag.name, flag);
  }
});

Deno.test("the program lists its commands on stdout and succeeds", async () => {
  const { code, stdout, stderr } = await pgsluice("--help");
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  for (const { name, summary } of COMMANDS) assertEquals(stdout.includes(summary), true, name);
});

Deno.test("the program refuses a misspelt flag with error, try and exit code 2, no stack", async () => {
  assertEquals(await pgsluice("ingest", "--tabel", "x"), {
    code: 2,
    stdout: "",
    stderr: "error: unknown flag --tabel for ingest [usage]\ntry: did you mean --table?\n",
  });
});
