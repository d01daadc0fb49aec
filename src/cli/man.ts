import config from "../../deno.json" with { type: "json" };
import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";

export const manCommand: Command = {
  name: "man",
  summary: "print the manual page, for `man` to show",
  flags: [],
  details: `To look at it, and to keep it:

  pgsluice man | man -l -
  pgsluice man > ~/.local/share/man/man1/pgsluice.1`,
  run: runMan,
};

async function runMan({ terminal }: CommandContext): Promise<number> {
  const { COMMANDS } = await import("./commands.ts");
  const { manPage } = await import("./man_page.ts");
  await terminal.write(await manPage(COMMANDS, config.version));
  return EXIT.done;
}
