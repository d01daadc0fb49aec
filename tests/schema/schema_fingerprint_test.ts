import { assertEquals, assertNotEquals } from "@std/assert";
import type { Schema, SourceColumn } from "../../src/schema/schema.ts";
import { schemaFingerprint } from "../../src/schema/schema_fingerprint.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";

/** The built-in schema with one column changed. */
function changed(name: string, change: (column: SourceColumn) => object): Schema {
  const columns = USER_EVENTS.columns.map((column) =>
    column.name === name ? { ...column, ...change(column) } as SourceColumn : column
  );
  return { ...USER_EVENTS, columns };
}

Deno.test("the fingerprint follows what a schema makes of bytes", async (t) => {
  const others: Record<string, Schema> = {
    "an alias more": changed("price", () => ({ aliases: ["cost"] })),
    "a value more": changed("event_type", () => ({ allowed: ["view", "purchase", "refund"] })),
    "another minimum": changed("price", () => ({ minimum: 1 })),
    "another scale": changed("price", () => ({ scale: 3 })),
    "another default": changed("quantity", () => ({ default: 2 })),
    "another presence": changed("category", () => ({ presence: "required" })),
    "another type": changed("user_id", () => ({ type: "integer" })),
    "a column less": { ...USER_EVENTS, columns: USER_EVENTS.columns.slice(0, -1) },
    "another key": { ...USER_EVENTS, key: "user_id" },
    "a derived column less": { ...USER_EVENTS, derived: USER_EVENTS.derived.slice(1) },
  };
  for (const [name, schema] of Object.entries(others)) {
    await t.step(name, () => {
      assertNotEquals(schemaFingerprint(schema), schemaFingerprint(USER_EVENTS));
    });
  }
});

Deno.test("the fingerprint does not follow names of the table, words, indexes, order of writing", () => {
  const reversed = changed(
    "price",
    (column) => Object.fromEntries(Object.entries(column).reverse()),
  );
  const described = changed("price", () => ({ description: "what it costs" }));
  for (
    const schema of [
      reversed,
      described,
      { ...USER_EVENTS, table: "shop_events" },
      { ...USER_EVENTS, indexes: [] },
    ]
  ) {
    assertEquals(schemaFingerprint(schema), schemaFingerprint(USER_EVENTS));
  }
});
