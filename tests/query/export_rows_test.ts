/** What an export makes of values, against what PostgreSQL itself makes of them. */
import { assertEquals } from "@std/assert";
import { connect, type DatabaseClient } from "../../src/database/connect.ts";
import { Random } from "../../src/generate/random.ts";
import { fuzz } from "../support/fuzz.ts";
import { testDatabase } from "../support/test_database.ts";
import { type ColumnTypes, exportText, serverText } from "./export_text.ts";

const COLUMNS: ColumnTypes = {
  id: "uuid",
  at: "timestamptz",
  name: "text",
  small: "integer",
  large: "bigint",
  price: "numeric",
};
const NAMES = Object.keys(COLUMNS);

/** As an export writes it, of years 1 to 9999. */
const ISO_SQL = `to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') ||
  to_char(at at time zone 'UTC',
    case when extract(microseconds from at)::int % 1000 = 0 then '.MS' else '.US' end) || 'Z'`;
const SELECT_AS_TEXT = `select id, ${ISO_SQL} as at, name, small, large, price from t order by n`;
const SERVER_CSV = `copy (${SELECT_AS_TEXT}) to stdout csv`;
/** Characters that JSON never has as they are, so that nothing is quoted or doubled. */
const SERVER_NDJSON = `copy (select row_to_json(r) from (${SELECT_AS_TEXT}) r) to stdout
  (format csv, delimiter E'\\x01', quote E'\\x02', escape E'\\x02')`;

/** A test with one connection to a database with an empty table for such rows. */
function exportTest(name: string, run: (client: DatabaseClient) => Promise<void>): void {
  Deno.test(name, async () => {
    await using database = await testDatabase();
    const client = await connect(database.target, { applicationName: "export test" });
    try {
      await client.sql`create table t (
        n int generated always as identity,
        id uuid, at timestamptz, name text, small int, large bigint, price numeric
      )`;
      await run(client);
    } finally {
      await client.close();
    }
  });
}

type Row = readonly (string | null)[];

async function insert({ sql }: DatabaseClient, rows: readonly Row[]): Promise<void> {
  // texts, which the server reads
  await sql`
    insert into t (id, at, name, small, large, price)
    select id::uuid, at::timestamptz, name, small::int, large::bigint, price::numeric
    from json_to_recordset(${JSON.stringify(rows.map(toRecord))}::text::json)
      as r (id text, at text, name text, small text, large text, price text)`;
}

function toRecord(row: Row): Record<string, string | null> {
  return Object.fromEntries(NAMES.map((name, index) => [name, row[index]!]));
}

const SELECT = `select ${NAMES.join(", ")} from t order by n`;

/** @returns the lines of the JSON. @throws if an export is not what the server writes */
async function assertAgreement(client: DatabaseClient): Promise<string[]> {
  const csv = await exportText(client, { select: SELECT, columns: COLUMNS, format: "csv" });
  assertEquals(csv, await serverText(client, SERVER_CSV));
  const ndjson = await exportText(client, { select: SELECT, columns: COLUMNS, format: "ndjson" });
  assertEquals(ndjson, await serverText(client, SERVER_NDJSON));
  return ndjson.split("\n").slice(0, -1);
}

const TIMES = [
  "2026-03-14T10:00:00Z",
  "2026-03-14T10:00:00.5Z",
  "2026-03-14T10:00:00.000001Z",
  "2026-03-14T23:59:59.999999Z",
  "2024-02-29T12:34:56.789Z",
  "2000-01-01T00:00:00Z",
  "1999-12-31T23:59:59.999999Z",
  "1970-01-01T00:00:00Z",
  "0001-01-01T00:00:00Z",
  "1900-02-28T23:00:00.000123Z",
  "9999-12-31T23:59:59.999999Z",
  "2285-06-05T00:00:00.000001Z",
  "2286-06-05T00:00:00.999999Z",
  "1582-10-15T00:00:00Z",
];

const TEXTS = [
  "",
  " ",
  "Lamp",
  '"',
  '""',
  'a "quoted" word',
  "a,b",
  "two\nlines",
  "two\r\nlines",
  "\r",
  "\n",
  "tab\there",
  "\\",
  "\\.",
  "\\N",
  "\\n",
  "NULL",
  "null",
  "naïve – 5″ 🛒",
  "\ufeffmark",
  "\u2028\u2029",
  "\u007f",
  "'; drop table t; --",
  "</script>",
  "x".repeat(100_000),
  '"'.repeat(100_000),
  "\u0001".repeat(100_000),
  Array.from({ length: 31 }, (_, index) => String.fromCharCode(index + 1)).join(""),
];

const SMALL = ["0", "1", "-1", "9", "10", "99", "100", "2147483647", "-2147483648", "1000000000"];

const LARGE = [
  "0",
  "-1",
  "4294967295",
  "4294967296",
  "999999999",
  "1000000000",
  "1000000001",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "-9007199254740992",
  "-9007199254740993",
  "9223372036854775807",
  "-9223372036854775808",
  "1000000000000000000",
];

