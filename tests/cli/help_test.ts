import { assertEquals } from "@std/assert";
import type { Command } from "../../src/cli/command.ts";
import { commandHelp, commandList } from "../../src/cli/help.ts";

function command(name: string, rest: Partial<Command> = {}): Command {
  return { name, summary: `does ${name}`, flags: [], run: () => Promise.resolve(0), ...rest };
}

Deno.test("help on a command shows how to call it, its flags, their environment and details", async () => {
  const generate = command("generate", {
    positionalsText: "[DIR|-]",
    flags: [
      {
        name: "rows-per-file",
        kind: "whole",
        placeholder: "N",
        summary: "how many events a file holds",
        defaultText: "20k",
      },
      { name: "json", kind: "switch", summary: "as JSON" },
      {
        name: "mode",
        kind: "text",
        choices: ["fast", "slow"],
        summary: "word ".repeat(20).trim(),
      },
    ],
    details: () =>
      Promise.resolve(
        `${"prose ".repeat(20).trim()}\n\n  example ${"as it is ".repeat(12).trim()}\n`,
      ),
  });
  assertEquals(
    await commandHelp(generate),
    `does generate

usage: pgsluice generate [FLAGS] [DIR|-]

  --rows-per-file N  how many events a file holds (default: 20k)
  --json             as JSON
  --mode fast|slow   word word word word word word word word word word word word word word word
                     word word word word word
  --config FILE      a JSON file whose keys are the names of flags

Each flag has an environment variable, as --rows-per-file has PGSLUICE_ROWS_PER_FILE, and by its
name a key in the file of --config; the flag wins, then the variable.

prose prose prose prose prose prose prose prose prose prose prose prose prose prose prose prose
prose prose prose prose

  example ${"as it is ".repeat(12).trim()}
`,
  );
});

Deno.test("the list of commands has each with its summary, and a group's has its own", () => {
  const commands = [command("ingest"), command("db start"), command("db stop")];
  assertEquals(
    commandList(commands),
    `pgsluice loads events from CSV files into PostgreSQL, each exactly once.

usage: pgsluice COMMAND [FLAGS]

  ingest    does ingest
  db start  does db start
  db stop   does db stop

\`pgsluice help COMMAND\` shows a command's flags; \`pgsluice --version\` its version.
`,
  );
  assertEquals(
    commandList(commands, "db").split("\n").slice(0, 4),
    [
      "usage: pgsluice db COMMAND [FLAGS]",
      "",
      "  db start  does db start",
      "  db stop   does db stop",
    ],
  );
});
