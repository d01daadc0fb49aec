import type { ByteSource } from "../source/byte_source.ts";
import { ContentHash } from "../source/content_hash.ts";

const READ_BYTES = 1024 * 1024;

/** Hashes the first bytes of the source. @returns null if it has fewer than `sizeBytes` */
export async function hashContent(
  source: ByteSource,
  sizeBytes: number,
): Promise<ContentHash | null> {
  const hash = new ContentHash();
  const buffer = new Uint8Array(Math.min(READ_BYTES, Math.max(1, sizeBytes)));
  for (let byte = 0; byte < sizeBytes;) {
    const wanted = buffer.subarray(0, Math.min(buffer.length, sizeBytes - byte));
    const byteCount = await source.read(byte, wanted);
    if (byteCount === 0) return null;
    hash.update(buffer.subarray(0, byteCount));
    byte += byteCount;
  }
  return hash;
}
