import { EXIT } from "../pgsluice_error.ts";
import type { Command, FlagValues } from "./command.ts";
import { configFlag, logFormatFlag, logLevelFlag } from "./common_flags.ts";
import { readConfigFile } from "./config_file.ts";
import { type Environment, parseArguments, type ParsedArguments, withConfigFile } from "./flags.ts";
import { commandHelp, commandList } from "./help.ts";
import type { LogLevel } from "./log_line.ts";
import { suggestion } from "./suggestion.ts";
import type { ProcessTerminal } from "./terminal.ts";
import { usageError } from "./usage_error.ts";

export interface DispatchOptions {
  readonly commands: readonly Command[];
  readonly terminal: ProcessTerminal;
  readonly environment: Environment;
  /** Called once the command is known, just before it runs. */
  readonly watchSignals: (command: Command) => AbortSignal;
}

/**
 * Runs the command that `args` begin with.
 * @returns the exit code.
 * @throws {PgsluiceError} `usage` where the line is not understood, `config-file`, and what the
 *   command throws.
 */
export async function dispatch(
  args: readonly string[],
  { commands, terminal, environment, watchSignals }: DispatchOptions,
): Promise<number> {
  if (args.length === 0) {
    terminal.sayError(commandList(commands));
    return EXIT.usage;
  }
  if (args[0] === "--version") {
    const { versionText } = await import("../version.ts");
    await terminal.write(await versionText());
    return EXIT.done;
  }
  if (isHelp(args[0]) || args[0] === "help") {
    await terminal.write(await helpOn(args.slice(1), commands));
    return EXIT.done;
  }
  const command = findCommand(args, commands);
  const rest = args.slice(command === undefined ? 1 : command.name.split(" ").length);
  if (rest.slice(0, endOfFlags(rest)).some(isHelp)) {
    await terminal.write(await helpOn(command?.name.split(" ") ?? [args[0]!], commands));
    return EXIT.done;
  }
  if (command === undefined) {
    if (args.length > 1 || !isGroup(args[0]!, commands)) throw unknownCommand(args, commands);
    terminal.sayError(commandList(commands, args[0]));
    return EXIT.usage;
  }
  const asked = command.subject === undefined
    ? { command, args: rest }
    : aboutSubject(command, rest, commands);
  const { flags, positionals } = await settings(asked, { commands, environment });
  adjustTerminal(terminal, asked.command, flags);
  return await command.run({
    flags,
    positionals,
    ...(asked.subject !== undefined && { subject: asked.subject }),
    terminal,
    signal: watchSignals(command),
  });
}

interface Asked {
  /** With all the flags that it takes. */
  readonly command: Command;
  readonly args: readonly string[];
  readonly subject?: Command;
}

/** `config show ingest --table t`: the flags of the command it is about are its own as well. */
function aboutSubject(
  command: Command,
  args: readonly string[],
  commands: readonly Command[],
): Asked {
  const isNamed = args[0] !== undefined && !args[0].startsWith("-");
  const words = isNamed ? args : command.subject!.split(" ");
  const subject = findCommand(words, commands);
  if (subject === undefined) throw unknownCommand(words, commands);
  const own = command.flags.filter(({ name }) => !subject.flags.some((flag) => flag.name === name));
  const { maxPositionals, positionalFlag } = subject;
  return {
    command: {
      ...command,
      flags: [...subject.flags, ...own],
      ...(maxPositionals !== undefined && { maxPositionals }),
      ...(positionalFlag !== undefined && { positionalFlag }),
    },
    args: isNamed ? args.slice(subject.name.split(" ").length) : args,
    subject,
  };
}

/** What flags, environment and configuration file say, in this order. */
async function settings(
  { command, args }: Asked,
  { commands, environment }: Pick<DispatchOptions, "commands" | "environment">,
): Promise<ParsedArguments> {
  const parsed = parseArguments(command, args, environment);
  const path = parsed.flags.text(configFlag.name);
  // a command without flags has nothing to be told, and works where the file is broken
  if (path === undefined || command.flags.length === 0) return parsed;
  const file = await readConfigFile(path, commands);
  return { ...parsed, flags: withConfigFile(command, parsed.flags, file) };
}

function adjustTerminal(terminal: ProcessTerminal, command: Command, flags: FlagValues): void {
  const takes = (name: string) => command.flags.some((flag) => flag.name === name);
  terminal.quiet = takes("quiet") && flags.switch("quiet");
  if (takes(logFormatFlag.name) && flags.text(logFormatFlag.name) === "json") {
    terminal.logFormat = "json";
  }
  if (takes(logLevelFlag.name)) {
    terminal.logLevel = flags.text(logLevelFlag.name) as LogLevel | undefined ?? "info";
  }
}

async function helpOn(words: readonly string[], commands: readonly Command[]): Promise<string> {
  if (words.length === 0) return commandList(commands);
  const command = findCommand(words, commands);
  if (command !== undefined) return await commandHelp(command);
  if (!isGroup(words[0]!, commands)) throw unknownCommand(words, commands);
  return commandList(commands, words[0]);
}

function isHelp(arg: string | undefined): boolean {
  return arg === "--help" || arg === "-h";
}

function endOfFlags(args: readonly string[]): number {
  const index = args.indexOf("--");
  return index === -1 ? args.length : index;
}

/** The command named by the first word, or by the first two. */
function findCommand(args: readonly string[], commands: readonly Command[]): Command | undefined {
  return commands.find(({ name }) => name === args[0] || name === args.slice(0, 2).join(" "));
}

function isGroup(word: string, commands: readonly Command[]): boolean {
  return commands.some(({ name }) => name.startsWith(`${word} `));
}

function unknownCommand(args: readonly string[], commands: readonly Command[]): Error {
  const [first = "", second = ""] = args;
  const isFlag = first.startsWith("-");
  const said = isGroup(first, commands) ? `${first} ${second}`.trimEnd() : first;
  const known = isFlag ? ["--help", "--version"] : ["help", ...commands.map(({ name }) => name)];
  const meant = suggestion(said, known);
  return usageError(
    isFlag
      ? `${JSON.stringify(said)} is no command, and the command comes before its flags`
      : `unknown command ${JSON.stringify(said)}`,
    meant === undefined ? "`pgsluice help` lists the commands" : `pgsluice ${meant}`,
  );
}
