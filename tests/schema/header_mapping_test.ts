import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { RecordScanner } from "../../src/csv/record_scanner.ts";
import {
  type HeaderResult,
  isRepeatedHeader,
  mapHeader,
  mapSameHeader,
} from "../../src/schema/header_mapping.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";

function scanned(content: string | Uint8Array): RecordScanner {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: 1024 * 1024 });
  scanner.room().set(bytes);
  scanner.grow(bytes.length);
  assertEquals(scanner.next(true), "record");
  return scanner;
}

function mapped(content: string | Uint8Array): HeaderResult {
  return mapHeader(USER_EVENTS, scanned(content));
}

Deno.test("a header is read in any order, by names or aliases, case and blanks ignored", () => {
  const result = mapped('price, EVENT ,colour,"ItemID",visitorid,Timestamp\r\n');
  assert(result.ok);
  const places = Object.fromEntries(
    USER_EVENTS.columns.map(({ name }, index) => [name, result.mapping.fieldIndexes[index]]),
  );
  assertEquals(places, {
    event_id: -1,
    event_timestamp: 5,
    event_type: 1,
    user_id: 4,
    product_id: 3,
    product_name: -1,
    category: -1,
    price: 0,
    quantity: -1,
  });
  assertEquals(result.mapping.unknownNames, ["colour"]);
  assertEquals(result.mapping.fieldCount, 6);
});

Deno.test("what is no header of the schema is refused, and why is said", () => {
  const cases: [content: string | Uint8Array, code: string, reason: string][] = [
    ["<!DOCTYPE html>\n", "not_csv", "HTML"],
    ["  <html>\n", "not_csv", "HTML"],
    ["version https://git-lfs.github.com/spec/v1\n", "not_csv", "Git LFS"],
    ['[{"price": 1}]\n', "not_csv", "JSON"],
    [new Uint8Array([0x1f, 0x8b, 8, 1, 2]), "not_csv", "gzip"],
    [new Uint8Array([0x50, 0x4b, 3, 4, 20]), "not_csv", "ZIP"],
    [new Uint8Array([0x7f, 0x45, 0, 1]), "not_csv", "binary"],
    [new Uint8Array([0xff, 0xfe, 0x41]), "not_csv", "UTF-8"],
    ["a,b,c\n", "not_csv", "names no column of user_events"],
    ["price;user_id;event\n", "not_csv", 'with commas between, not ";"'],
    ["price\tuser_id\tevent\n", "not_csv", 'with commas between, not "\\t"'],
    ["price,user_id\n", "missing_column", "event_timestamp (or timestamp, event_time)"],
    [
      "price,user_id,visitorid,product_id,event_type,event_time\n",
      "duplicate_column",
      "user_id more than once: user_id and visitorid",
    ],
  ];
  for (const [content, code, reason] of cases) {
    const result = mapped(content);
    assert(!result.ok, String(content));
    assertEquals(result.code, code, String(content));
    assertStringIncludes(result.reason, reason);
  }
});

Deno.test("a header that comes again is known by its bytes, whatever its line end", () => {
  const result = mapped("price,user_id,product_id,event_type,event_time\r\n");
  assert(result.ok);
  const cases: [string, boolean][] = [
    ["price,user_id,product_id,event_type,event_time\n", true],
    ["price,user_id,product_id,event_type,event_time", true],
    ["price,user_id,product_id,event_type,event_tim\n", false],
    ["price,user_id,product_id,event_type,event_timE\n", false],
  ];
  for (const [text, expected] of cases) {
    assertEquals(isRepeatedHeader(result.mapping, scanned(text)), expected, text);
  }
});

Deno.test("a header of the same bytes is mapped as the one before, at its own place", () => {
  const text = "price,user_id,product_id,event_type,event_time,colour";
  const known = mapped(`${text}\n`);
  assert(known.ok);
  for (const same of [`${text}\n`, `${text}\r\n`, text, `\n\r\n${text}\n`, `\ufeff${text}\n`]) {
    const expected = mapped(same);
    assert(expected.ok);
    assertEquals(mapSameHeader(known.mapping, scanned(same)), expected.mapping, same);
  }
  for (const other of [`${text} \n`, `${text}s\n`, text.toUpperCase(), "price,user_id"]) {
    assertEquals(mapSameHeader(known.mapping, scanned(other)), null, other);
  }
});
