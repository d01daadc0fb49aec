import { assertEquals, assertNotEquals } from "@std/assert";
import { csvText, eventLine } from "../support/ingest_fixture.ts";
import { encodeFile } from "./encode_file.ts";
import { sortedTuples } from "./sorted_tuples.ts";

async function encoded(numbers: readonly number[]): Promise<Uint8Array> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, csvText(numbers.map((number) => eventLine(number))));
    const batches: Uint8Array[] = [];
    await encodeFile(path, {
      fileId: 1,
      onBatch: (bytes) => {
        batches.push(bytes.slice());
        return Promise.resolve();
      },
    });
    assertEquals(batches.length, 1);
    return batches[0]!;
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("tuples are put in the order of their keys, and nothing else changes", async () => {
  const mixed = await encoded([2, 0, 3, 1]);
  const sorted = sortedTuples(mixed);
  assertNotEquals(sorted, mixed);
  assertEquals(sorted.toSorted(), mixed.toSorted());
  assertEquals(keysOf(sorted), ["0000", "0001", "0002", "0003"]);
  assertEquals(sortedTuples(sorted), sorted);
});

/** The last digits of each key, found by their beginning. */
function keysOf(bytes: Uint8Array): string[] {
  return [...bytes.toHex().matchAll(/00000000000070008000[0-9a-f]{8}([0-9a-f]{4})/g)]
    .map(([, digits]) => digits!);
}
