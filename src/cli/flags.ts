import type { Command, Flag, FlagKind, FlagValues } from "./command.ts";
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
  return `pgsluice ${command.name} [FLAGS]${positionals}`;
}

/**
 * Reads what follows the command's name. Flags are `--name VALUE` or `--name=VALUE`, a switch needs
 * no value, `--` ends them, `-` is a positional. What no flag says is taken from the environment,
 * where an empty variable counts as absent.
 * @throws {PgsluiceError} `usage` for anything undeclared, repeated, missing or malformed.
 */
export function parseArguments(
  command: Command,
  args: readonly string[],
  environment: Environment,
): ParsedArguments {
  const declared = new Map(command.flags.map((flag) => [`--${flag.name}`, flag]));
  const values = new Map<string, FlagValue>();
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
    if (values.has(flag.name)) {
      throw usageError(`${name} is given twice`, `give ${name} once`);
    }
    let text: string;
    if (equals !== -1) text = arg.slice(equals + 1);
    else if (flag.kind === "switch") text = "true";
    else text = following(command, flag, args[++index]);
    values.set(flag.name, valueOf(flag, text, { saidBy: name, command }));
  }
  checkPositionals(command, positionals);
  for (const flag of command.flags) {
    const variable = environmentName(flag);
    const text = environment(variable);
    if (!text || values.has(flag.name)) continue;
    values.set(flag.name, valueOf(flag, text, { saidBy: variable, command }));
  }
  return { flags: new GivenFlags(command, values), positionals };
}

/** The value in the next argument; one that begins with `--` is a flag whose neighbour lacks it. */
function following(command: Command, flag: Flag, next: string | undefined): string {
  if (next !== undefined && !next.startsWith("--")) return next;
  throw usageError(
    `--${flag.name} needs a value: ${expectedValue(flag)}`,
    `--${flag.name} ${flag.placeholder ?? "VALUE"}, see \`pgsluice help ${command.name}\``,
  );
}

function valueOf(
  flag: Flag,
  text: string,
  { saidBy, command }: { saidBy: string; command: Command },
): FlagValue {
  const value = parseFlagValue(flag, text);
  if (value !== undefined) return value;
  throw usageError(
    `${saidBy}: expected ${expectedValue(flag)}, got ${JSON.stringify(text)}`,
    `pgsluice help ${command.name}`,
  );
}

function unknownFlag(command: Command, name: string): Error {
  const meant = suggestion(name, command.flags.map((flag) => `--${flag.name}`));
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

class GivenFlags implements FlagValues {
  readonly #command: string;
  readonly #kinds: ReadonlyMap<string, FlagKind>;
  readonly #values: ReadonlyMap<string, FlagValue>;

  constructor(command: Command, values: ReadonlyMap<string, FlagValue>) {
    this.#command = command.name;
    this.#kinds = new Map(command.flags.map((flag) => [flag.name, flag.kind]));
    this.#values = values;
  }

  switch(name: string): boolean {
    return this.#value(name, ["switch"]) === true;
  }

  text(name: string): string | undefined {
    return this.#value(name, ["text"]) as string | undefined;
  }

  number(name: string): number | undefined {
    const kinds = ["whole", "percent", "duration", "bytes", "instant"] as const;
    return this.#value(name, kinds) as number | undefined;
  }

  #value(name: string, asked: readonly FlagKind[]): FlagValue | undefined {
    const kind = this.#kinds.get(name);
    if (kind === undefined) throw new TypeError(`${this.#command} declares no flag --${name}`);
    if (!asked.includes(kind)) {
      throw new TypeError(`--${name} of ${this.#command} is a ${kind}, asked for as ${asked[0]}`);
    }
    return this.#values.get(name);
  }
}
