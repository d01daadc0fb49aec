import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { BLOCK_BYTES, ContentHash, sameDigests } from "../../src/source/content_hash.ts";

/** Bytes that differ from block to block. */
function someBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 9)) & 0xff;
  return bytes;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null
    ? null
    : bytes.reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
}

Deno.test("content hash of less than a block is the sha256 of its tail", () => {
  const bytes = someBytes(1000);
  const hash = new ContentHash();
  hash.update(bytes);
  const digests = hash.digests();
  assertEquals(digests.firstBlock, null);
  assertEquals(digests.chain, null);
  assertEquals(hex(digests.tail), sha256(bytes));
});

Deno.test("content hash does not depend on how the bytes were cut", () => {
  const bytes = someBytes(2 * BLOCK_BYTES + 12_345);
  const whole = new ContentHash();
  whole.update(bytes);
  const pieces = new ContentHash();
  for (let from = 0; from < bytes.length; from += 99_991) {
    pieces.update(bytes.subarray(from, from + 99_991));
  }
  assert(sameDigests(whole.digests(), pieces.digests()));
  assertEquals(hex(whole.digests().firstBlock), sha256(bytes.subarray(0, BLOCK_BYTES)));
  assertEquals(
    hex(whole.digests().lastBlock),
    sha256(bytes.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES)),
  );
  assertEquals(hex(whole.digests().tail), sha256(bytes.subarray(2 * BLOCK_BYTES)));
});

Deno.test("content hash goes on after a restart from its blocks and the bytes of the tail", () => {
  const bytes = someBytes(3 * BLOCK_BYTES + 500);
  const stop = BLOCK_BYTES + 700_000;
  const before = new ContentHash();
  before.update(bytes.subarray(0, stop));
  const resumed = ContentHash.afterBlocks(before.digests());
  resumed.update(bytes.subarray(BLOCK_BYTES, stop));
  assert(sameDigests(resumed.digests(), before.digests()));
  resumed.update(bytes.subarray(stop));
  const whole = new ContentHash();
  whole.update(bytes);
  assert(sameDigests(resumed.digests(), whole.digests()));
});

Deno.test("content hash notices one changed bit in any block and in the tail", () => {
  const bytes = someBytes(2 * BLOCK_BYTES + 10);
  const whole = new ContentHash();
  whole.update(bytes);
  for (const at of [0, BLOCK_BYTES, 2 * BLOCK_BYTES - 1, 2 * BLOCK_BYTES + 9]) {
    const changed = bytes.slice();
    changed[at]! ^= 1;
    const other = new ContentHash();
    other.update(changed);
    assert(!sameDigests(whole.digests(), other.digests()), `byte ${at}`);
  }
});

Deno.test("a clone of a content hash is not moved by the original", () => {
  const hash = new ContentHash();
  hash.update(someBytes(100));
  const clone = hash.clone();
  const before = clone.digests();
  hash.update(someBytes(BLOCK_BYTES));
  assert(sameDigests(clone.digests(), before));
  assert(!sameDigests(hash.digests(), before));
});
