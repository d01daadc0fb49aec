import { assertEquals } from "@std/assert";
import { ByteSlabs } from "../../src/sink/byte_slabs.ts";

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

Deno.test("copies stay as they are, whatever becomes of the bytes and however many follow", () => {
  const slabs = new ByteSlabs();
  const lengths = [0, 1, 100, 8_191, 8_192, 8_193, 100_000, 3];
  const source = new Uint8Array(100_000);
  const copies: Uint8Array[] = [];
  for (let round = 0; round < 10; round++) {
    for (const length of lengths) {
      source.fill(copies.length % 251);
      copies.push(slabs.copy(source.subarray(0, length)));
    }
  }
  for (const [index, copy] of copies.entries()) {
    assertEquals(copy, filled(lengths[index % lengths.length]!, index % 251), `${index}`);
  }
});

Deno.test("what is used again after a reset is memory, not copies of before", () => {
  const slabs = new ByteSlabs();
  const before = slabs.copy(filled(10, 1));
  slabs.reset();
  const after = slabs.copy(filled(10, 2));
  assertEquals(before.buffer === after.buffer, true);
  assertEquals(after, filled(10, 2));
});
