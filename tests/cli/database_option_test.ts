import { assertEquals, assertThrows } from "@std/assert";
import { targetFromFlags } from "../../src/cli/database_option.ts";
import { parseArguments } from "../../src/cli/flags.ts";
import { statusCommand } from "../../src/cli/status.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

const BAD_URL = "mysql://ann:secret@db/x";

Deno.test("a bad URL is blamed on where it was written, without its password", () => {
  const cases = [
    { args: ["--database", BAD_URL], variable: undefined, blamed: "--database" },
    { args: [], variable: BAD_URL, blamed: "PGSLUICE_DATABASE" },
  ];
  for (const { args, variable, blamed } of cases) {
    const { flags } = parseArguments(
      statusCommand,
      args,
      (name) => name === "PGSLUICE_DATABASE" ? variable : undefined,
    );
    const error = assertThrows(
      () => targetFromFlags(flags),
      PgsluiceError,
      `${blamed} is not a usable database URL`,
    );
    assertEquals(error.message.includes("secret"), false);
  }
});
