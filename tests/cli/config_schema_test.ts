import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../src/cli/commands.ts";
import type { Flag, FlagKind } from "../../src/cli/command.ts";
import { parseConfig } from "../../src/cli/config_file.ts";
import { configSchema, type PropertySchema } from "../../src/cli/config_schema.ts";
import type { JsonScalar } from "../../src/cli/config_json.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

const SCHEMA = configSchema(COMMANDS);

/** What the standard says of the keywords that the schema uses. */
function isValid(value: JsonScalar, schema: PropertySchema): boolean {
  const types = typeof schema.type === "string" ? [schema.type] : schema.type;
  const isOfType = types.some((type) =>
    type === "integer" ? Number.isInteger(value) : value !== null && `${typeof value}` === type
  );
  if (!isOfType) return false;
  if (schema.enum !== undefined && !schema.enum.some((each) => each === value)) return false;
  if (typeof value === "string") {
    if (value.length < (schema.minLength ?? 0)) return false;
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) return false;
  }
  if (typeof value === "number") {
    return value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
  }
  return true;
}

function isAccepted(flag: Flag, value: JsonScalar): boolean {
  try {
    parseConfig(JSON.stringify({ [flag.name]: value }), { path: "", commands: COMMANDS });
    return true;
  } catch (error) {
    if (error instanceof PgsluiceError) return false;
    throw error;
  }
}

/** Texts that have the form and no meaning: beyond a pattern. */
const BEYOND: Readonly<Partial<Record<FlagKind, readonly JsonScalar[]>>> = {
  percent: ["101", "101%"],
  text: [-1], // the command alone knows what its text may say
  moment: ["", "x", "1MiB", "50k", "5", "101", "101%", "0.5%", "-1"],
  instant: ["", "x", "5s", "1MiB", "50k", "5", "101", "101%", "0.5%", "-1"],
};

Deno.test("the schema accepts what a command accepts, for every flag, and refuses the rest", () => {
  const values: readonly JsonScalar[] = [
    ...["", "x", "5s", "1MiB", "50k", "5", "101", "101%", "0.5%", "-1", "2025-01-31"],
    ...[0, 5, 0.5, 101, -1, true, false, null],
  ];
  const flags = new Map(COMMANDS.flatMap(({ flags }) => flags).map((flag) => [flag.name, flag]));
  let accepted = 0;
  for (const [name, flag] of flags) {
    const property = SCHEMA.properties[name];
    assert(property !== undefined, name);
    for (const value of [...values, ...(flag.choices ?? [])]) {
      if (BEYOND[flag.kind]?.includes(value)) continue;
      const wanted = isAccepted(flag, value);
      assertEquals(isValid(value, property), wanted, `${name}: ${JSON.stringify(value)}`);
      if (wanted) accepted++;
    }
  }
  assert(accepted > flags.size, "each flag accepts something");
});

Deno.test("the schema has a key for every flag and none besides, but $schema", () => {
  const names = new Set(COMMANDS.flatMap(({ flags }) => flags).map(({ name }) => name));
  assertEquals(Object.keys(SCHEMA.properties).toSorted(), ["$schema", ...names].toSorted());
  assertEquals(SCHEMA.additionalProperties, false);
  assertEquals(
    SCHEMA.properties["settle"]?.description,
    "a last record without a newline is taken when its file was quiet so long (default: 5s). " +
      "Of: ingest.",
  );
});
