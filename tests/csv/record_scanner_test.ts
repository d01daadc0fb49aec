import { assert, assertEquals, assertThrows } from "@std/assert";
import { RecordScanner } from "../../src/csv/record_scanner.ts";
import { Random } from "../../src/generate/random.ts";
import { referenceScan } from "./reference_scan.ts";
import { type Found, latin1, scanAll } from "./scan_all.ts";

/** The records' fields; of a malformed line its code. */
function outline(found: readonly Found[]): (readonly string[] | string)[] {
  return found.map((each) => each.fields ?? each.code!);
}

const WELL_FORMED: { name: string; input: string; records: string[][] }[] = [
  { name: "nothing", input: "", records: [] },
  { name: "LF", input: "a,b\nc,d\n", records: [["a", "b"], ["c", "d"]] },
  { name: "CRLF", input: "a,b\r\nc,d\r\n", records: [["a", "b"], ["c", "d"]] },
  { name: "no newline at the end", input: "a,b\nc,d", records: [["a", "b"], ["c", "d"]] },
  { name: "a CR at the end", input: "a,b\r", records: [["a", "b"]] },
  { name: "empty fields", input: ",\n,,\n", records: [["", ""], ["", "", ""]] },
  { name: "an empty quoted field", input: '""\n', records: [[""]] },
  { name: "an empty last field at the end", input: "a,", records: [["a", ""]] },
  { name: "an empty quoted field at the end", input: 'a,""', records: [["a", ""]] },
  { name: "a comma in quotes", input: '"a,b",c\n', records: [["a,b", "c"]] },
  { name: "doubled quotes", input: '"a""b","""",c\n', records: [['a"b', '"', "c"]] },
  { name: "a newline in quotes", input: '"a\nb",c\nd,e\n', records: [["a\nb", "c"], ["d", "e"]] },
  { name: "a CRLF in quotes", input: '"a\r\nb",c\r\n', records: [["a\r\nb", "c"]] },
  { name: "a closing quote before CRLF", input: 'a,"b"\r\nc,d', records: [["a", "b"], ["c", "d"]] },
  { name: "a closing quote before a last CR", input: 'a,"b"\r', records: [["a", "b"]] },
  { name: "a quote inside an unquoted field", input: '5" lamp,a"\n', records: [['5" lamp', 'a"']] },
  { name: "a blank before a quote", input: 'a, "b"\n', records: [["a", ' "b"']] },
  { name: "a lone CR", input: "a\rb,c\n", records: [["a\rb", "c"]] },
  { name: "two CRs before LF", input: "a\r\r\n", records: [["a\r"]] },
  { name: "empty lines", input: "\n\r\n\na\n\n\r\r\n\nb\n\n", records: [["a"], ["b"]] },
  { name: "an empty line at the end without LF", input: "a\n\r", records: [["a"]] },
  { name: "a byte order mark", input: "\xef\xbb\xbfa,b\n", records: [["a", "b"]] },
  { name: "a byte order mark before a quote", input: '\xef\xbb\xbf"a",b\n', records: [["a", "b"]] },
  { name: "a byte order mark alone", input: "\xef\xbb\xbf", records: [] },
  { name: "half a byte order mark", input: "\xef\xbb", records: [["\xef\xbb"]] },
  { name: "a second byte order mark", input: "a\n\xef\xbb\xbfb\n", records: [["a"], ["ï»¿b"]] },
  { name: "a NUL", input: "a\0b\n", records: [["a\0b"]] },
];

Deno.test("the scanner splits well-formed CSV", async (t) => {
  for (const { name, input, records } of WELL_FORMED) {
    await t.step(name, () => {
      const bytes = latin1(input);
      assertEquals(outline(scanAll(bytes)), records);
      assertEquals(outline(scanAll(bytes, { chunkBytes: () => 1 })), records);
    });
  }
});

