import { displayWidth } from "./display_width.ts";
import type { Command, Flag } from "./command.ts";
import { configFlag } from "./common_flags.ts";
import { environmentName, usageLine } from "./flags.ts";

/** Lines of help are wrapped here: terminals are wider, but long lines read badly. */
const HELP_WIDTH = 96;

/** All commands, or those of one group (`db`). */
export function commandList(commands: readonly Command[], group?: string): string {
  const listed = group === undefined
    ? commands
    : commands.filter((command) => command.name.startsWith(`${group} `));
  const about = group === undefined
    ? "pgsluice loads events from CSV files into PostgreSQL, each exactly once.\n\n"
    : "";
  return about +
    `usage: pgsluice ${group === undefined ? "" : `${group} `}COMMAND [FLAGS]\n\n` +
    twoColumns(listed.map(({ name, summary }) => [name, summary])) +
    "\n`pgsluice help COMMAND` shows a command's flags; `pgsluice --version` its version.\n";
}

/** Everything about one command. */
export async function commandHelp(command: Command): Promise<string> {
  const details = typeof command.details === "function" ? await command.details() : command.details;
  const flags = shownFlags(command);
  const texts = flags.map((flag): [string, string] => [flagHead(flag), flagText(flag)]);
  return `${command.summary}\n\nusage: ${usageLine(command)}\n` +
    (flags.length === 0 ? "" : `\n${twoColumns(texts)}\n${environmentText(flags[0]!)}`) +
    (details === undefined ? "" : `\n${paragraphs(details.trimEnd())}\n`);
}

/** The flags that have an effect: a file has none for a command that takes nothing from it. */
export function shownFlags({ flags }: Command): readonly Flag[] {
  return flags.length === 0 ? [] : [...flags, configFlag];
}

/** As in `--events N`. */
export function flagHead(flag: Flag): string {
  if (flag.kind === "switch") return `--${flag.name}`;
  return `--${flag.name} ${flag.placeholder ?? flag.choices?.join("|") ?? "VALUE"}`;
}

/** What it is, its choices and its default. */
export function flagText(flag: Flag): string {
  const choices = flag.choices !== undefined && flag.placeholder !== undefined
    ? `: ${flag.choices.join(", ")}`
    : "";
  const fallback = flag.defaultText === undefined ? "" : ` (default: ${flag.defaultText})`;
  return flag.summary + choices + fallback;
}

function environmentText(example: Flag): string {
  const text = `Each flag has an environment variable, as --${example.name} has ` +
    `${environmentName(example)}, and by its name a key in the file of --config; the flag wins, ` +
    "then the variable.";
  return `${wrap(text, HELP_WIDTH).join("\n")}\n`;
}

/** Names on the left, texts on the right, wrapped; each line ends in a newline. */
function twoColumns(entries: readonly (readonly [string, string])[]): string {
  const nameWidth = Math.max(0, ...entries.map(([name]) => displayWidth(name)));
  const indent = " ".repeat(2 + nameWidth + 2);
  return entries.map(([name, text]) =>
    `  ${name.padEnd(nameWidth)}  ` +
    wrap(text, HELP_WIDTH - indent.length).join(`\n${indent}`) + "\n"
  ).join("");
}

/** Wraps what is prose; lines that begin with a blank are examples and tables. */
function paragraphs(details: string): string {
  return details.split("\n")
    .flatMap((line) => line.startsWith(" ") ? [line] : wrap(line, HELP_WIDTH))
    .join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
