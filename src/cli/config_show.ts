import { dirname, resolve } from "@std/path";
import { homePaths } from "../home.ts";
import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext, Flag, FlagValues, Terminal } from "./command.ts";
import { databaseFlag, jsonFlag, quietFlag } from "./common_flags.ts";
import { shownFlags } from "./help.ts";
import { renderTable } from "./render_table.ts";

export const configShowCommand: Command = {
  name: "config show",
  summary: "the values that a command would run with, and where each comes from",
  positionalsText: "[COMMAND [ARGUMENTS]]",
  subject: "ingest",
  flags: [jsonFlag, quietFlag],
  details: [
    "COMMAND is ingest unless given; it is not run. What may follow it on a command line may " +
    "follow it here:",
    "  pgsluice config show verify --config pgsluice.json --table orders",
    "Passwords are not shown. A value is a flag's, else that of its environment variable, else " +
    "that of the file which --config or PGSLUICE_CONFIG names. Where none of them names a " +
    "database, DATABASE_URL does, else PG*.",
  ].join("\n\n"),
  run: runShow,
};

interface Setting {
  readonly name: string;
  /** As a configuration file would say it; null where it is not set, or for `defaultText`. */
  readonly value: string | number | boolean | null;
  /** In words, where the default is no plain value. */
  readonly defaultText: string | null;
  readonly source: "flag" | "environment" | "file" | "default";
  /** As people find it: `--table`, `PGSLUICE_TABLE`, `pgsluice.json:3`. */
  readonly place: string | null;
}

async function runShow({ flags, subject, terminal }: CommandContext): Promise<number> {
  const command = subject!;
  const settings: Setting[] = [];
  for (const flag of shownFlags(command)) {
    settings.push(
      flag.name === databaseFlag.name
        ? await databaseSetting(flags)
        : givenSetting(flag, flags) ?? defaultSetting(flag),
    );
  }
  if (flags.switch("json")) {
    await terminal.write(
      `${JSON.stringify({ command: command.name, settings: jsonOf(settings) })}\n`,
    );
  } else if (settings.length === 0) {
    terminal.say(`${command.name} takes no flags`);
  } else {
    await terminal.write(table(settings, terminal));
  }
  return EXIT.done;
}

/** The server in the end, of which parts may come from `PG*`; without its password. */
async function databaseSetting(flags: FlagValues): Promise<Setting> {
  const { describeTarget } = await import("../database/database_target.ts");
  const { readCredential } = await import("../database/credentials_directory.ts");
  const { targetFromFlags } = await import("./database_option.ts");
  const { name } = databaseFlag;
  const target = await targetFromFlags(flags);
  const setting = { name, value: describeTarget(target), defaultText: null };
  const by = flags.givenBy(name);
  if (by !== undefined) return { ...setting, source: by.source, place: by.place };
  if (target.kind === "embedded") return { ...setting, source: "default", place: null };
  const environment = (variable: string) => Deno.env.get(variable);
  if (environment("DATABASE_URL")) {
    return { ...setting, source: "environment", place: "DATABASE_URL" };
  }
  return readCredential("database-url", environment) === undefined
    ? { ...setting, source: "environment", place: "PG*" }
    : { ...setting, source: "file", place: "credential database-url" };
}

function givenSetting(flag: Flag, flags: FlagValues): Setting | undefined {
  const by = flags.givenBy(flag.name);
  if (by === undefined) return undefined;
  const isNumber = flag.kind === "whole" || flag.kind === "percent" || flag.kind === "bytes";
  const value = flag.kind === "switch"
    ? flags.switch(flag.name)
    : isNumber
    ? flags.number(flag.name)!
    : by.text;
  return { name: flag.name, value, defaultText: null, source: by.source, place: by.place };
}

function defaultSetting({ name, kind, defaultText }: Flag): Setting {
  const setting = { name, source: "default", place: null } as const;
  if (kind === "switch") return { ...setting, value: false, defaultText: null };
  if (defaultText === undefined || !defaultText.startsWith("./")) {
    return { ...setting, value: null, defaultText: defaultText ?? null };
  }
  const home = dirname(homePaths().checkpoints);
  const place = Deno.env.get("PGSLUICE_HOME") ? "PGSLUICE_HOME" : null;
  return { ...setting, value: resolve(home, defaultText), defaultText: null, place };
}

function jsonOf(settings: readonly Setting[]) {
  return settings.map(({ name, value, defaultText, source, place }) => ({
    name,
    value,
    ...(defaultText !== null && { default: defaultText }),
    source,
    place,
  }));
}

function table(settings: readonly Setting[], terminal: Terminal): string {
  return renderTable({
    columns: [
      { header: "setting", align: "left" },
      { header: "value", align: "left" },
      { header: "from", align: "left" },
    ],
    rows: settings.map(({ name, value, defaultText, source, place }) => [
      name,
      String(value ?? defaultText ?? "-"),
      source === "default" && place !== null ? `default, ${place}` : place ?? source,
    ]),
    ...(terminal.stdoutIsTerminal && { maxWidth: terminal.columns }),
  });
}
