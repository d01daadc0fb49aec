/** Each way in which a row can be bad, from the file to ledger and table: one reject, no more. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import {
  eventLine,
  HEADER,
  ingestOnce,
  type IngestPlace,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";

const MAX_RECORD_BYTES = 16 * 1024;
const RAW_BYTES = 8 * 1024;
const COLUMNS = HEADER.split(",");

interface BadRow {
  readonly name: string;
  readonly code: string;
  readonly column: string | null;
  /** One character a byte, line end included; `number` makes its key. */
  readonly line: (number: number) => string;
  /** Sound lines after it, one of a kind; 2 unless given. */
  readonly linesAfter?: (number: number) => string[];
  /** The line end of the other lines. */
  readonly lineEnd?: string;
  /** True if it stands last. */
  readonly isLast?: boolean;
}

/** A sound row but for this one field. */
function changed(column: string, field: string): (number: number) => string {
  return (number) => {
    const fields = eventLine(number).split(",");
    fields[COLUMNS.indexOf(column)] = field;
    return fields.join(",") + "\n";
  };
}

const BAD_ROWS: readonly BadRow[] = [
  {
    name: "text for a uuid",
    code: "bad_uuid",
    column: "event_id",
    line: changed("event_id", "not-a-uuid"),
  },
  {
    name: "a uuid without hyphens",
    code: "bad_uuid",
    column: "event_id",
    line: changed("event_id", "00000000000070008000000000000000"),
  },
  {
    name: "a date of another country",
    code: "bad_timestamp",
    column: "event_timestamp",
    line: changed("event_timestamp", "14.03.2026 10:00"),
  },
  {
    name: "letters in a year",
    code: "bad_timestamp",
    column: "event_timestamp",
    line: changed("event_timestamp", "20ab-03-14T10:00:00Z"),
  },
  {
    name: "a time that the clocks skipped",
    code: "time_skipped",
    column: "event_timestamp",
    line: changed("event_timestamp", "2026-03-29 02:30:00"),
  },
  {
    name: "an empty field that must have a value",
    code: "missing_value",
    column: "price",
    line: changed("price", ""),
  },
  {
    name: "a quoted empty field that must have a value",
    code: "missing_value",
    column: "user_id",
    line: changed("user_id", '""'),
  },
  {
    name: "a value that is not in the list",
    code: "not_allowed",
    column: "event_type",
    line: changed("event_type", "click"),
  },
  {
    name: "a word for a number",
    code: "bad_number",
    column: "user_id",
    line: changed("user_id", "twelve"),
  },
  {
    name: "a price with a currency",
    code: "bad_number",
    column: "price",
    line: changed("price", "12.50 EUR"),
  },
  {
    name: "a whole number past 64 bits",
    code: "out_of_range",
    column: "product_id",
    line: changed("product_id", "9223372036854775808"),
  },
  {
    name: "a negative price",
    code: "out_of_range",
    column: "price",
    line: changed("price", "-0.01"),
  },
  {
    name: "a third decimal",
    code: "too_many_decimals",
    column: "price",
    line: changed("price", "1.234"),
  },
  {
    name: "a NUL",
    code: "nul_byte",
    column: null,
    line: changed("product_name", "La\0mp"),
  },
  {
    name: "a NUL in quotes",
    code: "nul_byte",
    column: null,
    line: changed("product_name", '"\0"'),
  },
  {
    name: "a character cut in half",
    code: "invalid_utf8",
    column: "category",
    line: changed("category", "Caf\xc3"),
  },
  {
    name: "a field too few",
    code: "short_record",
    column: null,
    line: (number) => eventLine(number).replace(/,[^,]*$/, "\n"),
  },
  {
    name: "a field too many",
    code: "long_record",
    column: null,
    line: (number) => `${eventLine(number)},more\n`,
  },
  {
    name: "text after a closing quote",
    code: "malformed_quote",
    column: null,
    line: changed("product_name", '"Lamp"s'),
  },
  {
    name: "a blank after a closing quote, in a file of CRLF",
    code: "malformed_quote",
    column: null,
    line: (number) => changed("product_name", '"Lamp" ')(number).replace("\n", "\r\n"),
    lineEnd: "\r\n",
  },
  {
    name: "a stray quote that meets the quotes of the next line",
    code: "malformed_quote",
    column: null,
    line: changed("product_name", '"Lamp'),
    linesAfter: (number) => [
      changed("product_name", '"Lamp, red"')(number).trimEnd(),
      changed("category", '"Home"')(number + 1).trimEnd(),
    ],
  },
  {
    name: "a quote that stays open to the end of the file",
    code: "open_quote",
    column: null,
    line: changed("product_name", '"Lamp'),
  },
  {
    name: "a quote that stays open past the longest record",
    code: "open_quote",
    column: null,
    line: changed("product_name", '"Lamp'),
    linesAfter: (number) => [
      ...Array.from({ length: 400 }, (_, index) => eventLine(number + index)),
      changed("product_name", '"Lamp"')(number + 400).trimEnd(),
    ],
  },
  {
    name: "a line longer than the longest record",
    code: "oversize_record",
    column: null,
    line: changed("product_name", "x".repeat(2 * MAX_RECORD_BYTES)),
  },
  {
    name: "a quoted line longer than the longest record",
    code: "oversize_record",
    column: null,
    line: changed("product_name", `"${"x,".repeat(MAX_RECORD_BYTES)}"`),
  },
  {
    name: "a short last line without its newline",
    code: "short_record",
    column: null,
    line: (number) => eventLine(number).slice(0, 60),
    isLast: true,
  },
  {
    name: "the key of another event",
    code: "key_conflict",
    column: null,
    line: (number) => eventLine(number, { key: number - 1, price: "99.00" }) + "\n",
  },
  {
    name: "what a constraint of the table refuses",
    code: "23514",
    column: null,
    line: changed("category", "Forbidden"),
  },
  {
    name: "what a trigger of the table leaves out",
    code: "row_skipped",
    column: null,
    line: changed("category", "Unwanted"),
  },
];

