import { assert, assertEquals } from "@std/assert";
import { Random } from "../../src/generate/random.ts";
import type { NumericColumn, Schema, SourceColumn, WholeColumn } from "../../src/schema/schema.ts";
import { decodeCsv } from "./decode_csv.ts";
import { readTuples } from "./read_tuples.ts";

/** A schema of a key and one column, so that anything about the column is seen. */
function schemaOf(column: SourceColumn): Schema {
  const key = { name: "id", type: "uuid", presence: "derived", description: "" } as const;
  return { table: "t", columns: [key, column], derived: [], key: "id", indexes: [] };
}

/** What becomes of each field: its value as text, or `!code` of the reject. */
function valuesOf(column: SourceColumn, fields: readonly string[]): (string | null)[] {
  const schema = schemaOf(column);
  const text = [column.name, ...fields.map((field) => field === "" ? '""' : field)].join("\n");
  const { tuples, rejects } = decodeCsv(text, { schema });
  const rows = readTuples(tuples.finish(), schema);
  return rejects.map((reject) =>
    reject === null ? rows.shift()!.get(column.name)! : `!${reject.code}`
  );
}

/** A number's text of many lengths, with zeros, signs and a point where they may be, or nearly. */
function oddNumber(random: Random): string {
  const digits = (most: number) =>
    Array.from(
      { length: random.below(most + 1) },
      () => random.pick([..."0001234567899"]),
    ).join("");
  const sign = random.pick(["", "", "", "-", "+"]);
  const decimals = random.below(2) === 0 ? `.${digits(random.pick([2, 4, 9, 16]))}` : "";
  return `${sign}${digits(random.pick([1, 3, 9, 16, 20]))}${decimals}` || "0";
}

/** The number in units of the scale, by way of bigint; null if it is none or too fine. */
function unitsOf(text: string, scale: number): bigint | null {
  const match = /^([+-]?)([0-9]*)(?:\.([0-9]*))?$/.exec(text);
  if (match === null || !/[0-9]/.test(text)) return null;
  const [, sign, whole = "", decimals = ""] = match;
  if (!/^0*$/.test(decimals.slice(scale))) return null;
  const units = BigInt(whole + decimals.slice(0, scale).padEnd(scale, "0"));
  return sign === "-" ? -units : units;
}

Deno.test("numbers are exact in every precision and scale", () => {
  const random = new Random(1, 0);
  let acceptedCount = 0;
  for (let round = 0; round < 300; round++) {
    const precision = 1 + random.below(15);
    const scale = random.below(precision + 1);
    const column: NumericColumn = {
      name: "n",
      type: "numeric",
      presence: "required",
      precision,
      scale,
      description: "",
    };
    const fields = Array.from({ length: 100 }, () => oddNumber(random));
    valuesOf(column, fields).forEach((value, index) => {
      const what = `${fields[index]} as numeric(${precision},${scale})`;
      const units = unitsOf(fields[index]!, scale);
      const isRight = units !== null && (units < 0n ? -units : units) < 10n ** BigInt(precision);
      assertEquals(!value!.startsWith("!"), isRight, what);
      if (!isRight) return;
      assertEquals(unitsOf(value!, scale), units, what);
      assertEquals(value!.split(".")[1]?.length ?? 0, scale, what);
      acceptedCount++;
    });
  }
  assert(acceptedCount > 5_000, `only ${acceptedCount} were accepted`);
});

Deno.test("whole numbers are exact to the ends of their type", () => {
  const random = new Random(2, 0);
  for (const type of ["integer", "bigint"] as const) {
    const column: WholeColumn = { name: "n", type, presence: "required", description: "" };
    const largest = 2n ** (type === "integer" ? 31n : 63n) - 1n;
    const near = [0n, largest, -largest - 1n, 10n ** 15n, -(10n ** 15n), 2n ** 53n, 2n ** 32n];
    const fields = [
      ...near.flatMap((value) => [-2n, -1n, 0n, 1n, 2n].map((by) => String(value + by))),
      ...Array.from({ length: 5_000 }, () => oddNumber(random)),
    ];
    valuesOf(column, fields).forEach((value, index) => {
      const units = fields[index]!.includes(".") ? null : unitsOf(fields[index]!, 0);
      const isRight = units !== null && units <= largest && units >= -largest - 1n;
      const what = `${fields[index]} as ${type}`;
      if (isRight) assertEquals(value, String(units), what);
      else assertEquals(value, units === null ? "!bad_number" : "!out_of_range", what);
    });
  }
});

