import { assert, assertEquals } from "@std/assert";
import type { RecordScanner } from "../../src/csv/record_scanner.ts";
import { Random } from "../../src/generate/random.ts";
import type { Schema, SourceColumn } from "../../src/schema/schema.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { decodeCsv, type DecodeCsvOptions } from "./decode_csv.ts";

/** Fields by type that are right, wrong, or nearly one or the other. Latin-1: a byte a character. */
const FIELDS: Record<SourceColumn["type"], readonly string[]> = {
  uuid: [
    "0192f7a0-1b2c-7d3e-8f40-0123456789ab",
    "0192F7A0-1B2C-7D3E-8F40-0123456789AB",
    "0192f7a0-1b2c-7d3e-8f40-0123456789a",
    "0192f7a0-1b2c-7d3e-8f40-0123456789abc",
    '"0192f7a0-1b2c-7d3e-8f40-0123456789ab"',
    "",
    " ",
  ],
  timestamptz: [
    "2026-03-14T10:00:00Z",
    "2026-03-14 10:00:00.123456+02:00",
    "2026-10-25 02:30:00",
    "2026-03-29 02:30:00",
    "2026-03-14T10:00",
    "2026-03-14T10:00:00 UTC",
    "2026-03-14T10:00:00,5",
    '"2026-03-14T10:00:00,5"',
    "2026-03-14T10:00:00-0330",
    "2026-03-14T10:00:00+05",
    "2026-03-14T10:00:00.",
    "2026-03-14T10:00:0",
    "2026-03-14",
    "1767323045",
    "1767323045678",
    "123",
    "-5",
    "",
  ],
  text: [
    "view",
    "purchase",
    "views",
    "Lamp",
    " two blanks ",
    "",
    '"a, b"',
    '5" lamp',
    '"a ""b"""',
    '"two\nlines"',
    "Caf\xc3\xa9",
    "Caf\xe9",
    "tab\there",
    "a\rb",
    "a\0",
    "x".repeat(5000),
  ],
  bigint: [
    "1",
    "42",
    "9223372036854775807",
    "9223372036854775808",
    "+7",
    " 7 ",
    "0",
    "-1",
    "7x",
    "",
  ],
  integer: ["1", "3", "2147483647", "2147483648", "1.0", '"2"', ""],
  numeric: ["0", "12.50", "12.5", ".5", "5.", "12.345", "9999999999.99", "-0", "-1", "x", ""],
};

/** Mostly what stands first, which is right, so that whole records are right often enough. */
function oddField(column: SourceColumn, random: Random): string {
  const fields = FIELDS[column.type];
  return random.below(12) > 0 ? fields[random.below(2)]! : random.pick(fields);
}

/** A CSV with some columns missing and some of no meaning, in order or not. */
function oddCsv(schema: Schema, random: Random): Uint8Array {
  const columns: (SourceColumn | null)[] = schema.columns.filter((column) =>
    column.presence === "required" || random.below(3) > 0
  );
  for (let extra = random.below(3); extra > 0; extra--) {
    columns.splice(random.below(columns.length + 1), 0, null);
  }
  if (random.below(4) === 0) columns.reverse();
  const newline = random.pick(["\n", "\r\n"]);
  const lines = [columns.map((column, index) => column?.name ?? `extra${index}`).join(",")];
  for (let count = random.below(40); count > 0; count--) {
    const fields = columns.map((column) =>
      column === null ? random.pick(FIELDS.text.slice(0, 5)) : oddField(column, random)
    );
    if (random.below(30) === 0) fields.pop();
    if (random.below(30) === 0) fields.push("more");
    lines.push(fields.join(","));
    if (random.below(20) === 0) lines.push(random.pick(["", "\r"]));
  }
  const text = lines.join(newline) + (random.below(3) > 0 ? newline : "");
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** All there is to know about a decoded CSV but how it was done. */
function outcome(bytes: Uint8Array, options: DecodeCsvOptions) {
  const places: unknown[] = [];
  const onRecord = (scanner: RecordScanner) => {
    const { startByte, endByte, lineNumber, terminated, nextByte, nextLine } = scanner;
    const raw = scanner.rawBytes();
    places.push({ startByte, endByte, lineNumber, terminated, nextByte, nextLine, raw });
  };
  const { tuples, rejects, ambiguousTimes, plainCount } = decodeCsv(bytes, {
    ...options,
    onRecord,
  });
  const { rowCount } = tuples;
  const result = { tuples: tuples.finish().slice(), rowCount, rejects, ambiguousTimes, places };
  return { result, plainCount };
}

Deno.test("what decodePlain takes is what the scanner and decode would make of it", () => {
  const random = new Random(1, 0);
  let plainCount = 0;
  let rowCount = 0;
  for (let round = 0; round < 3_000; round++) {
    const bytes = oddCsv(USER_EVENTS, random);
    const timeZone = random.pick(["UTC", "Europe/Berlin"]);
    const mostBytes = random.pick([400, 100_000]);
    const chunkBytes = () => 1 + random.below(mostBytes);
    const options = { schema: USER_EVENTS, timeZone };
    const { result: expected } = outcome(bytes, { ...options, plain: false });
    const plain = outcome(bytes, { ...options, chunkBytes });
    assertEquals(plain.result, expected, `round ${round}: ${JSON.stringify([...bytes])}`);
    plainCount += plain.plainCount;
    rowCount += expected.rowCount;
  }
  assert(plainCount > rowCount / 5, `only ${plainCount} of ${rowCount} rows were taken`);
});

Deno.test("decodePlain takes every record of a plain file", () => {
  const header = USER_EVENTS.columns.map(({ name }) => name).join(",");
  const line = USER_EVENTS.columns.map(({ type }) => FIELDS[type][0]).join(",");
  const text = `${header}\n${`${line}\n`.repeat(1_000)}`;
  const { plainCount, tuples } = decodeCsv(text, { schema: USER_EVENTS });
  assertEquals([plainCount, tuples.rowCount], [1_000, 1_000]);
});

Deno.test("decodePlain takes quotes, but no line breaks in them", () => {
  const header = USER_EVENTS.columns.map(({ name }) => name).join(",");
  const fields = USER_EVENTS.columns.map(({ type }) => `"${FIELDS[type][0]}"`);
  const line = fields.join(",");
  const broken = fields.with(5, '"a\nb"').join(",");
  const text = `${header}\n${`${line}\n`.repeat(100)}${`${broken}\n`.repeat(1_000)}`;
  const { plainCount, tuples } = decodeCsv(text, { schema: USER_EVENTS });
  assertEquals([plainCount, tuples.rowCount], [100, 1_100]);
});
