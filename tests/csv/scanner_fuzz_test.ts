import { assert, assertEquals } from "@std/assert";
import { RecordScanner } from "../../src/csv/record_scanner.ts";
import type { Random } from "../../src/generate/random.ts";
import { fuzz } from "../support/fuzz.ts";
import { mutatedCsv, randomBytes } from "../support/mutated_csv.ts";
import { referenceScan } from "./reference_scan.ts";
import { type Found, scanAll } from "./scan_all.ts";

/** Records and malformed lines are whole lines, and between them is nothing but line ends. */
function assertTiles(input: Uint8Array, found: readonly Found[]): void {
  const hasMark = input[0] === 0xef && input[1] === 0xbb && input[2] === 0xbf;
  let byte = hasMark ? 3 : 0;
  let lineNumber = 1;
  const end = { startByte: input.length, endByte: input.length, lineNumber: null };
  for (const each of [...found, end]) {
    const between = input.subarray(byte, each.startByte);
    assert(between.every((value) => value === 0x0a || value === 0x0d), `a gap at ${byte}`);
    const isLineStart = each.startByte === byte || input[each.startByte - 1] === 0x0a;
    assert(isLineStart || each.lineNumber === null, `${each.startByte} is no line start`);
    lineNumber += between.filter((value) => value === 0x0a).length;
    if (each.lineNumber !== null) assertEquals(each.lineNumber, lineNumber);
    lineNumber += input.subarray(each.startByte, each.endByte).filter((value) => value === 0x0a)
      .length;
    byte = each.endByte;
  }
  assertEquals(byte, input.length);
}

/** By record limit: used for one input after the other, and left in the midst of each. */
const usedScanners = new Map<number, RecordScanner>();

function usedScanner(maxRecordBytes: number): RecordScanner {
  const known = usedScanners.get(maxRecordBytes);
  if (known !== undefined) return known;
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes });
  usedScanners.set(maxRecordBytes, scanner);
  return scanner;
}

/** Scans some of the input, and leaves the scanner there. */
function leaveIn(input: Uint8Array, scanner: RecordScanner, random: Random): void {
  const part = input.subarray(0, random.below(input.length + 1));
  scanner.restart({ startByte: random.below(1_000), startLine: 1 });
  scanner.room().set(part);
  scanner.grow(part.length);
  for (let steps = random.below(10); steps > 0; steps--) {
    const step = scanner.next(false);
    if (step === "more" || step === "end") return;
  }
}

function assertSplitsAgree(input: Uint8Array, random: Random): void {
  const maxRecordBytes = random.pick([1, 7, 60, 300, 1024 * 1024]);
  const whole = scanAll(input, { maxRecordBytes });
  const text = () => JSON.stringify({ maxRecordBytes, bytes: [...input] });
  const withoutCode = whole.map(({ code: _, ...rest }) => rest);
  assertEquals(withoutCode, referenceScan(input, maxRecordBytes), text());
  assertTiles(input, whole);
  const most = random.pick([2, 20, 300]);
  for (const chunkBytes of [() => 1, () => 1 + random.below(most), () => random.below(most)]) {
    assertEquals(scanAll(input, { maxRecordBytes, chunkBytes }), whole, text());
  }
  const scanner = usedScanner(maxRecordBytes);
  const chunkBytes = () => 1 + random.below(most);
  assertEquals(scanAll(input, { maxRecordBytes, chunkBytes, scanner }), whole, text());
  leaveIn(input, scanner, random);
}

Deno.test("random bytes are the same records, which tile them, however they are cut", async () => {
  await fuzz(2_000, (random) => assertSplitsAgree(randomBytes(random, { most: 300 }), random));
});

Deno.test("mutated CSV is the same records, which tile it, however it is cut", async () => {
  await fuzz(300, (random) => {
    assertSplitsAgree(mutatedCsv(random, { records: 1 + random.below(12) }), random);
  });
});
