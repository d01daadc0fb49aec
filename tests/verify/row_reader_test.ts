import { assertEquals } from "@std/assert";
import type { Schema } from "../../src/schema/schema.ts";
import { columnReader } from "../../src/verify/column_reader.ts";
import { epochText, readTimestamp } from "../../src/verify/timestamp_reader.ts";
import { ZoneClock } from "../../src/verify/zone_clock.ts";

type Column = Schema["columns"][number];

/** Texts of columns, null where the field is no value of the column. */
const FIELDS: { column: Column; fields: Record<string, string | null> }[] = [
  {
    column: { name: "u", type: "uuid", presence: "derived", description: "" },
    fields: {
      "0192F7A0-0000-7000-8000-0000000000aB": "0192f7a0-0000-7000-8000-0000000000ab",
      "0192f7a0-0000-7000-8000-0000000000a": null,
      "0192f7a000007000800000000000000ab": null,
      "{0192f7a0-0000-7000-8000-0000000000ab}": null,
      "g192f7a0-0000-7000-8000-0000000000ab": null,
    },
  },
  {
    column: { name: "t", type: "text", presence: "required", description: "", allowed: ["a", "é"] },
    fields: { a: "a", é: "é", A: null, " a": null, "": null },
  },
  {
    column: { name: "i", type: "integer", presence: "required", description: "", minimum: 1 },
    fields: {
      "1": "1",
      "+007": "7",
      "2147483647": "2147483647",
      "00000000000000000000002147483647": "2147483647",
      "2147483648": null,
      "0": null,
      "-1": null,
      "1.0": null,
      "1e3": null,
      "0x1": null,
      "٣": null,
      "": null,
      "+": null,
    },
  },
  {
    column: {
      name: "m",
      type: "numeric",
      presence: "required",
      description: "",
      precision: 5,
      scale: 2,
      minimum: 1.1,
    },
    fields: { "1.10": "1.10", "1.1": "1.10", "1.09": null, "-2": null },
  },
  {
    column: { name: "b", type: "bigint", presence: "required", description: "" },
    fields: {
      "-0": "0",
      "9007199254740993": "9007199254740993",
      "9223372036854775807": "9223372036854775807",
      "9223372036854775808": null,
      "-9223372036854775808": "-9223372036854775808",
      "-9223372036854775809": null,
    },
  },
  {
    column: {
      name: "n",
      type: "numeric",
      presence: "required",
      description: "",
      precision: 5,
      scale: 2,
    },
    fields: {
      "0": "0.00",
      "-0.00": "0.00",
      "12.5": "12.50",
      "012.50": "12.50",
      "+1.": "1.00",
      ".05": "0.05",
      "-.05": "-0.05",
      "-12.3400000": "-12.34",
      "999.99": "999.99",
      "1000": null,
      "0001000": null,
      "1.001": null,
      "1,5": null,
      "1.2.3": null,
      ".": null,
      "-": null,
      "NaN": null,
      "1e2": null,
    },
  },
];

Deno.test("verify reads each type of column by the rules of the README", () => {
  for (const { column, fields } of FIELDS) {
    if (column.type === "timestamptz") throw new TypeError("timestamps have a test of their own");
    const read = columnReader(column);
    for (const [field, text] of Object.entries(fields)) {
      assertEquals(read(field), text, `${column.type} ${JSON.stringify(field)}`);
    }
  }
});

/** In Berlin clocks skip 02:00 to 03:00 on 2026-03-29, and have it twice on 2026-10-25. */
const TIMESTAMPS: Record<string, string | null> = {
  "2026-01-31T12:00:00Z": "1769860800.000000",
  "2026-01-31 12:00 UTC": "1769860800.000000",
  "2026-01-31t12:00:00,000001z": "1769860800.000001",
  "2026-01-31T12:00:00.123456000Z": "1769860800.123456",
  "2026-01-31T12:00:00.1234561Z": null,
  "2026-01-31T13:00:00+01": "1769860800.000000",
  "2026-01-31T17:45:00 +0545": "1769860800.000000",
  "2026-01-31T11:30:00-00:30": "1769860800.000000",
  "2026-01-31T12:00:00+24:00": null,
  "2026-01-31T12:00:00+1": null,
  "2026-01-31T12:00:00  Z": null,
  "2026-01-31T12:00:00 CET": null,
  "2026-01-31T13:00:00": "1769860800.000000",
  "2026-03-29T01:59:59": "1774745999.000000",
  "2026-03-29T02:30:00": null,
  "2026-03-29T03:00:00": "1774746000.000000",
  "2026-10-25T02:30:00": "1792888200.000000",
  "2026-10-25T03:00:00": "1792893600.000000",
  "2024-02-29T00:00:00Z": "1709164800.000000",
  "2026-02-29T00:00:00Z": null,
  "1900-02-29T00:00:00Z": null,
  "2026-13-01T00:00:00Z": null,
  "2026-01-00T00:00:00Z": null,
  "2026-01-01T24:00:00Z": null,
  "2026-01-01T00:60:00Z": null,
  "2026-01-01T00:00:60Z": null,
  "2026-01-01T00:00:0Z": null,
  "2026-01-01": null,
  "26-01-01T00:00:00Z": null,
  "0000-01-01T00:00:00Z": "-62167219200.000000",
  "0099-12-31T23:59:59.999999Z": "-59011459200.000001",
  "1969-12-31T23:59:59.500000Z": "-0.500000",
  "9999-12-31T23:59:59Z": "253402300799.000000",
  "0": "0.000000",
  "-1": "-1.000000",
  "99999999999": "99999999999.000000",
  "100000000000": "100000000.000000",
  "1769860800123": "1769860800.123000",
  "253402300799999": "253402300799.999000",
  "253402300800000": null,
  "1769860800.5": null,
  "yesterday": null,
  "": null,
};

Deno.test("verify reads timestamps with and without a zone, and epochs", () => {
  const clock = new ZoneClock("Europe/Berlin");
  for (const [field, text] of Object.entries(TIMESTAMPS)) {
    const instant = readTimestamp(field, clock);
    assertEquals(instant && epochText(instant), text, JSON.stringify(field));
  }
});

Deno.test("verify's clock knows the offset on both sides of a change", () => {
  const clock = new ZoneClock("Europe/Berlin");
  assertEquals(clock.offsetAt(1774745999), 3_600);
  assertEquals(clock.offsetAt(1774746000), 7_200);
  assertEquals(new ZoneClock("Asia/Kathmandu").offsetAt(0), 19_800);
  assertEquals(new ZoneClock("Asia/Kathmandu").offsetAt(1774746000), 20_700);
  assertEquals(new ZoneClock("UTC").offsetAt(0), 0);
});