/** Keys that one case may use. */
const NUMBERS_PER_CASE = 1_000;

interface WrittenFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly startByte: number;
  readonly endByte: number;
  /** Where sound rows are, physical lines. */
  readonly soundLines: readonly number[];
}

/** The header, a sound line, the bad one, and sound ones. */
function writtenFile(badRow: BadRow, index: number): WrittenFile {
  const number = index * NUMBERS_PER_CASE;
  const lineEnd = badRow.lineEnd ?? "\n";
  const before = [HEADER, eventLine(number)].map((line) => line + lineEnd).join("");
  const bad = badRow.line(number + 1);
  const linesAfter = badRow.isLast
    ? []
    : (badRow.linesAfter ?? ((next) => [eventLine(next), eventLine(next + 1)]))(number + 2);
  const after = linesAfter.map((line) => line + lineEnd).join("");
  return {
    path: `${String(index).padStart(2, "0")}.csv`,
    bytes: Uint8Array.from(before + bad + after, (character) => character.charCodeAt(0)),
    startByte: before.length,
    endByte: before.length + bad.length,
    soundLines: [2, ...linesAfter.map((_, place) => 4 + place)],
  };
}

/** A constraint and a trigger of the user's own. */
async function guardTable({ database }: IngestPlace): Promise<void> {
  await database.sql.unsafe(`
    alter table user_events add constraint no_forbidden check (category <> 'Forbidden');
    create function leave_out() returns trigger language plpgsql as 'begin return null; end';
    create trigger unwanted before insert on user_events for each row
      when (new.category = 'Unwanted') execute function leave_out()`);
}

Deno.test("each kind of bad row is one reject with its place and bytes, and the rows around it load", async (t) => {
  await withPlace(await testDatabase({ setUp: true }), async (place) => {
    const { sql } = place.database;
    await guardTable(place);
    const files = BAD_ROWS.map(writtenFile);
    for (const { path, bytes } of files) await writeEvents(place, path, bytes);
    await ingestOnce(place, { timeZone: "Europe/Berlin", maxRecordBytes: MAX_RECORD_BYTES });
    for (const [index, { name, code, column }] of BAD_ROWS.entries()) {
      const { path, bytes, startByte, endByte, soundLines } = files[index]!;
      await t.step(`${code}: ${name}`, async () => {
        const rejects = await sql`
          select code, column_name as column, line_number::int as line,
            start_byte::int as "startByte", end_byte::int as "endByte",
            encode(raw, 'hex') as raw
          from pgsluice.rejects join pgsluice.files using (file_id) where path = ${path}`;
        const raw = bytes.slice(startByte, Math.min(endByte, startByte + RAW_BYTES)).toHex();
        assertEquals(rejects.map((reject) => ({ ...reject })), [
          { code, column, line: 3, startByte, endByte, raw },
        ]);
        const rows = await sql`
          select line_number::int as line from user_events join pgsluice.files using (file_id)
          where path = ${path} order by line_number`;
        assertEquals(rows.map(({ line }) => line as number), [...soundLines]);
        const [file] = await sql`
          select loaded::int, rejected::int, duplicate::int, committed_byte::int as committed, state
          from pgsluice.files where path = ${path}`;
        assertEquals({ ...file }, {
          loaded: soundLines.length,
          rejected: 1,
          duplicate: 0,
          committed: bytes.length,
          state: "done",
        });
      });
    }
    const loaded = files.reduce((sum, { soundLines }) => sum + soundLines.length, 0);
    assertEquals(
      await verifyExact(place),
      `verified: ${loaded + files.length} events = ${loaded} loaded + ${files.length} rejected + ` +
        "0 duplicates",
    );
  });
});

/** Where the ingester makes rejects; those of mended records have tests of their own. */
const SOURCES = ["csv", "schema", "sink/sort_out.ts"];

Deno.test("there is a bad row for each reject code of the program", async () => {
  const root = new URL("../../src", import.meta.url).pathname;
  const files: string[] = [];
  for (const source of SOURCES.map((name) => join(root, name))) {
    if (source.endsWith(".ts")) files.push(source);
    else for await (const { name } of Deno.readDir(source)) files.push(join(source, name));
  }
  const codes = new Set<string>();
  for (const file of files) {
    const text = await Deno.readTextFile(file);
    for (const [, expression] of text.matchAll(/\bcode: ([^;,\n]*)/g)) {
      for (const [, code] of expression!.matchAll(/"(\w+)"/g)) codes.add(code!);
    }
  }
  assert(codes.size > 10, `only ${codes.size} were found`);
  const tried = new Set(BAD_ROWS.map(({ code }) => code));
  assertEquals([...codes].filter((code) => !tried.has(code)), []);
});
