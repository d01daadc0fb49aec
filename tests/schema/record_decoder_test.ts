import { assert, assertEquals } from "@std/assert";
import { connect } from "../../src/database/connect.ts";
import { copyIn } from "../../src/database/copy_in.ts";
import { copySql, createTableSql } from "../../src/schema/ddl.ts";
import type { Schema } from "../../src/schema/schema.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { testDatabase } from "../support/test_database.ts";
import { decodeCsv } from "./decode_csv.ts";

const SOUND: Record<string, string> = {
  event_timestamp: "2026-03-14T10:00:00Z",
  event_type: "view",
  user_id: "1",
  product_id: "2",
  product_name: "Lamp",
  category: "Home",
  price: "12.50",
  quantity: "1",
};

/** A field of one column, and the column's text in PostgreSQL, null, or `!code` of the reject. */
type Case = [column: string, field: string, expected: string | null];

const KEY = "0192f7a0-1b2c-7d3e-8f40-0123456789ab";

const CASES: readonly Case[] = [
  ["event_id", KEY, KEY],
  ["event_id", KEY.toUpperCase(), KEY],
  ["event_id", ` ${KEY}\t`, KEY],
  ["event_id", KEY.replaceAll("-", ""), "!bad_uuid"],
  ["event_id", KEY.slice(1), "!bad_uuid"],
  ["event_id", KEY.replace("f", "g"), "!bad_uuid"],
  ["event_id", KEY.replace("-", "0"), "!bad_uuid"],
  ["event_timestamp", "2026-03-14T10:00:00Z", "2026-03-14 10:00:00+00"],
  ["event_timestamp", "2026-03-14t10:00:00z", "2026-03-14 10:00:00+00"],
  ["event_timestamp", "2026-03-14 10:00:00", "2026-03-14 10:00:00+00"],
  ["event_timestamp", "2026-03-14 10:00", "2026-03-14 10:00:00+00"],
  ["event_timestamp", "2026-03-14 10:00:00 UTC", "2026-03-14 10:00:00+00"],
  ["event_timestamp", "2026-03-14T10:00:00+02", "2026-03-14 08:00:00+00"],
  ["event_timestamp", "2026-03-14T10:00:00-0330", "2026-03-14 13:30:00+00"],
  ["event_timestamp", "2026-03-14T10:00:00+05:45", "2026-03-14 04:15:00+00"],
  ["event_timestamp", "2026-03-14T10:00:00.5Z", "2026-03-14 10:00:00.5+00"],
  ["event_timestamp", '"2026-03-14T10:00:00,123456"', "2026-03-14 10:00:00.123456+00"],
  ["event_timestamp", "2026-03-14T10:00:00.123456000Z", "2026-03-14 10:00:00.123456+00"],
  ["event_timestamp", "2026-03-14T10:00:00.1234567Z", "!bad_timestamp"],
  ["event_timestamp", "2026-03-14T10:00:00.Z", "!bad_timestamp"],
  ["event_timestamp", "2024-02-29T00:00:00Z", "2024-02-29 00:00:00+00"],
  ["event_timestamp", "2025-02-29T00:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "2000-02-29T00:00:00Z", "2000-02-29 00:00:00+00"],
  ["event_timestamp", "1900-02-29T00:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "2026-04-31T00:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "20ab-01-01T00:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "20:6-01-01T00:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "x026-01-01T00:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "2026-0x-01T00:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "2026-01-x1T00:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01Tx0:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T00:0x:00Z", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T00:00:x0Z", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T00:00:00+x0", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T00:00:00+00:x0", "!bad_timestamp"],
  ["event_timestamp", "2026-00-01T00:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "2026-01-00T00:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T24:00:00Z", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T00:60:00Z", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T00:00:60Z", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T00:00:0", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T00:00:00+2", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T00:00:00 CET", "!bad_timestamp"],
  ["event_timestamp", "2026-01-01T00:00:00Zx", "!bad_timestamp"],
  ["event_timestamp", "0001-01-01T00:00:00Z", "0001-01-01 00:00:00+00"],
  ["event_timestamp", "9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999+00"],
  ["event_timestamp", "1700-01-01T00:00:00.000001Z", "1700-01-01 00:00:00.000001+00"],
  ["event_timestamp", "1969-12-31T23:59:59.5Z", "1969-12-31 23:59:59.5+00"],
  ["event_timestamp", "0", "1970-01-01 00:00:00+00"],
  ["event_timestamp", "1767323045", "2026-01-02 03:04:05+00"],
  ["event_timestamp", "1767323045678", "2026-01-02 03:04:05.678+00"],
  ["event_timestamp", "99999999999", "5138-11-16 09:46:39+00"],
  ["event_timestamp", "100000000000", "1973-03-03 09:46:40+00"],
  ["event_timestamp", "-1", "1969-12-31 23:59:59+00"],
  ["event_timestamp", "253402300800000", "!bad_timestamp"],
  ["event_timestamp", "1e9", "!bad_timestamp"],
  ["event_timestamp", "", "!missing_value"],
  ["event_type", "purchase", "purchase"],
  ["event_type", '"view"', "view"],
  ["event_type", "View", "!not_allowed"],
  ["event_type", "view ", "!not_allowed"],
  ["event_type", "", "!missing_value"],
  ["user_id", "9223372036854775807", "9223372036854775807"],
  ["user_id", "9223372036854775808", "!out_of_range"],
  ["user_id", "9007199254740993", "9007199254740993"],
  ["user_id", "0000000000000000000000012", "12"],
  ["user_id", "+12", "12"],
  ["user_id", " 12 ", "12"],
  ["user_id", "4294967296", "4294967296"],
  ["user_id", "0", "!out_of_range"],
  ["user_id", "-5", "!out_of_range"],
  ["user_id", "12.0", "!bad_number"],
  ["user_id", "1 2", "!bad_number"],
  ["user_id", "+", "!bad_number"],
  ["user_id", "1e3", "!bad_number"],
  ["user_id", "", "!missing_value"],
  ["product_name", "", null],
  ["product_name", '""', null],
  ["product_name", " two blanks ", " two blanks "],
  ["product_name", '"a ""b"", c"', 'a "b", c'],
  ["product_name", '""""', '"'],
  ["product_name", 'a 5" lamp', 'a 5" lamp'],
  ["product_name", '"two\nlines"', "two\nlines"],
  ["product_name", "Stühle 椅子 🪑", "Stühle 椅子 🪑"],
  ["product_name", "\0", "!nul_byte"],
  ["price", "0", "0.00"],
  ["price", "0.00", "0.00"],
  ["price", "-0", "0.00"],
  ["price", ".5", "0.50"],
  ["price", "5.", "5.00"],
  ["price", "1.2", "1.20"],
  ["price", "1.2300", "1.23"],
  ["price", "1.234", "!too_many_decimals"],
  ["price", "0.01", "0.01"],
  ["price", "10000", "10000.00"],
  ["price", "10000.10", "10000.10"],
  ["price", "99990000.09", "99990000.09"],
  ["price", "9999999999.99", "9999999999.99"],
  ["price", "10000000000", "!out_of_range"],
  ["price", "-0.01", "!out_of_range"],
  ["price", "+3", "3.00"],
  ["price", ".", "!bad_number"],
  ["price", "1,5", "!long_record"],
  ["price", '"1,5"', "!bad_number"],
  ["price", "1.2.3", "!bad_number"],
  ["price", "NaN", "!bad_number"],
  ["price", "", "!missing_value"],
  ["quantity", "", "1"],
  ["quantity", "2147483647", "2147483647"],
  ["quantity", "2147483648", "!out_of_range"],
  ["quantity", "0", "!out_of_range"],
];

function csvOf(column: string, field: string): string {
  const fields = { event_id: "", ...SOUND, [column]: field };
  return `${Object.keys(fields).join(",")}\n${Object.values(fields).join(",")}\n`;
}

Deno.test("fields become what PostgreSQL has them for, or a reject with its code", async () => {
  await using database = await testDatabase({ setUp: true });
  const { sql } = database;
  for (const [column, field, expected] of CASES) {
    const what = `${column} ${JSON.stringify(field)}`;
    const { tuples, rejects: [reject] } = decodeCsv(csvOf(column, field), { schema: USER_EVENTS });
    if (expected?.startsWith("!")) {
      assertEquals(reject?.code, expected.slice(1), what);
      assertEquals(tuples.rowCount, 0, what);
      continue;
    }
    assertEquals(reject, null, what);
    await sql.begin(async (transaction) => {
      await transaction`set local time zone 'UTC'`;
      await copyIn(transaction, {
        statement: copySql(USER_EVENTS, "user_events"),
        bytes: tuples.finish(),
      });
      const [row] = await transaction.unsafe(`select ${column}::text as value from user_events`);
      assertEquals(row!.value, expected, what);
      await transaction`delete from user_events`;
    });
  }
});

Deno.test("bad UTF-8 rejects the record and names the column", () => {
  const bytes = new TextEncoder().encode(csvOf("category", "Caf*"));
  const cases: [name: string, bytes: number[], isGood: boolean][] = [
    ["a lone byte", [0xff], false],
    ["an overlong slash", [0xc0, 0xaf], false],
    ["a surrogate", [0xed, 0xa0, 0x80], false],
    ["a cut-off euro", [0xe2, 0x82], false],
    ["past the last code point", [0xf4, 0x90, 0x80, 0x80], false],
    ["a lone continuation", [0x80], false],
    ["a euro", [0xe2, 0x82, 0xac], true],
    ["the last code point", [0xf4, 0x8f, 0xbf, 0xbf], true],
  ];
  for (const [name, inserted, isGood] of cases) {
    const at = bytes.indexOf(0x2a);
    const changed = Uint8Array.from([...bytes.slice(0, at), ...inserted, ...bytes.slice(at + 1)]);
    const { rejects: [reject] } = decodeCsv(changed, { schema: USER_EVENTS });
    assertEquals(reject?.code, isGood ? undefined : "invalid_utf8", name);
    if (!isGood) assertEquals(reject!.columnName, "category", name);
  }
});

Deno.test("local times follow the zone: skipped ones are rejects, repeated ones the earlier", async () => {
  const cases: [zone: string, local: string, expected: string, ambiguous: number][] = [
    ["Europe/Berlin", "2026-01-15 12:00:00", "2026-01-15 11:00:00+00|2026-01-15|12", 0],
    ["Europe/Berlin", "2026-07-15 00:30:00", "2026-07-14 22:30:00+00|2026-07-15|0", 0],
    ["Europe/Berlin", "2026-03-29 02:30:00", "!time_skipped", 0],
    ["Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 00:30:00+00|2026-10-25|2", 1],
    ["Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25 01:30:00+00|2026-10-25|2", 0],
    ["America/New_York", "2026-11-01 01:15:00", "2026-11-01 05:15:00+00|2026-11-01|1", 1],
    ["Asia/Kathmandu", "2026-11-01 01:15:00", "2026-10-31 19:30:00+00|2026-11-01|1", 0],
    ["Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04 14:45:00+00|2026-04-05|1", 1],
    ["Pacific/Apia", "2011-12-30 12:00:00", "!time_skipped", 0],
    ["UTC", "2026-03-29 02:30:00", "2026-03-29 02:30:00+00|2026-03-29|2", 0],
  ];
  await using database = await testDatabase({ setUp: true });
  for (const [timeZone, local, expected, ambiguous] of cases) {
    const what = `${local} in ${timeZone}`;
    const decoded = decodeCsv(csvOf("event_timestamp", local), { schema: USER_EVENTS, timeZone });
    if (expected.startsWith("!")) {
      assertEquals(decoded.rejects[0]?.code, expected.slice(1), what);
      continue;
    }
    assertEquals(decoded.ambiguousTimes, ambiguous, what);
    await database.sql.begin(async (transaction) => {
      await transaction`set local time zone 'UTC'`;
      await copyIn(transaction, {
        statement: copySql(USER_EVENTS, "user_events"),
        bytes: decoded.tuples.finish(),
      });
      const [row] = await transaction`
        select concat_ws('|', event_timestamp, event_date, event_hour) as value from user_events`;
      assertEquals(row!.value, expected, what);
      await transaction`delete from user_events`;
    });
  }
});

Deno.test("a derived key is a UUIDv8 that ascends with the record's place", async () => {
  const lines = Array.from({ length: 300 }, () => Object.values(SOUND).join(","));
  const text = [Object.keys(SOUND).join(","), ...lines].join("\n") + "\n";
  const { tuples, rejects } = decodeCsv(text, { schema: USER_EVENTS });
  assert(rejects.every((reject) => reject === null));
  await using database = await testDatabase({ setUp: true });
  await database.sql.begin((transaction) =>
    copyIn(transaction, { statement: copySql(USER_EVENTS, "user_events"), bytes: tuples.finish() })
  );
  const rows = await database.sql<{ key: string; line: number }[]>`
    select event_id::text as key, line_number::int as line from user_events order by event_id`;
  assertEquals(rows.length, 300);
  rows.forEach(({ key, line }, index) => {
    assert(/^f0f1f2f3-f4f5-86f7-b8f9-0000[0-9a-f]{8}$/.test(key), key);
    assertEquals(line, index + 2);
  });
  assertEquals(parseInt(rows[0]!.key.slice(24), 16), text.indexOf("\n") + 1);
});

Deno.test("adding a column to the schema is one edit, seen by all that is made from it", async () => {
  const schema: Schema = {
    ...USER_EVENTS,
    columns: [...USER_EVENTS.columns, {
      name: "discount",
      type: "numeric",
      presence: "optional",
      precision: 6,
      scale: 3,
      minimum: -10,
      aliases: ["rebate"],
      description: "what was taken off the price",
    }],
  };
  const { csvHeader, schemaHelp } = await import("../../src/schema/schema_help.ts");
  const { schemaFingerprint } = await import("../../src/schema/schema_fingerprint.ts");
  const { checkTable } = await import("../../src/database/check_table.ts");
  assertEquals(csvHeader(schema).at(-1), "discount");
  assert(schemaHelp(schema).includes("what was taken off the price"));
  assert(schemaFingerprint(schema) !== schemaFingerprint(USER_EVENTS));
  const text = `rebate,${Object.keys(SOUND).join(",")}\n` +
    ["-1.2345", "-10.001", "-2.5", ""].map((field) =>
      `${field},${Object.values(SOUND).join(",")}\n`
    ).join("");
  const { tuples, rejects } = decodeCsv(text, { schema });
  assertEquals(rejects.map((reject) => reject?.code ?? null), [
    "too_many_decimals",
    "out_of_range",
    null,
    null,
  ]);
  await using database = await testDatabase();
  const client = await connect(database.target, { applicationName: "test" });
  try {
    await client.sql.unsafe(createTableSql(schema, { table: "user_events" }));
    await client.sql.begin((transaction) =>
      copyIn(transaction, { statement: copySql(schema, "user_events"), bytes: tuples.finish() })
    );
    const rows = await client.sql`select discount::text from user_events order by event_id`;
    assertEquals(rows.map(({ discount }) => discount), ["-2.500", null]);
    assertEquals(await checkTable(client.sql, schema, "user_events"), []);
    assert((await checkTable(client.sql, USER_EVENTS, "user_events")).length === 0);
  } finally {
    await client.close();
  }
});