const MALFORMED: {
  name: string;
  input: string;
  maxRecordBytes?: number;
  outline: (string[] | string)[];
}[] = [
  {
    name: "text after a closing quote",
    input: '"a"b,c\nd\n',
    outline: ["malformed_quote", ["d"]],
  },
  {
    name: "a blank after a closing quote",
    input: 'a,"b" ,c\nd\n',
    outline: ["malformed_quote", ["d"]],
  },
  {
    name: "a CR but no LF after a closing quote",
    input: '"a"\rb\nc\n',
    outline: ["malformed_quote", ["c"]],
  },
  {
    name: "text after a closing quote two lines below",
    input: 'a,"b\nc,d\ne"f\ng\n',
    outline: ["malformed_quote", ["c", "d"], ['e"f'], ["g"]],
  },
  {
    name: "text after a closing quote, then nothing",
    input: '"a"b',
    outline: ["malformed_quote"],
  },
  {
    name: "a quote open at the end",
    input: 'a\nb,"c\nd\ne',
    outline: [["a"], "open_quote", ["d"], ["e"]],
  },
  {
    name: "a quote open at the end of the last line",
    input: 'a\n"b',
    outline: [["a"], "open_quote"],
  },
  {
    name: "a record of 8 bytes at a limit of 8",
    input: "12345678\n12345678\r\n12345678",
    maxRecordBytes: 8,
    outline: [["12345678"], ["12345678"], ["12345678"]],
  },
  {
    name: "a record of 9 bytes at a limit of 8",
    input: "123456789\n123456789\r\na\n123456789",
    maxRecordBytes: 8,
    outline: ["oversize_record", "oversize_record", ["a"], "oversize_record"],
  },
  {
    name: "a much longer record at a limit of 8",
    input: "a,b,c,d,e,f,g,h,i,j,k,l\nm\n",
    maxRecordBytes: 8,
    outline: ["oversize_record", ["m"]],
  },
  {
    name: "a quote that does not close within the limit",
    input: 'a,"b\n1234567\n12345"\nc\n',
    maxRecordBytes: 8,
    outline: ["open_quote", ["1234567"], ['12345"'], ["c"]],
  },
  {
    name: "a quote that closes within the limit of a record that does not end in it",
    input: 'a,"b\nc",d,e\nf\n',
    maxRecordBytes: 8,
    outline: ["oversize_record", ['c"', "d", "e"], ["f"]],
  },
  {
    name: "an open quote in a line longer than the limit",
    input: 'a,"b3456789\nc\n',
    maxRecordBytes: 8,
    outline: ["oversize_record", ["c"]],
  },
  {
    name: "text after a closing quote in a line longer than the limit",
    input: '"a"b,c3456789\nd\n',
    maxRecordBytes: 8,
    outline: ["oversize_record", ["d"]],
  },
  {
    name: "an open quote whose next line is a record in spite of it",
    input: '"\na","b\nccccc"\n',
    maxRecordBytes: 12,
    outline: ["open_quote", ['a"', "b\nccccc"]],
  },
  {
    name: "the same, with a quoted field just where the first one was given up",
    input: 'x,"yyyyyyyy\na","b\nc","d,""x"\n',
    maxRecordBytes: 19,
    outline: ["oversize_record", ['a"', "b\nc", 'd,"x']],
  },
];

Deno.test("malformed quoting and oversize reject one physical line", async (t) => {
  for (const { name, input, maxRecordBytes = 1000, outline: expected } of MALFORMED) {
    await t.step(name, () => {
      const bytes = latin1(input);
      assertEquals(outline(scanAll(bytes, { maxRecordBytes })), expected);
      assertEquals(outline(scanAll(bytes, { maxRecordBytes, chunkBytes: () => 1 })), expected);
    });
  }
});

Deno.test("the scanner counts physical lines through quotes, blank and malformed ones", () => {
  const found = scanAll(latin1('a\n\n"b\nc"\r\n"d"e\n"f\n\ng'));
  assertEquals(found.map(({ lineNumber }) => lineNumber), [1, 3, 5, 6, 8]);
});

Deno.test("a record without newline waits until it is known that nothing follows", () => {
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: 1000 });
  scanner.room().set(latin1("a\nb,c"));
  scanner.grow(5);
  assertEquals(scanner.next(false), "record");
  assertEquals(scanner.next(false), "more");
  assertEquals([scanner.nextByte, scanner.nextLine], [2, 2]);
  assertEquals(scanner.next(true), "record");
  assertEquals([scanner.startByte, scanner.endByte, scanner.terminated], [2, 5, false]);
  assertEquals(scanner.next(true), "end");
  assertEquals([scanner.nextByte, scanner.nextLine], [5, 2]);
});

