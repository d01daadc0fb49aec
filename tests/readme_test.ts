import { assert } from "@std/assert";
import { COMMANDS } from "../src/cli/commands.ts";
import { schemaHelp } from "../src/schema/schema_help.ts";
import { USER_EVENTS } from "../src/schema/user_events.ts";

const README = await Deno.readTextFile(new URL("../README.md", import.meta.url));

Deno.test("the README shows the columns as the schema has them", () => {
  assert(README.includes(schemaHelp(USER_EVENTS).trim()), "copy the table of `ingest --help`");
});

Deno.test("the README names every command", () => {
  for (const { name } of COMMANDS) {
    const group = name.split(" ")[0]!;
    assert(README.includes(`\`pgsluice ${group}`), name);
  }
});
