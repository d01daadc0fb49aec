import { EXIT } from "../pgsluice_error.ts";
import type { Command, Flag } from "./command.ts";
import { configFlag } from "./common_flags.ts";
import { environmentName } from "./flags.ts";
import { flagText, shownFlags } from "./help.ts";
import { roffArgument, roffBold, roffItalic, roffParagraphs, roffText } from "./man_roff.ts";

/** What people type, in the order of a first acquaintance. */
export const EXAMPLES: readonly { readonly says: string; readonly line: string }[] = [
  { says: "See it work, in a folder of its own:", line: "pgsluice demo" },
  {
    says: "Load what is in a folder, and end:",
    line: "pgsluice ingest ./data/events --once",
  },
  {
    says: "Watch a folder and load into a server of yours:",
    line: "pgsluice ingest /var/spool/events --database postgresql://loader@db.example/shop",
  },
  { says: "See how far it is:", line: "pgsluice status" },
  { says: "Prove that every record is where it should be:", line: "pgsluice verify" },
  {
    says: "See with which values a configuration file has it run:",
    line: "pgsluice config show ingest --config pgsluice.json",
  },
];

const EXIT_TEXTS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: "Done.",
  failed: "pgsluice or its surroundings failed.",
  usage: "The command line or the configuration file was not understood.",
  data: "The data is at fault: verify found a difference, or a file failed.",
  tryAgain: "Try again later: another ingester owns the pipeline (--no-wait).",
};

const DESCRIPTION = "Reads events from CSV files that appear in a folder, or from a pipe, and " +
  "writes them to a table of PostgreSQL: each event once, whatever crashes meanwhile. Records " +
  "that are malformed are kept aside with their reason. It can read everything again and prove " +
  "it.\n\n" +
  "A flag is --name VALUE or --name=VALUE; -- ends the flags. What no flag says, the flag's " +
  "environment variable says, and what that does not, the configuration file. Data goes to " +
  "standard output, talk to standard error.";

/** Variables besides those of the flags. */
const VARIABLES: readonly (readonly [name: string, text: string])[] = [
  ["PGSLUICE_HOME", "The folder that the paths under FILES are in; the working folder unless set."],
  ["PGSLUICE_DEBUG", "If not empty, the stack of an error is shown."],
  ["DATABASE_URL", "The database, where --database does not name one."],
  [
    "PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, …",
    "As for psql: what the URL of the database leaves out; the database itself where there is none.",
  ],
  ["NO_COLOR", "If not empty, nothing is coloured."],
];

const FILES: readonly (readonly [path: string, text: string])[] = [
  ["./data/events", "The folder that is watched unless another is named."],
  ["./data/postgres", "The files of the embedded PostgreSQL server."],
  ["./checkpoints", "The journals, one folder a pipeline."],
];

const FILE_TEXT = "One JSON object whose keys are the names of flags, as in the example below. " +
  "`pgsluice config schema` describes every key.";

export const FILE_EXAMPLE =
  '{"source": "/var/spool/events", "batch-rows": 20000, "settle": "10s", "quiet": true}';

/** The manual page of the program: roff with the man(7) macros. */
export async function manPage(commands: readonly Command[], version: string): Promise<string> {
  const sections = [];
  for (const command of commands) sections.push(await commandSection(command));
  return `.\\" made by \`pgsluice man\`
.TH PGSLUICE 1 "" ${roffArgument(`pgsluice ${version}`)} "User Commands"
.SH NAME
pgsluice \\- load events from CSV files into PostgreSQL, each exactly once
.SH SYNOPSIS
.B pgsluice
.I COMMAND
.RI [ FLAGS ]
.RI [ ARGUMENTS ]
.PP
.B pgsluice help
.RI [ COMMAND ]
.PP
.B pgsluice \\-\\-version
.SH DESCRIPTION
${roffParagraphs(DESCRIPTION)}.SH COMMANDS
${sections.join("")}.SH ENVIRONMENT
Each flag has a variable, which the flag on the command line overrules:
${flagVariables(commands)}${variables()}.SH EXIT STATUS
${exitCodes()}.SH FILES
${files()}.SH EXAMPLES
${EXAMPLES.map(({ says, line }) => example(says, line)).join(".PP\n")}.PP
${example("A configuration file:", FILE_EXAMPLE)}`;
}

async function commandSection(command: Command): Promise<string> {
  const { name, summary, positionalsText, details } = command;
  const flags = shownFlags(command);
  const text = typeof details === "function" ? await details() : details;
  return `.SS ${roffArgument(name)}
${roffBold(`pgsluice ${name}`)} ${flags.length === 0 ? "" : "[\\fIFLAGS\\fR] "}${
    roffItalic(positionalsText ?? "")
  }
.PP
${roffParagraphs(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)}${
    flags.map((flag) => tagged(flagTag(flag), flagText(flag))).join("")
  }${text === undefined ? "" : `.PP\n${roffParagraphs(text)}`}`.replaceAll(/ +$/gm, "");
}

function flagTag({ name, kind, placeholder, choices }: Flag): string {
  const head = roffBold(`--${name}`);
  if (kind === "switch") return head;
  return `${head} ${roffItalic(placeholder ?? choices?.join("|") ?? "VALUE")}`;
}

function flagVariables(commands: readonly Command[]): string {
  const flags = new Map(
    [configFlag, ...commands.flatMap((command) => command.flags)]
      .map((flag) => [flag.name, flag] as const),
  );
  return [...flags.values()]
    .map((flag) => tagged(roffBold(environmentName(flag)), `The same as --${flag.name}.`))
    .join("");
}

function variables(): string {
  return VARIABLES.map(([name, text]) => tagged(roffBold(name), text)).join("");
}

function exitCodes(): string {
  return (Object.keys(EXIT) as (keyof typeof EXIT)[])
    .map((name) => tagged(roffBold(String(EXIT[name])), EXIT_TEXTS[name])).join("");
}

function files(): string {
  return [...FILES, ["FILE of --config", FILE_TEXT] as const]
    .map(([path, text]) => tagged(roffItalic(path), text)).join("");
}

function example(says: string, line: string): string {
  return `${roffText(says)}\n.PP\n.EX\n    ${roffText(line)}\n.EE\n`;
}

/** A term, and below it what it is. */
function tagged(tag: string, text: string): string {
  return `.TP\n${tag}\n${roffText(text)}\n`;
}