Deno.test("blank lines that were consumed lie behind the place to resume from", () => {
  const scanner = new RecordScanner({ startByte: 100, startLine: 7, maxRecordBytes: 1000 });
  scanner.room().set(latin1("a\n\n\r\n"));
  scanner.grow(5);
  assertEquals(scanner.next(false), "record");
  assertEquals([scanner.nextByte, scanner.nextLine], [102, 8]);
  assertEquals(scanner.next(false), "more");
  assertEquals([scanner.nextByte, scanner.nextLine], [105, 10]);
  assertEquals(scanner.next(true), "end");
});

Deno.test("the scanner tells of high bytes and NULs of this record only", () => {
  const scanned: boolean[][] = [];
  scanAll(latin1('a\nb\xe4\nc\n"d\xe4"\n"e"\nf\0\n"\0"\ng\n'), {
    onStep: ({ hasHighBytes, hasNul }) => scanned.push([hasHighBytes, hasNul]),
  });
  const [none, high, nul] = [[false, false], [true, false], [false, true]];
  // the first step asked for bytes, the last one is the end
  assertEquals(scanned.slice(1, -1), [none, high, none, high, none, nul, nul, none]);
});

Deno.test("raw bytes are the record's with its line end, cut at the limit", () => {
  const raws: string[] = [];
  scanAll(latin1('a,b\r\n"c"d\ne'), {
    onStep: (scanner) => raws.push(String.fromCharCode(...scanner.rawBytes(4))),
  });
  assertEquals(raws.slice(1, -1), ["a,b\r", '"c"d', "e"]);
});

Deno.test("of an oversize record the first 8 KiB stay, however it was cut into chunks", () => {
  const input = new Uint8Array(100_000).map((_, index) => 97 + index % 26);
  for (const chunkBytes of [1, 1000, 100_000]) {
    let raw: Uint8Array = new Uint8Array();
    scanAll(input, {
      maxRecordBytes: 100,
      chunkBytes: () => chunkBytes,
      onStep: (scanner, step) => {
        if (step === "malformed") raw = scanner.rawBytes().slice();
      },
    });
    assertEquals(raw, input.slice(0, 8192));
  }
});

Deno.test("more fields than boundaries are kept are still counted", () => {
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: 100_000 });
  scanner.room().set(latin1(",".repeat(100_000) + "\n"));
  scanner.grow(100_001);
  assertEquals(scanner.next(true), "record");
  assertEquals(scanner.fieldCount, 100_001);
});

Deno.test("growing by more than the room is a RangeError", () => {
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: 1000 });
  const size = scanner.room().length;
  assertThrows(
    () => scanner.grow(size + 1),
    RangeError,
    `${size + 1} bytes; expected 0 to ${size}`,
  );
});

/** Pieces of text that matter; few in each list, so that odd neighbours are frequent. */
const PIECES: readonly (readonly string[])[] = [
  [...'ab,\n"'],
  [...'a,\n\r""'],
  [...'",\n'],
  [..."a,\r\n\xe4\0"],
  [...'",,ab\r\n""""cd'],
  // lines that open a quote, whether they begin inside of one or not
  ['a","b\n', 'a","\n', "c", '"', '"\n', ",", '"\n'],
];

function oddText(random: Random, pieceCount: number): Uint8Array {
  const pieces = random.pick(PIECES);
  const text = Array.from({ length: pieceCount }, () => random.pick(pieces)).join("");
  return latin1((random.below(20) === 0 ? "\xef\xbb\xbf" : "") + text);
}

function withoutCode(found: readonly Found[]): Found[] {
  return found.map(({ code: _, ...rest }) => rest);
}

Deno.test("the scanner finds what the plain reference finds, however the bytes are cut", () => {
  const random = new Random(1, 0);
  for (let round = 0; round < 10_000; round++) {
    const input = oddText(random, random.below(60));
    const maxRecordBytes = random.pick([1, 5, 20, 1000]);
    const expected = referenceScan(input, maxRecordBytes);
    const most = random.pick([1, 3, 30]);
    const chunkBytes = () => random.below(most + 1);
    const found = scanAll(input, { maxRecordBytes, chunkBytes });
    assertEquals(withoutCode(found), expected, `round ${round}: ${JSON.stringify(input)}`);
  }
});

