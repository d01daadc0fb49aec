import { assert, assertEquals } from "@std/assert";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import {
  Checksum,
  checksumSql,
  columnTextSql,
  rowTextBuilder,
  rowTextSql,
  verifiedColumns,
} from "../../src/verify/row_text.ts";
import { testDatabase } from "../support/test_database.ts";

const KEY = "00000000-0000-7000-8000-00000000000a";

/** Values as SQL literals, and the texts of their columns, in the order of the schema. */
const ROWS: { name: string; line: number; sql: string; texts: (string | null)[] }[] = [
  {
    name: "everything given",
    line: 2,
    sql: `('${KEY}', '2026-03-14 10:15:16.123456+00', 'view', 9223372036854775807, 1,
      'Lamp | "5"', 'Home', 9999999999.99, 3, '2026-03-14', 10)`,
    texts: [
      KEY,
      "1773483316.123456",
      "view",
      "9223372036854775807",
      "1",
      'Lamp | "5"',
      "Home",
      "9999999999.99",
      "3",
      "1773446400",
      "10",
    ],
  },
  {
    name: "nulls, and a time before 1970",
    line: 9007199254740991,
    sql: `('${KEY}', '1969-12-31 23:59:58.5+00', 'purchase', 1, 2, null, null, 0, 1,
      '1969-12-31', 23)`,
    texts: [KEY, "-1.500000", "purchase", "1", "2", null, null, "0.00", "1", "-86400", "23"],
  },
  {
    name: "empty texts, which are not nulls, and letters beyond ASCII",
    line: 3,
    sql: `('${KEY}', '0001-01-01 00:00:00+00', '', 1, 2, '', 'Café 🛋', 12.5, 1,
      '0001-01-01', 0)`,
    texts: [
      KEY,
      "-62135596800.000000",
      "",
      "1",
      "2",
      "",
      "Café 🛋",
      "12.50",
      "1",
      "-62135596800",
      "0",
    ],
  },
];

Deno.test("verify's row texts and checksum are the server's, whatever the session's settings", async () => {
  await using database = await testDatabase({ setUp: true });
  const columns = verifiedColumns(USER_EVENTS);
  const names = columns.map((column) => column.name).join(", ");
  const rowText = rowTextBuilder(USER_EVENTS);
  for (const { name, line, sql: values, texts } of ROWS) {
    await database.sql.begin(async (sql) => {
      await sql`delete from user_events`;
      await sql.unsafe(
        `insert into user_events (file_id, line_number, ${names})
        values (1, ${line}, ${values.slice(1)}`,
      );
      await sql`set local datestyle = 'German'`;
      await sql`set local timezone = 'Asia/Kathmandu'`;
      await sql`set local extra_float_digits = -15`;
      await sql`set local bytea_output = 'escape'`;
      const [stored] = await sql.unsafe(
        `select ${columns.map(columnTextSql).join(", ")} from user_events`,
      ).values();
      assertEquals(stored as unknown, texts, name);
      const [row] = await sql.unsafe<{ text: string; sum: string }[]>(
        `select min(${rowTextSql(USER_EVENTS)}) as text, ${checksumSql(USER_EVENTS)} as sum
        from user_events`,
      );
      assertEquals(rowText(line, texts), row!.text, name);
      const checksum = new Checksum();
      checksum.add(rowText(line, texts));
      assert(checksum.equals(row!.sum), name);
    });
  }
});

Deno.test("verify's checksum is the same in any order, and another one for a row twice or none", () => {
  const sums = [["a", "b"], ["b", "a"], ["a"], ["a", "a"], ["a", "a", "b", "b"], []].map((rows) => {
    const checksum = new Checksum();
    for (const row of rows) checksum.add(row);
    return checksum.toString();
  });
  assertEquals(sums[0], sums[1]);
  assertEquals(new Set(sums).size, 5);
  assertEquals(sums.at(-1), "0");
});

Deno.test("verify's row texts differ where a null, an empty text or a border is moved", () => {
  const rowText = rowTextBuilder(USER_EVENTS);
  const texts = [KEY, "0.000000", "view", "1", "2", "a", "b", "0.00", "1", "0", "0"];
  const variants = [
    texts,
    texts.with(5, ""),
    [...texts.slice(0, 5), null, ...texts.slice(6)],
    texts.with(5, "a|1:b").with(6, ""),
    texts.with(5, "a|").with(6, "1:b"),
    texts.with(5, "é"),
  ];
  assertEquals(new Set(variants.map((variant) => rowText(2, variant))).size, variants.length);
  assert(rowText(2, texts) !== rowText(3, texts));
});
