const LF = 0x0a;
const CR = 0x0d;

/** A record without the LF or CRLF that ends it. */
export function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  if (bytes[end - 1] === LF) end--;
  if (end < bytes.length && bytes[end - 1] === CR) end--;
  return bytes.subarray(0, end);
}
