import { assertEquals } from "@std/assert";
import type { ByteSource } from "../../src/source/byte_source.ts";
import { type ReaderEnd, readRecords } from "../../src/verify/record_reader.ts";

/** Gives at most `pieceBytes` a read, as a slow disk may. */
function sourceOf(bytes: Uint8Array, pieceBytes = Infinity): ByteSource {
  return {
    read(atByte, into) {
      const piece = bytes.subarray(atByte, atByte + Math.min(into.length, pieceBytes));
      into.set(piece);
      return Promise.resolve(piece.length);
    },
    close() {},
  };
}

interface Found {
  /** Text of the record with its place, as `line@start-end`, then its fields. */
  readonly records: [string, (string | null)[] | null][];
  readonly end: ReaderEnd;
}

async function read(
  bytes: Uint8Array,
  options: { maxRecordBytes?: number; pieceBytes?: number; endByte?: number } = {},
): Promise<Found> {
  const { maxRecordBytes = 1024, pieceBytes, endByte = bytes.length } = options;
  const blocks = readRecords(sourceOf(bytes, pieceBytes), { endByte, maxRecordBytes });
  const records: Found["records"] = [];
  for (;;) {
    const step = await blocks.next();
    if (step.done) return { records, end: step.value };
    for (const record of step.value.records) {
      const { lineNumber, startByte, endByte, fields } = record;
      assertEquals(
        step.value.head(record),
        bytes.slice(startByte, Math.min(endByte, startByte + 8 * 1024)),
      );
      records.push([`${lineNumber}@${startByte}-${endByte}`, fields && [...fields]]);
    }
  }
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const CASES: { name: string; input: string; records: Found["records"] }[] = [
  { name: "nothing", input: "", records: [] },
  {
    name: "lines that end in LF and CRLF",
    input: "a,b\r\n1,2\n",
    records: [["1@0-5", ["a", "b"]], ["2@5-9", ["1", "2"]]],
  },
  {
    name: "a last line without newline, and one with a lone CR",
    input: "a,b\n1,2\r",
    records: [["1@0-4", ["a", "b"]], ["2@4-8", ["1", "2"]]],
  },
  {
    name: "blank lines, which are no records but are counted as lines",
    input: "\n\r\na\n\r\r\n\nb\n\n",
    records: [["3@3-5", ["a"]], ["6@9-11", ["b"]]],
  },
  {
    name: "a byte order mark, which belongs to no record",
    input: "\xef\xbb\xbfa\n\xef\xbb\xbfb\n",
    records: [["1@3-5", ["a"]], ["2@5-10", ["\ufeffb"]]],
  },
  {
    name: "a quoted field with comma, quotes and newlines",
    input: 'a,b\n"x,""y""\r\nz",2\r\n3,4\n',
    records: [["1@0-4", ["a", "b"]], ["2@4-20", ['x,"y"\r\nz', "2"]], ["4@20-24", ["3", "4"]]],
  },
  {
    name: "empty fields, quoted or not",
    input: '"",\n,\n""\n',
    records: [["1@0-4", ["", ""]], ["2@4-6", ["", ""]], ["3@6-9", [""]]],
  },
  {
    name: "a quote inside an unquoted field, which is a literal",
    input: '5" lamp,2\na "b",c\n',
    records: [["1@0-10", ['5" lamp', "2"]], ["2@10-18", ['a "b"', "c"]]],
  },
  {
    name: "a literal quote before a quoted field that goes on on the next line",
    input: '5" lamp,"x\ny"\n1,2\n',
    records: [["1@0-14", ['5" lamp', "x\ny"]], ["3@14-18", ["1", "2"]]],
  },
  {
    name: "text after a closing quote",
    input: '"a"b,1\n2,3\n"a" ,1\n"a"\rb\n',
    records: [["1@0-7", null], ["2@7-11", ["2", "3"]], ["3@11-18", null], ["4@18-24", null]],
  },
  {
    name: "text after a closing quote on a later line, which rejects only the first line",
    input: '"a\nb"x,1\n2,3\n',
    records: [["1@0-3", null], ["2@3-9", ['b"x', "1"]], ["3@9-13", ["2", "3"]]],
  },
  {
    name: "a quote that is never closed",
    input: '"a,1\n2,3\n4,5',
    records: [["1@0-5", null], ["2@5-9", ["2", "3"]], ["3@9-12", ["4", "5"]]],
  },
  {
    name: "bytes that are not UTF-8, field by field",
    input: 'a,\xff,c\n"\xc3\xa9","\xc3"\n',
    records: [["1@0-6", ["a", null, "c"]], ["2@6-15", ["é", null]]],
  },
];

for (const { name, input, records } of CASES) {
  Deno.test(`verify's reader reads ${name}`, async () => {
    const bytes = latin1(input);
    const whole = await read(bytes);
    assertEquals(whole.records, records);
    assertEquals(whole.end.endByte, bytes.length);
    assertEquals(whole.end.lineCount, input.split("\n").length - 1);
    for (const pieceBytes of [1, 2, 3, 7]) assertEquals(await read(bytes, { pieceBytes }), whole);
  });
}

Deno.test("verify's reader rejects one line where a record is longer than the limit", async () => {
  const long = "x".repeat(11);
  for (
    const [input, records] of [
      [`${"x".repeat(10)}\r\n1\n`, [["1@0-12", ["x".repeat(10)]], ["2@12-14", ["1"]]]],
      [`${long}\n1\n`, [["1@0-12", null], ["2@12-14", ["1"]]]],
      [`"a\nb","${long}"\n1\n`, [["1@0-3", null], ["2@3-20", null], ["3@20-22", ["1"]]]],
      [`"a\n1\n2\n3\n4\n5"\n`, [
        ["1@0-3", null],
        ["2@3-5", ["1"]],
        ["3@5-7", ["2"]],
        ["4@7-9", ["3"]],
        ["5@9-11", ["4"]],
        ["6@11-14", ['5"']],
      ]],
    ] as [string, Found["records"]][]
  ) {
    for (const pieceBytes of [1, 5, 1000]) {
      const found = await read(utf8(input), { maxRecordBytes: 10, pieceBytes });
      assertEquals(found.records, records, `${JSON.stringify(input)} in pieces of ${pieceBytes}`);
    }
  }
});

Deno.test("verify's reader passes over a line of many megabytes without holding it", async () => {
  const lineBytes = 5_000_000;
  const bytes = new Uint8Array(lineBytes + 6).fill(0x78);
  bytes.set(utf8("a\n"), 0);
  bytes.set(utf8("\n1\n"), lineBytes);
  const found = await read(bytes, { endByte: lineBytes + 3, maxRecordBytes: 1000 });
  assertEquals(found.records, [
    ["1@0-2", ["a"]],
    [`2@2-${lineBytes + 1}`, null],
    [`3@${lineBytes + 1}-${lineBytes + 3}`, ["1"]],
  ]);
});

Deno.test("verify's reader reads no further than asked, and tells where a file ends before", async () => {
  const bytes = utf8("a\n1\n2");
  assertEquals((await read(bytes, { endByte: 3 })).records, [["1@0-2", ["a"]], ["2@2-3", ["1"]]]);
  assertEquals((await read(bytes, { endByte: 3 })).end, {
    endByte: 3,
    lineCount: 1,
    unterminatedFromByte: 2,
  });
  assertEquals((await read(bytes, { endByte: 100 })).end, {
    endByte: 5,
    lineCount: 2,
    unterminatedFromByte: 4,
  });
});
