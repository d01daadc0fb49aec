import { assert, assertEquals } from "@std/assert";
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
}

Deno.test("random bytes are the same records, which tile them, however they are cut", async () => {
  await fuzz(2_000, (random) => assertSplitsAgree(randomBytes(random, { most: 300 }), random));
});

Deno.test("mutated CSV is the same records, which tile it, however it is cut", async () => {
  await fuzz(300, (random) => {
    assertSplitsAgree(mutatedCsv(random, { records: 1 + random.below(12) }), random);
  });
});
