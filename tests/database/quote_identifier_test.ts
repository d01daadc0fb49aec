import { assertEquals, assertThrows } from "@std/assert";
import { tableName } from "../../src/database/quote_identifier.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

const NAMES: readonly { text: string; schema: string | null; name: string; quoted: string }[] = [
  { text: "user_events", schema: null, name: "user_events", quoted: `"user_events"` },
  { text: "User_Events", schema: null, name: "user_events", quoted: `"user_events"` },
  { text: " shop . events ", schema: "shop", name: "events", quoted: `"shop"."events"` },
  { text: `"Odd Name"`, schema: null, name: "Odd Name", quoted: `"Odd Name"` },
  { text: `"a.b".c`, schema: "a.b", name: "c", quoted: `"a.b"."c"` },
  { text: `shop."5"" lamp"`, schema: "shop", name: `5" lamp`, quoted: `"shop"."5"" lamp"` },
  { text: "ÄPFEL", schema: null, name: "Äpfel", quoted: `"Äpfel"` },
  { text: `"shop"."events"`, schema: "shop", name: "events", quoted: `"shop"."events"` },
];

for (const { text, ...expected } of NAMES) {
  Deno.test(`a table's name is read as SQL reads it: ${text}`, () => {
    assertEquals(tableName(text), expected);
  });
}

const REFUSED = ["", " ", "a.b.c", "a b", "1a", '"open', "a;drop table b", '""', "x".repeat(64)];

for (const text of REFUSED) {
  Deno.test(`no table's name: ${JSON.stringify(text)}`, () => {
    const error = assertThrows(() => tableName(text), PgsluiceError, "names no table");
    assertEquals([error.code, error.exitCode], ["table-name", 2]);
  });
}
