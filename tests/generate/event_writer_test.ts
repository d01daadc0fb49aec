import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/csv";
import { generateEvents } from "../../src/generate/generate_events.ts";
import type { Schema, SourceColumn } from "../../src/schema/schema.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";

/** Rows of the schema, header first. */
async function rowsOf(schema: Schema): Promise<{ rows: string[][]; priceSum: string }> {
  let text = "";
  const { priceSum } = await generateEvents({
    events: 500,
    rowsPerFile: 500,
    seed: 7,
    start: new Date("2026-03-14T18:00:00Z"),
    dirtyPercent: 0,
    duplicatesPercent: 0,
    schema,
    output: {
      kind: "stream",
      write(bytes) {
        text += new TextDecoder().decode(bytes);
        return Promise.resolve();
      },
    },
  });
  return { rows: parse(text), priceSum };
}

function withColumns(columns: readonly SourceColumn[], key = USER_EVENTS.key): Schema {
  return { ...USER_EVENTS, columns, key };
}

const REQUIRED = { presence: "required", description: "new" } as const;

Deno.test("a column added to the schema appears in the rows without another edit", async () => {
  const added: [SourceColumn, RegExp][] = [
    [{ name: "note", type: "text", presence: "optional", description: "new" }, /^$/],
    [{ name: "size", type: "text", ...REQUIRED }, /^[a-z]+$/],
    [
      { name: "colour", type: "text", ...REQUIRED, allowed: ["red", "blue, dark"] },
      /^(red|blue, dark)$/,
    ],
    [{ name: "session", type: "uuid", ...REQUIRED }, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
    [{ name: "sent_at", type: "timestamptz", ...REQUIRED }, /^2026-03-\d\dT.*Z$/],
    [{ name: "stock", type: "integer", ...REQUIRED, minimum: 5 }, /^[1-9]\d*$/],
    [{ name: "shop", type: "bigint", ...REQUIRED }, /^\d+$/],
    [{ name: "tax", type: "numeric", precision: 4, scale: 3, ...REQUIRED }, /^\d$/],
  ];
  for (const [column, pattern] of added) {
    const { rows } = await rowsOf(withColumns([...USER_EVENTS.columns, column]));
    assertEquals(rows[0]!.at(-1), column.name);
    for (const row of rows.slice(1)) {
      assertEquals(row.length, 10);
      assert(pattern.test(row.at(-1)!), `${column.name}: ${row.at(-1)}`);
    }
  }
});

Deno.test("columns in another order keep their values", async () => {
  const { rows } = await rowsOf(USER_EVENTS);
  const reversed = await rowsOf(withColumns(USER_EVENTS.columns.toReversed()));
  assertEquals(reversed.rows, rows.map((row) => row.toReversed()));
});

Deno.test("a known column with other rules gets values that keep them", async () => {
  const changed: [SourceColumn, (value: string) => boolean][] = [
    [
      { name: "event_type", type: "text", ...REQUIRED, allowed: ["click"] },
      (value) => value === "click",
    ],
    [
      { name: "quantity", type: "integer", ...REQUIRED, minimum: 10 },
      (value) => Number(value) >= 10,
    ],
    [
      { name: "user_id", type: "uuid", ...REQUIRED },
      (value) => value.length === 36,
    ],
    [
      { name: "price", type: "numeric", precision: 4, scale: 0, ...REQUIRED },
      (value) => /^\d{1,4}$/.test(value),
    ],
  ];
  for (const [column, keeps] of changed) {
    const columns = USER_EVENTS.columns.map((old) => (old.name === column.name ? column : old));
    const { rows, priceSum } = await rowsOf(withColumns(columns));
    const place = rows[0]!.indexOf(column.name);
    for (const row of rows.slice(1)) assert(keeps(row[place]!), `${column.name}: ${row[place]}`);
    if (column.name === "price") assertEquals(priceSum, "0.00", "it is not the catalogue's");
  }
});

Deno.test("a key of another name and type does not repeat", async () => {
  const key: SourceColumn = { name: "id", type: "bigint", ...REQUIRED };
  const { rows } = await rowsOf(withColumns([key, ...USER_EVENTS.columns.slice(1)], "id"));
  assertEquals(new Set(rows.map((row) => row[0])).size, rows.length);
});