const PRICES = [
  "0",
  "0.00",
  "1",
  "12.50",
  "0.01",
  "0.0001",
  "0.00010000",
  "0.000000012345",
  "9999999999.99",
  "10000",
  "10000.0001",
  "100000000",
  "123456789012345678901234567890.123456789",
  "-0.5",
  "-12.34",
  "99999999999999999999",
  "1e50",
  "1e-30",
  "5.5555555",
  "NaN",
  "Infinity",
  "-Infinity",
];

exportTest("each value is written as PostgreSQL writes it, in CSV and JSON", async (client) => {
  const id = "0193e9a0-7c1b-7abc-8def-0123456789ab";
  const rows: Row[] = [
    ...TIMES.map((at) => [id, at, "a", "1", "1", "1"]),
    ...TEXTS.map((name) => [id, TIMES[0]!, name, "1", "1", "1"]),
    ...SMALL.map((small) => [id, TIMES[0]!, "a", small, "1", "1"]),
    ...LARGE.map((large) => [id, TIMES[0]!, "a", "1", large, "1"]),
    ...PRICES.map((price) => [id, TIMES[0]!, "a", "1", "1", price]),
    ["00000000-0000-0000-0000-000000000000", TIMES[0]!, "a", "1", "1", "1"],
    ["ffffffff-ffff-ffff-ffff-ffffffffffff", TIMES[0]!, "a", "1", "1", "1"],
    ["01234567-89AB-CDEF-0123-456789abcdef", TIMES[0]!, "a", "1", "1", "1"],
    ...NAMES.map((_, index) =>
      [id, TIMES[0]!, "a", "1", "1", "1"].map((text, at) => at === index ? null : text)
    ),
    [null, null, null, null, null, null],
  ];
  await insert(client, rows);
  const lines = await assertAgreement(client);
  assertEquals(lines.length, rows.length);
  for (const [index, line] of lines.entries()) {
    const object = JSON.parse(line);
    assertEquals(Object.keys(object), NAMES);
    assertEquals(object.name, rows[index]![2]);
  }
});

/** Nasty characters among plain ones. */
function randomText(random: Random): string {
  const alphabet = ['"', ",", "\n", "\r", "\\", "a", "b", " ", "é", "🛒", "\u0007", "\t", "'", "{"];
  return Array.from({ length: random.below(12) }, () => alphabet[random.below(alphabet.length)])
    .join("");
}

function randomDigits(random: Random, most: number): string {
  return Array.from({ length: 1 + random.below(most) }, () => random.below(3) * random.below(5))
    .join("");
}

function randomRow(random: Random): Row {
  const hex = Array.from({ length: 32 }, () => random.below(16).toString(16)).join("");
  const sign = random.below(2) === 0 ? "" : "-";
  // any second from year 1 to 9999, and microseconds, most of them whole milliseconds
  const seconds = -62_135_596_800 + random.below(315_537_897_599);
  const micros = random.below(1000) * 1000 + (random.below(3) === 0 ? random.below(1000) : 0);
  const at = new Date(seconds * 1000).toISOString().slice(0, -4) +
    String(micros).padStart(6, "0") + "Z";
  const large = BigInt.asIntN(
    64,
    (BigInt(random.word()) << 32n | BigInt(random.word())) >> BigInt(random.below(64)),
  );
  const values = [
    hex,
    at,
    randomText(random),
    String(random.word() | 0),
    String(large),
    `${sign}${randomDigits(random, 24)}.${randomDigits(random, 14)}e${random.below(24) - 12}`,
  ];
  return values.map((value) => random.below(20) === 0 ? null : value);
}

exportTest("random rows are written as PostgreSQL writes them", async (client) => {
  await fuzz(10, async (random) => {
    await client.sql`truncate t`;
    const rows = Array.from({ length: 1_000 }, () => randomRow(random));
    await insert(client, rows);
    const lines = await assertAgreement(client);
    assertEquals(lines.map((line) => JSON.parse(line).name), rows.map((row) => row[2]));
  });
});

exportTest("times out of the years 0 to 9999 are ISO 8601, too", async (client) => {
  const times: Record<string, string> = {
    "0001-12-31 23:59:59.999 BC": "0000-12-31T23:59:59.999Z",
    "0001-02-29 00:00:00 BC": "0000-02-29T00:00:00.000Z",
    "0002-01-01 00:00:00 BC": "-000001-01-01T00:00:00.000Z",
    "4713-01-01 00:00:00 BC": "-004712-01-01T00:00:00.000Z",
    "10000-01-01 00:00:00": "+010000-01-01T00:00:00.000Z",
    "294276-12-31 23:59:59.999999": "+294276-12-31T23:59:59.999999Z",
    "infinity": "infinity",
    "-infinity": "-infinity",
  };
  const select = "select at::timestamptz as at from unnest(array[" +
    Object.keys(times).map((time) => `'${time}${/\d/.test(time) ? " UTC" : ""}'`)
      .map((literal) => literal.replace(" BC UTC", " UTC BC")).join(", ") +
    "]) at";
  const columns: ColumnTypes = { at: "timestamptz" };
  assertEquals(
    await exportText(client, { select, columns, format: "csv" }),
    Object.values(times).map((text) => `${text}\n`).join(""),
  );
  assertEquals(
    await exportText(client, { select, columns, format: "ndjson" }),
    Object.values(times).map((text) => `{"at":"${text}"}\n`).join(""),
  );
});