Deno.test("the scanner finds the same when its window moves", () => {
  const random = new Random(4, 0);
  for (let round = 0; round < 3; round++) {
    const pieces = Array.from({ length: 20_000 }, () => oddText(random, random.below(60)));
    const input = new Uint8Array(pieces.flatMap((piece) => [...piece]));
    const maxRecordBytes = 300;
    const chunkBytes = () => random.below(200_000);
    const found = withoutCode(scanAll(input, { maxRecordBytes, chunkBytes }));
    const expected = referenceScan(input, maxRecordBytes);
    assertEquals(found.length, expected.length);
    found.forEach((each, index) => assertEquals(each, expected[index]!));
  }
});

Deno.test("a scanner started at any place to resume from finds the rest", () => {
  const random = new Random(2, 0);
  for (let round = 0; round < 1_000; round++) {
    const input = oddText(random, random.below(60));
    const maxRecordBytes = random.pick([1, 5, 20, 1000]);
    const places = new Map<number, number>();
    const chunkBytes = () => random.below(8);
    const whole = scanAll(input, {
      maxRecordBytes,
      chunkBytes,
      onStep: ({ nextByte, nextLine }) => places.set(nextByte, nextLine),
    });
    for (const [startByte, startLine] of places) {
      const rest = whole.filter((each) => each.startByte >= startByte);
      assertEquals(scanAll(input, { maxRecordBytes, startByte, startLine }), rest);
    }
  }
});

/** Scans a repeated piece of text without ever holding all of it. */
function scanRepeated(piece: string, options: { totalBytes: number; maxRecordBytes: number }) {
  const block = latin1(piece.repeat(Math.ceil((64 * 1024) / piece.length)));
  const scanner = new RecordScanner({
    startByte: 0,
    startLine: 1,
    maxRecordBytes: options.maxRecordBytes,
  });
  const counts = { record: 0, malformed: 0, windowBytes: 0 };
  let given = 0;
  for (;;) {
    const step = scanner.next(given >= options.totalBytes);
    if (step === "end") return counts;
    if (step === "more") {
      const room = scanner.room();
      counts.windowBytes = Math.max(counts.windowBytes, scanner.bytes.length);
      const chunk = block.subarray(0, room.length);
      room.set(chunk);
      scanner.grow(chunk.length);
      given += chunk.length;
    } else {
      counts[step]++;
    }
  }
}

Deno.test("a line of 100 MB is one reject and does not widen the window", () => {
  const maxRecordBytes = 1024 * 1024;
  const { record, malformed, windowBytes } = scanRepeated("0123456789,abcdef", {
    totalBytes: 100e6,
    maxRecordBytes,
  });
  assertEquals([record, malformed], [0, 1]);
  assert(windowBytes <= maxRecordBytes + 2 + 256 * 1024, `window: ${windowBytes} bytes`);
});

Deno.test("a million empty lines are no records", () => {
  const counts = scanRepeated("\n", { totalBytes: 1e6, maxRecordBytes: 1024 * 1024 });
  assertEquals([counts.record, counts.malformed], [0, 0]);
});

// each of these would take hours if each line were scanned to the record limit
const OPENING_LINES: { name: string; piece: string }[] = [
  { name: "until the limit", piece: 'a",b,"c\n' },
  { name: "until the limit, with doubled quotes", piece: 'a",b,"c""\r\n' },
  { name: "until text follows a closing quote", piece: 'a",b,"c\n'.repeat(50_000) + 'd"e\n' },
  { name: "until a record ends", piece: 'a",b,"c\n'.repeat(50_000) + 'd"\n' },
];

Deno.test("a file in which every line opens a quote is scanned in one go", async (t) => {
  for (const { name, piece } of OPENING_LINES) {
    await t.step(name, () => {
      const maxRecordBytes = 1024 * 1024;
      const { malformed, windowBytes } = scanRepeated(piece, { totalBytes: 8e6, maxRecordBytes });
      assert(malformed > 0 || name === "until a record ends");
      assert(windowBytes <= maxRecordBytes + 2 + 256 * 1024, `window: ${windowBytes} bytes`);
    });
  }
});

Deno.test("a long record given byte by byte is scanned once", () => {
  const input = latin1(`"${"a\n".repeat(400_000)}",b\n`);
  const found = scanAll(input, { chunkBytes: () => 1 });
  assertEquals(found.length, 1);
  assertEquals([found[0]!.kind, found[0]!.endByte], ["record", input.length]);
});
