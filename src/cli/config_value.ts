/** What a key of a configuration file may hold, for each kind of flag. */
import type { Flag, FlagKind } from "./command.ts";
import type { JsonScalar } from "./config_json.ts";
import { expectedValue, parseFlagValue } from "./flag_value.ts";

export type JsonType = "boolean" | "string" | "number" | "integer";

const JSON_TYPES: Readonly<Record<FlagKind, readonly JsonType[]>> = {
  switch: ["boolean"],
  text: ["string"],
  whole: ["integer", "string"],
  percent: ["number", "string"],
  duration: ["string"], // a number would lack its unit
  bytes: ["integer", "string"],
  moment: ["string"],
  instant: ["string"],
};

/** What the key of this flag may hold. A text that may be a number too says so: `N|P%`. */
export function jsonTypes(flag: Flag): readonly JsonType[] {
  const isNumberToo = flag.kind === "text" && flag.placeholder?.split("|").includes("N");
  return isNumberToo ? ["number", "string"] : JSON_TYPES[flag.kind];
}

/** As it reads after "expected". */
export function expectedJson(flag: Flag): string {
  return flag.kind === "switch" ? "true or false" : expectedValue(flag);
}

/**
 * The text that says on a command line what `value` says in a file.
 * @returns undefined if the flag does not accept it.
 */
export function flagTextOf(flag: Flag, value: JsonScalar): string | undefined {
  if (!jsonTypes(flag).some((type) => isOfType(value, type))) return undefined;
  const text = String(value);
  return parseFlagValue(flag, text) === undefined ? undefined : text;
}

function isOfType(value: JsonScalar, type: JsonType): boolean {
  if (type === "integer") return Number.isInteger(value);
  const found: string = typeof value;
  return found === type;
}
