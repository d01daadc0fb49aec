import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext, Flag } from "./command.ts";
import { configurableFlags } from "./config_file.ts";
import { jsonTypes } from "./config_value.ts";
import { valuePattern } from "./flag_value.ts";
import { flagText } from "./help.ts";

export const configSchemaCommand: Command = {
  name: "config schema",
  summary: "print the JSON Schema of the configuration file, for editors",
  flags: [],
  details: "As in: pgsluice config schema > pgsluice.schema.json, and in the file itself: " +
    '"$schema": "./pgsluice.schema.json"',
  run: runSchema,
};

async function runSchema({ terminal }: CommandContext): Promise<number> {
  const { COMMANDS } = await import("./commands.ts");
  await terminal.write(`${JSON.stringify(configSchema(COMMANDS), null, 2)}\n`);
  return EXIT.done;
}

export interface ConfigSchema {
  readonly $schema: string;
  readonly title: string;
  readonly description: string;
  readonly type: "object";
  readonly additionalProperties: false;
  /** By key. */
  readonly properties: Readonly<Record<string, PropertySchema>>;
}

export interface PropertySchema {
  readonly description?: string;
  readonly type: string | readonly string[];
  readonly enum?: readonly string[];
  readonly minLength?: number;
  /** Of a text. */
  readonly pattern?: string;
  /** Of a number. */
  readonly minimum?: number;
  readonly maximum?: number;
}

/** @see https://json-schema.org/draft/2020-12 */
export function configSchema(commands: readonly Command[]): ConfigSchema {
  const flags = [...configurableFlags(commands).values()];
  const takers = (name: string) =>
    commands.filter((command) => command.flags.some((flag) => flag.name === name))
      .map((command) => command.name);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of pgsluice",
    description: "Flags by their names, for every command that has them; see --config.",
    type: "object",
    additionalProperties: false,
    properties: {
      $schema: { description: "Where this schema is.", type: "string" },
      ...Object.fromEntries(
        flags.map((flag) => [flag.name, property(flag, takers(flag.name))]),
      ),
    },
  };
}

function property(flag: Flag, takers: readonly string[]): PropertySchema {
  const types = jsonTypes(flag);
  const pattern = valuePattern(flag.kind);
  return {
    description: `${flagText(flag)}. Of: ${takers.join(", ")}.`,
    type: types.length === 1 ? types[0]! : types,
    ...(flag.choices !== undefined && { enum: flag.choices }),
    ...(types.includes("string") && { minLength: 1 }),
    ...(pattern !== undefined && { pattern: pattern.source }),
    ...((types.includes("integer") || types.includes("number")) && { minimum: 0 }),
    ...(flag.kind === "percent" && { maximum: 100 }),
  };
}
