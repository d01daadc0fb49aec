import type { ByteSource } from "../source/byte_source.ts";

/** @returns null if the source ends before the range does */
export async function readRange(
  source: ByteSource,
  { startByte, sizeBytes }: { startByte: number; sizeBytes: number },
): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(sizeBytes);
  for (let length = 0; length < sizeBytes;) {
    const count = await source.read(startByte + length, bytes.subarray(length));
    if (count === 0) return null;
    length += count;
  }
  return bytes;
}
