/** Binary COPY input with its tuples in the order of their first column, which is the key. */

/** Signature, flags, and the length of an extension that is not there. */
const HEADER_BYTES = 19;
const COLUMN_COUNT_BYTES = 2;
const LENGTH_BYTES = 4;
const KEY_BYTES = 16;

/** @param bytes whole, as `TupleBuffer.finish` gives it, with a uuid in front; not changed */
export function sortedTuples(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const tuples: { key: string; start: number; end: number }[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const start = at;
    const columnCount = view.getInt16(at);
    if (columnCount === -1) break; // the trailer
    at += COLUMN_COUNT_BYTES;
    const keyStart = at + LENGTH_BYTES;
    for (let column = 0; column < columnCount; column++) {
      const sizeBytes = view.getInt32(at);
      at += LENGTH_BYTES + Math.max(0, sizeBytes); // null is -1
    }
    const key = bytes.subarray(keyStart, keyStart + KEY_BYTES).toHex();
    tuples.push({ key, start, end: at });
  }
  tuples.sort((a, b) => a.key < b.key ? -1 : 1);
  const sorted = bytes.slice();
  let length = HEADER_BYTES;
  for (const { start, end } of tuples) {
    sorted.set(bytes.subarray(start, end), length);
    length += end - start;
  }
  return sorted;
}
