/** Tells whether a file is still the one that the ledger knows, by reading parts of it again. */
import {
  BLOCK_BYTES,
  type ContentDigests,
  ContentHash,
  sameDigests,
} from "../source/content_hash.ts";
import type { ByteSource } from "../source/byte_source.ts";

const READ_BYTES = 256 * 1024;

/**
 * Reads what a restart needs: the first complete block, the last one, and what follows it; of a
 * stream, whose begin is gone, only the latter.
 * @returns the hash, ready to go on at `byte`; null if the bytes are not the ones of `digests`
 */
export async function resumeHash(
  source: ByteSource,
  { byte, digests, tailOnly = false }: {
    byte: number;
    digests: ContentDigests;
    tailOnly?: boolean;
  },
): Promise<ContentHash | null> {
  const tailStart = byte - byte % BLOCK_BYTES;
  const blocks = tailOnly || tailStart === 0 ? [] : [
    { start: 0, expected: digests.firstBlock },
    { start: tailStart - BLOCK_BYTES, expected: digests.lastBlock },
  ];
  for (const { start, expected } of blocks) {
    const block = await hashRange(source, { start, end: start + BLOCK_BYTES });
    if (block === null || expected === null) return null;
    const found = block.digests();
    if (!sameDigests(found, { ...found, firstBlock: expected })) return null;
  }
  const hash = ContentHash.afterBlocks(digests);
  const isRead = await feed(hash, { source, start: tailStart, end: byte });
  return isRead && sameDigests(hash.digests(), digests) ? hash : null;
}

/** Hashes [start, end). Null if the source ends before. */
export async function hashRange(
  source: ByteSource,
  range: { start: number; end: number },
): Promise<ContentHash | null> {
  const hash = new ContentHash();
  return await feed(hash, { source, ...range }) ? hash : null;
}

/** The hash of [0, byte), from the blocks of `digests` of [0, laterByte) where they serve. */
export async function hashBefore(
  source: ByteSource,
  { byte, laterByte, digests }: { byte: number; laterByte: number; digests: ContentDigests },
): Promise<ContentHash | null> {
  const tailStart = laterByte - laterByte % BLOCK_BYTES;
  if (byte < tailStart) return await hashRange(source, { start: 0, end: byte });
  const hash = ContentHash.afterBlocks(digests);
  return await feed(hash, { source, start: tailStart, end: byte }) ? hash : null;
}

async function feed(
  hash: ContentHash,
  { source, start, end }: { source: ByteSource; start: number; end: number },
): Promise<boolean> {
  return await eachPart(source, { start, end, use: (part) => hash.update(part) });
}

/** @returns false if the source ends before `end` */
async function eachPart(
  source: ByteSource,
  { start, end, use }: { start: number; end: number; use: (part: Uint8Array) => void },
): Promise<boolean> {
  const buffer = new Uint8Array(Math.min(READ_BYTES, Math.max(1, end - start)));
  let byte = start;
  while (byte < end) {
    const byteCount = await source.read(
      byte,
      buffer.subarray(0, Math.min(buffer.length, end - byte)),
    );
    if (byteCount === 0) return false;
    use(buffer.subarray(0, byteCount));
    byte += byteCount;
  }
  return true;
}
