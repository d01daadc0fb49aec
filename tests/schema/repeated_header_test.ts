import { assert, assertEquals } from "@std/assert";
import type { Schema } from "../../src/schema/schema.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { decodeCsv } from "./decode_csv.ts";
import { readAsVerify } from "./read_as_verify.ts";

const HEADER = "price,user_id,product_id,event_type,event_time";
const ROW = "1.00,1,2,view,2026-03-14T10:00:00Z";
/** A header of more than is kept of a record. */
const LONG_HEADER = `${HEADER},${"x".repeat(9_000)}`;

const CASES: { name: string; header: string; again: string; isHeader: boolean }[] = [
  { name: "the same bytes", header: `${HEADER}\n`, again: `${HEADER}\n`, isHeader: true },
  { name: "CRLF for LF", header: `${HEADER}\n`, again: `${HEADER}\r\n`, isHeader: true },
  { name: "LF for CRLF", header: `${HEADER}\r\n`, again: `${HEADER}\n`, isHeader: true },
  { name: "no line end, the last", header: `${HEADER}\n`, again: HEADER, isHeader: true },
  { name: "a CR as the last", header: `${HEADER}\n`, again: `${HEADER}\r`, isHeader: true },
  { name: "behind a BOM", header: `\ufeff${HEADER}\n`, again: `${HEADER}\n`, isHeader: true },
  { name: "a BOM more", header: `\ufeff${HEADER}\n`, again: `\ufeff${HEADER}\n`, isHeader: false },
  { name: "two CRs before LF", header: `${HEADER}\n`, again: `${HEADER}\r\r\n`, isHeader: false },
  { name: "CRs in both", header: `${HEADER}\r\r\n`, again: `${HEADER}\r\r\n`, isHeader: true },
  {
    name: "the same names in quotes",
    header: `${HEADER}\n`,
    again: `"price"${HEADER.slice("price".length)}\n`,
    isHeader: false,
  },
  {
    name: "in other letters",
    header: `${HEADER}\n`,
    again: `${HEADER.toUpperCase()}\n`,
    isHeader: false,
  },
  { name: "one name more", header: `${HEADER}\n`, again: `${HEADER},x\n`, isHeader: false },
  {
    name: "one byte less",
    header: `${HEADER}\n`,
    again: `${HEADER.slice(0, -1)}\n`,
    isHeader: false,
  },
  {
    name: "longer than what is kept of a record",
    header: `${LONG_HEADER}\n`,
    again: `${LONG_HEADER}\n`,
    isHeader: true,
  },
  {
    name: "the same names, in quotes past what is kept of a record",
    header: `${LONG_HEADER},"y",z\n`,
    again: `${LONG_HEADER},y,"z"\n`,
    isHeader: false,
  },
  {
    name: "with a line break in it",
    header: `${HEADER},"two\nlines"\n`,
    again: `${HEADER},"two\nlines"\n`,
    isHeader: true,
  },
];

Deno.test("a header that comes again is one by its bytes, line end aside, to ingest and verify", async (t) => {
  for (const { name, header, again, isHeader } of CASES) {
    await t.step(name, async () => {
      const fieldCount = header.split(",").length;
      const row = ROW + ",".repeat(fieldCount - HEADER.split(",").length);
      const bytes = new TextEncoder().encode(`${header}${row}\n${again}`);
      const start = new TextEncoder().encode(`${header}${row}\n`).length;
      for (const plain of [true, false]) {
        const { headerStarts } = decodeCsv(bytes, { schema: USER_EVENTS, plain });
        assertEquals(headerStarts, isHeader ? [start] : []);
      }
      const records = await readAsVerify(bytes, {
        pipelineName: "p",
        path: "a.csv",
        timeZone: "UTC",
        maxRecordBytes: 1024 * 1024,
      });
      assertEquals(records.map((record) => record.isHeader), [false, isHeader]);
      assert(records[0]!.texts !== null, "the row is none");
    });
  }
});

Deno.test("a header that comes again is no row where its names would do as values", () => {
  const schema: Schema = {
    table: "t",
    columns: ["id", "name"].map((name) => ({
      name,
      type: "text",
      presence: "required",
      description: "",
    })),
    derived: [],
    key: "id",
    indexes: [],
  };
  for (const plain of [true, false]) {
    const { tuples, rejects, headerStarts } = decodeCsv("id,name\na,b\nid,name\nid,names\n", {
      schema,
      plain,
    });
    assertEquals([tuples.rowCount, rejects, headerStarts], [2, [null, null], [12]]);
  }
});