Deno.test("a minimum that is no binary fraction is itself accepted", () => {
  const column: NumericColumn = {
    name: "n",
    type: "numeric",
    presence: "required",
    precision: 6,
    scale: 2,
    minimum: 1.1,
    description: "",
  };
  assertEquals(valuesOf(column, ["1.1", "1.09", "1.11"]), ["1.10", "!out_of_range", "1.11"]);
});

Deno.test("a bigint has the default of its column where there is no value", () => {
  const column: WholeColumn = {
    name: "n",
    type: "bigint",
    presence: "optional",
    default: 2 ** 40,
    description: "",
  };
  assertEquals(valuesOf(column, ["", "5", '" "']), ["1099511627776", "5", "1099511627776"]);
});

Deno.test("times are exact to the microsecond from the year 0 to 9999", () => {
  const random = new Random(3, 0);
  const column: SourceColumn = {
    name: "t",
    type: "timestamptz",
    presence: "required",
    description: "",
  };
  const instants = Array.from({ length: 5_000 }, () => {
    const seconds = -62_167_219_200 + Math.floor(random.fraction() * 315_569_520_000);
    return { seconds, micros: random.below(1_000_000) };
  });
  const fields = instants.map(({ seconds, micros }) => {
    const second = Temporal.Instant.fromEpochMilliseconds(seconds * 1000)
      .toZonedDateTimeISO("UTC").toPlainDateTime();
    // Temporal writes the years before 1 and after 9999 with a sign; none is here
    return `${second.toString({ smallestUnit: "second" })}.${String(micros).padStart(6, "0")}Z`;
  });
  const expected = instants.map(({ seconds, micros }) =>
    String(BigInt(seconds) * 1_000_000n + BigInt(micros))
  );
  assertEquals(valuesOf(column, fields), expected);
});

Deno.test("of values that begin alike the one that is meant is found", () => {
  const column: SourceColumn = {
    name: "t",
    type: "text",
    presence: "required",
    allowed: ["a", "ab", "abc"],
    description: "",
  };
  const fields = ["a", "ab", "abc", "abcd", '"ab"', "b"];
  assertEquals(valuesOf(column, fields), ["a", "ab", "abc", "!not_allowed", "ab", "!not_allowed"]);
});

Deno.test("a blank line is no record, though the only column of the file is optional", () => {
  const column: SourceColumn = { name: "t", type: "text", presence: "optional", description: "" };
  assertEquals(valuesOf(column, ["a", "b\n\r\n\nc", "", "d"]), ["a", "b", "c", null, "d"]);
});

Deno.test("a time that occurs twice is counted once, at its own record", () => {
  const column: SourceColumn = {
    name: "t",
    type: "timestamptz",
    presence: "optional",
    description: "",
  };
  const twice = "2026-10-25 02:30:00";
  const text = ["t,extra", `${twice},`, ",", '"",', `${twice},`, ","].join("\n");
  for (const plain of [true, false]) {
    const options = { schema: schemaOf(column), timeZone: "Europe/Berlin", plain };
    const { ambiguousTimes, tuples } = decodeCsv(text, options);
    assertEquals([ambiguousTimes, tuples.rowCount], [2, 5]);
  }
});

Deno.test("a time that occurs twice is not counted of a record that is rejected, nor of the next", () => {
  const time: SourceColumn = {
    name: "t",
    type: "timestamptz",
    presence: "optional",
    description: "",
  };
  const number: SourceColumn = {
    name: "n",
    type: "integer",
    presence: "required",
    description: "",
  };
  const alone = schemaOf(time);
  const schema = { ...alone, columns: [...alone.columns, number] };
  const twice = "2026-10-25 02:30:00";
  const text = ["t,n", `${twice},1`, `${twice},x`, ",3", `${twice},y`, ",5", ",6"].join("\n");
  for (const plain of [true, false]) {
    const options = { schema, timeZone: "Europe/Berlin", plain };
    const { ambiguousTimes, tuples } = decodeCsv(text, options);
    assertEquals([ambiguousTimes, tuples.rowCount], [1, 4]);
  }
});
