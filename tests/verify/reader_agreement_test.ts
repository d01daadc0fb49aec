import { assertEquals } from "@std/assert";
import { QUOTED_FIELD_WITH_QUOTES } from "../../src/csv/record.ts";
import { RecordScanner } from "../../src/csv/record_scanner.ts";
import { readRecords } from "../../src/verify/record_reader.ts";
import { randomBelow } from "./random.ts";

/** A record with its place; fields are null if its line is malformed, a field if it is not UTF-8. */
type Seen = [line: number, start: number, end: number, fields: (string | null)[] | null];

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string | null {
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
}

/** As the ingester reads, given `pieceBytes` at a time. */
function scan(bytes: Uint8Array, options: { maxRecordBytes: number; pieceBytes: number }): Seen[] {
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, ...options });
  const seen: Seen[] = [];
  for (let given = 0;;) {
    const atEnd = given === bytes.length;
    const step = scanner.next(atEnd);
    if (step === "end") return seen;
    if (step === "more") {
      const piece = bytes.subarray(given, given + options.pieceBytes);
      scanner.room().set(piece);
      scanner.grow(piece.length);
      given += piece.length;
      continue;
    }
    const fields = Array.from({ length: scanner.fieldCount }, (_, index) => {
      const text = decode(
        scanner.bytes.subarray(scanner.fieldStarts[index], scanner.fieldEnds[index]),
      );
      const hasPairs = scanner.fieldQuoting[index] === QUOTED_FIELD_WITH_QUOTES;
      return hasPairs && text !== null ? text.replaceAll('""', '"') : text;
    });
    const { lineNumber, startByte, endByte } = scanner;
    seen.push([lineNumber, startByte, endByte, step === "record" ? fields : null]);
  }
}

/** As verify reads. */
async function read(
  bytes: Uint8Array,
  { maxRecordBytes, pieceBytes }: { maxRecordBytes: number; pieceBytes: number },
): Promise<Seen[]> {
  const source = {
    read(atByte: number, into: Uint8Array) {
      const piece = bytes.subarray(atByte, atByte + Math.min(into.length, pieceBytes));
      into.set(piece);
      return Promise.resolve(piece.length);
    },
    close() {},
  };
  const seen: Seen[] = [];
  for await (const block of readRecords(source, { endByte: bytes.length, maxRecordBytes })) {
    for (const { lineNumber, startByte, endByte, fields } of block.records) {
      seen.push([lineNumber, startByte, endByte, fields && [...fields]]);
    }
  }
  return seen;
}

/** What makes CSV hard, in pieces that are likely to meet. */
const PIECES = ['"', '"', '"', ",", ",", "\n", "\n", "\r\n", "\r", '""', '",', ',"', '"\n', "a"]
  .concat(["bc", " ", "\0", "\xc3\xa9", "\xff", "\xef\xbb\xbf", "12345678"]);

const ROUNDS = 5_000;

Deno.test("verify's reader and the ingester's scanner find the same records in random bytes", async () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = randomBelow(seed);
    const pieceCount = random(40);
    const text = Array.from({ length: pieceCount }, () => PIECES[random(PIECES.length)]!).join("");
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const maxRecordBytes = [4, 9, 20, 1000][random(4)]!;
    const pieceBytes = [1, 3, 1000][random(3)]!;
    const options = { maxRecordBytes, pieceBytes };
    assertEquals(
      await read(bytes, options),
      scan(bytes, options),
      `seed ${seed}: ${JSON.stringify({ text, ...options })}`,
    );
  }
});
