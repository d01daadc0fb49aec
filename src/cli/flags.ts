import type { Command, Flag, FlagKind, FlagValues, GivenBy } from "./command.ts";
import { configFlag } from "./common_flags.ts";
import type { ConfigFile } from "./config_file.ts";
import { expectedValue, type FlagValue, parseFlagValue } from "./flag_value.ts";
import { suggestion } from "./suggestion.ts";
import { usageError } from "./usage_error.ts";

export interface ParsedArguments {
  readonly flags: FlagValues;
  readonly positionals: readonly string[];
}

/** Looks an environment variable up. */
export type Environment = (name: string) => string | undefined;

/** `batch-rows` is `PGSLUICE_BATCH_ROWS`. */
export function environmentName(flag: Flag): string {
  return `PGSLUICE_${flag.name.replaceAll("-", "_").toUpperCase()}`;
}

/** How a command is called, as in `pgsluice ingest [FLAGS] [DIR|-]`. */
export function usageLine(command: Command): string {
  const positionals = command.positionalsText === undefined ? "" : ` ${command.positionalsText}`;
  const flags = command.flags.length === 0 ? "" : " [FLAGS]";
  return `pgsluice ${command.name}${flags}${positionals}`;
}

/**
 * Reads what follows the command's name. Flags are `--name VALUE` or `--name=VALUE`, a switch needs
 * no value, `--` ends them, `-` is a positional. What no flag says is taken from the environment,
 * where an empty variable counts as absent. `--config` is read for every command.
 * @throws {PgsluiceError} `usage` for anything undeclared, repeated, missing or malformed.
 */
export function parseArguments(
  command: Command,
  args: readonly string[],
  environment: Environment,
): ParsedArguments {
  const all = [...command.flags, configFlag];
  const declared = new Map(all.map((flag) => [`--${flag.name}`, flag]));
  const given: GivenValues = new Map();
  const positionals: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === "--") {
      positionals.push(...args.slice(index + 1));
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) {
      positionals.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = equals === -1 ? arg : arg.slice(0, equals);
    const flag = declared.get(name);
    if (flag === undefined) throw unknownFlag(command, name);
    if (given.has(flag.name)) {
      throw usageError(`${name} is given twice`, `give ${name} once`);
    }
    let text: string;
    if (equals !== -1) text = arg.slice(equals + 1);
    else if (flag.kind === "switch") text = "true";
    else text = following(command, flag, args[++index]);
    given.set(flag.name, valueOf(flag, { source: "flag", place: name, text }, command));
  }
  checkPositionals(command, positionals);
  takePositional(command, { given, positionals });
  for (const flag of all) {
    const place = environmentName(flag);
    const text = environment(place);
    if (!text || given.has(flag.name)) continue;
    given.set(flag.name, valueOf(flag, { source: "environment", place, text }, command));
  }
  return { flags: new GivenFlags(command, given), positionals };
}

/** @returns the flags, and what `file` says of those that nobody gave. */
export function withConfigFile(
  command: Command,
  flags: FlagValues,
  file: ConfigFile,
): FlagValues {
  const given: GivenValues = new Map();
  for (const flag of [...command.flags, configFlag]) {
    const by = flags.givenBy(flag.name);
    const value = file.values.get(flag.name);
    if (by !== undefined) given.set(flag.name, valueOf(flag, by, command));
    else if (value !== undefined) {
      const place = `${file.path}:${value.line}`;
      given.set(flag.name, valueOf(flag, { source: "file", place, text: value.text }, command));
    }
  }
  return new GivenFlags(command, given);
}

/** The positional that is another way to write a flag becomes that flag's value. */
function takePositional(
  command: Command,
  { given, positionals }: { given: GivenValues; positionals: string[] },
): void {
  const flag = command.flags.find(({ name }) => name === command.positionalFlag);
  if (flag === undefined || positionals.length === 0) return;
  const text = positionals.shift()!;
  if (given.has(flag.name)) {
    throw usageError(
      `the argument ${JSON.stringify(text)} and --${flag.name} say the same thing`,
      "give one of them",
    );
  }
  given.set(flag.name, valueOf(flag, { source: "flag", place: "the argument", text }, command));
}

/**
 * The value in the next argument; one that looks like a flag is one, whose neighbour lacks its
 * value. A comment of SQL does not.
 */
function following(command: Command, flag: Flag, next: string | undefined): string {
  if (next !== undefined && !/^--[a-z]/.test(next)) return next;
  throw usageError(
    `--${flag.name} needs a value: ${expectedValue(flag)}`,
    `--${flag.name} ${flag.placeholder ?? "VALUE"}, see \`pgsluice help ${command.name}\``,
  );
}

function valueOf(flag: Flag, by: GivenBy, command: Command): GivenValue {
  const value = parseFlagValue(flag, by.text);
  if (value !== undefined) return { value, by };
  throw usageError(
    `${by.place}: expected ${expectedValue(flag)}, got ${JSON.stringify(by.text)}`,
    `pgsluice help ${command.name}`,
  );
}

function unknownFlag(command: Command, name: string): Error {
  const known = [...command.flags, configFlag].map((flag) => `--${flag.name}`);
  const meant = suggestion(name, known);
  return usageError(
    `unknown flag ${JSON.stringify(name).slice(1, -1)} for ${command.name}`,
    meant === undefined
      ? `\`pgsluice help ${command.name}\` lists its flags`
      : `did you mean ${meant}?`,
  );
}

function checkPositionals(command: Command, positionals: readonly string[]): void {
  const surplus = positionals[command.maxPositionals ?? 0];
  if (surplus === undefined) return;
  throw usageError(
    `${command.name} does not take the argument ${JSON.stringify(surplus)}`,
    usageLine(command),
  );
}

interface GivenValue {
  readonly value: FlagValue;
  readonly by: GivenBy;
}

type GivenValues = Map<string, GivenValue>;

class GivenFlags implements FlagValues {
  readonly #command: string;
  readonly #kinds: ReadonlyMap<string, FlagKind>;
  readonly #given: ReadonlyMap<string, GivenValue>;

  constructor(command: Command, given: ReadonlyMap<string, GivenValue>) {
    this.#command = command.name;
    this.#kinds = new Map([...command.flags, configFlag].map((flag) => [flag.name, flag.kind]));
    this.#given = given;
  }

  switch(name: string): boolean {
    return this.#value(name, ["switch"]) === true;
  }

  text(name: string): string | undefined {
    return this.#value(name, ["text", "moment"]) as string | undefined;
  }

  number(name: string): number | undefined {
    const kinds = ["whole", "percent", "duration", "bytes", "instant"] as const;
    return this.#value(name, kinds) as number | undefined;
  }

  givenBy(name: string): GivenBy | undefined {
    this.#kind(name);
    return this.#given.get(name)?.by;
  }

  #value(name: string, asked: readonly FlagKind[]): FlagValue | undefined {
    const kind = this.#kind(name);
    if (!asked.includes(kind)) {
      throw new TypeError(`--${name} of ${this.#command} is a ${kind}, asked for as ${asked[0]}`);
    }
    return this.#given.get(name)?.value;
  }

  #kind(name: string): FlagKind {
    const kind = this.#kinds.get(name);
    if (kind === undefined) throw new TypeError(`${this.#command} declares no flag --${name}`);
    return kind;
  }
}
