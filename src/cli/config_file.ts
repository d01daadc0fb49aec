import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { Command, Flag } from "./command.ts";
import { FlatJsonFault, type JsonEntry, readFlatObject } from "./config_json.ts";
import { expectedJson, flagTextOf } from "./config_value.ts";
import { suggestion } from "./suggestion.ts";

/** Far more than every key there is; what is longer is another file. */
const MAX_CONFIG_BYTES = 1024 * 1024;

const SCHEMA_HINT = "`pgsluice config schema` describes every key";

export interface ConfigValue {
  /** As the flag would be given on a command line. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** A configuration file, every key of which is known and well-formed. */
export interface ConfigFile {
  readonly path: string;
  /** By flag name. */
  readonly values: ReadonlyMap<string, ConfigValue>;
}

/** The flags that the commands take, each once: one name has one meaning everywhere. */
export function configurableFlags(commands: readonly Command[]): ReadonlyMap<string, Flag> {
  const flags = new Map<string, Flag>();
  for (const flag of commands.flatMap((command) => command.flags)) {
    if (!flags.has(flag.name)) flags.set(flag.name, flag);
  }
  return flags;
}

/**
 * Reads the file and checks all of it, also the keys that only other commands take: one file may
 * serve them all.
 * @throws {PgsluiceError} `config-file`; no message holds the value of a text that may be secret.
 */
export async function readConfigFile(
  path: string,
  commands: readonly Command[],
): Promise<ConfigFile> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readBounded(path));
  } catch (error) {
    if (error instanceof PgsluiceError) throw error;
    throw configError(`cannot read ${path}: ${why(error)}`, {
      hint: "name a readable JSON file with --config or PGSLUICE_CONFIG",
      cause: error,
    });
  }
  return parseConfig(text, { path, commands });
}

/** @throws {PgsluiceError} `config-file` */
export function parseConfig(
  text: string,
  { path, commands }: { path: string; commands: readonly Command[] },
): ConfigFile {
  const flags = configurableFlags(commands);
  const values = new Map<string, ConfigValue>();
  for (const entry of entriesOf(text, path)) {
    if (entry.key === "$schema") continue; // for editors
    const flag = flags.get(entry.key);
    if (flag === undefined) throw unknownKey(entry, { path, known: [...flags.keys()] });
    const given = flagTextOf(flag, entry.value);
    if (given === undefined) {
      throw configError(
        `${path}, line ${entry.line}: ${flag.name}: expected ${expectedJson(flag)}, ` +
          `got ${JSON.stringify(entry.value)}`,
        { hint: entry.value === null ? "leave the key out for the default" : SCHEMA_HINT },
      );
    }
    values.set(flag.name, { text: given, line: entry.line });
  }
  return { path, values };
}

function entriesOf(text: string, path: string): JsonEntry[] {
  try {
    return readFlatObject(text);
  } catch (error) {
    if (!(error instanceof FlatJsonFault)) throw error;
    throw configError(`${path}, line ${error.line}: ${error.message}`, {
      hint: 'write one JSON object of flags, as in {"table": "user_events", "batch-rows": 20000}',
      cause: error,
    });
  }
}

function unknownKey(
  { key, line }: JsonEntry,
  { path, known }: { path: string; known: readonly string[] },
): PgsluiceError {
  // with the dashes, a slip is forgiven in short names as well, as on the command line
  const meant = suggestion(`--${key}`, known.map((name) => `--${name}`));
  return configError(`${path}, line ${line}: unknown key ${JSON.stringify(key)}`, {
    hint: meant === undefined ? SCHEMA_HINT : `did you mean ${JSON.stringify(meant.slice(2))}?`,
  });
}

/** Any file that can be read, a pipe as well. */
async function readBounded(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = 0;
  const file = await Deno.open(path);
  for await (const chunk of file.readable) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_CONFIG_BYTES) {
      throw configError(`${path} is longer than ${MAX_CONFIG_BYTES} bytes`, { hint: SCHEMA_HINT });
    }
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function why(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (error instanceof TypeError) return "it is not UTF-8";
  return error instanceof Error ? error.message : String(error);
}

function configError(
  message: string,
  { hint, cause }: { hint: string; cause?: unknown },
): PgsluiceError {
  return new PgsluiceError("config-file", message, { hint, exitCode: EXIT.usage, cause });
}
