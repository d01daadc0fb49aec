import { assert, assertEquals } from "@std/assert";
import { RecordScanner } from "../../src/csv/record_scanner.ts";
import { generateEvents } from "../../src/generate/generate_events.ts";
import { Random } from "../../src/generate/random.ts";
import type { Schema, SourceColumn } from "../../src/schema/schema.ts";
import { TupleBuffer } from "../../src/schema/tuple_buffer.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { LATIN1 } from "../csv/scan_all.ts";
import { decodeCsv, type DecodeCsvOptions, type Reuse } from "./decode_csv.ts";

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
    "2026-03-14T10:00:00.123456789Z",
    "2026-03-14T10:00:00.1234560z",
    "0000-02-29T23:59:59UTC",
    "2026-02-29T00:00:00Z",
    "2026-3a-14T10:00:00Z",
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
    '"""a"" b"',
    '""""',
    '""x',
    'a "b" c"',
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
    "0000000000000000000012",
    "999999999",
    "4294967296",
    "1000000000x",
    "7x",
    "",
  ],
  integer: ["1", "3", "2147483647", "2147483648", "1.0", '"2"', ""],
  numeric: [
    "0",
    "12.50",
    ...["12.5", ".5", "5.", "12.345", "9999999999.99", "10000000000", "-0", "-1", "x", ""],
    ...["0.05", "9999.99", "10000", "10000.01", "0012.50", "1.500", "1.50x"],
  ],
};

const ODD_BYTES = new TextEncoder().encode(',"\n\r\t \0-+.:0059TZaFé');

/** Mostly what stands first, which is right, so that whole records are right often enough. */
function oddField(column: SourceColumn, random: Random): string {
  const fields = FIELDS[column.type];
  return random.below(12) > 0 ? fields[random.below(2)]! : random.pick(fields);
}

/** The same with a few bytes behind the header changed into others that mean something. */
function withOddBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const from = bytes.indexOf(0x0a) + 1;
  if (from === 0 || from === bytes.length) return bytes;
  const odd = bytes.slice();
  for (let count = random.below(4); count > 0; count--) {
    odd[from + random.below(bytes.length - from)] = random.pick([...ODD_BYTES]);
  }
  return odd;
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

/** A byte a character: texts are compared far quicker than bytes. */
function asText(bytes: Uint8Array): string {
  return LATIN1.decode(bytes);
}

/** To make megabytes for each of thousands of files takes longer than to decode them. */
const MEMORY: Reuse = {
  tuples: new TupleBuffer(),
  scanner: new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: 1024 * 1024 }),
};

/** All there is to know about a decoded CSV but how it was done. */
function outcome(bytes: Uint8Array, options: DecodeCsvOptions) {
  const places: unknown[] = [];
  const onRecord = (scanner: RecordScanner) => {
    const { startByte, endByte, lineNumber, terminated, nextByte, nextLine } = scanner;
    const raw = asText(scanner.rawBytes());
    places.push({ startByte, endByte, lineNumber, terminated, nextByte, nextLine, raw });
  };
  const { tuples, rejects, ambiguousTimes, plainCount } = decodeCsv(bytes, {
    ...options,
    reuse: { ...MEMORY },
    onRecord,
  });
  const { rowCount } = tuples;
  const result = { tuples: asText(tuples.finish()), rowCount, rejects, ambiguousTimes, places };
  return { result, plainCount };
}

Deno.test("what decodePlain takes is what the scanner and decode would make of it", () => {
  const random = new Random(1, 0);
  let plainCount = 0;
  let rowCount = 0;
  for (let round = 0; round < 3_000; round++) {
    const csv = oddCsv(USER_EVENTS, random);
    const bytes = random.below(2) === 0 ? csv : withOddBytes(csv, random);
    const timeZone = random.pick(["UTC", "Europe/Berlin"]);
    const mostBytes = random.pick([400, 100_000]);
    const chunkBytes = () => 1 + random.below(mostBytes);
    const options = { schema: USER_EVENTS, timeZone };
    const { result: expected } = outcome(bytes, { ...options, plain: false });
    const plain = outcome(bytes, { ...options, chunkBytes });
    assertEquals(plain.result, expected, `round ${round}: ${JSON.stringify(asText(bytes))}`);
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

Deno.test("decodePlain takes all that the generator makes, if it makes no defects", async () => {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const events = 5_000;
  await generateEvents({
    events,
    rowsPerFile: events,
    seed: 1,
    start: new Date("2026-03-14T00:00:00Z"),
    dirtyPercent: 0,
    duplicatesPercent: 0,
    schema: USER_EVENTS,
    output: {
      kind: "stream",
      write: (bytes) => {
        pieces.push(bytes.slice());
        return Promise.resolve();
      },
    },
  });
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  const { plainCount, tuples } = decodeCsv(bytes, { schema: USER_EVENTS });
  // a record that reaches over what was given is not there to its end, and the next is passed over
  const mostMissed = 2 * Math.ceil(bytes.length / (128 * 1024));
  assertEquals(tuples.rowCount, events);
  assert(plainCount >= events - mostMissed, `${plainCount} of ${events}`);
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
