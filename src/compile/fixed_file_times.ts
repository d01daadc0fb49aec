/**
 * `deno compile` writes down when each file that it embeds was last changed: those of npm packages
 * when they were put into Deno's cache. So no two machines would make the same executable.
 *
 * The files' names and times are JSON, behind its size in 8 bytes, little-endian; times are
 * milliseconds since 1970.
 */

const BEGINNING = new TextEncoder().encode('[{"Dir":{"n":"');
const SIZE_BYTES = 8;

/**
 * Sets all of them to one time, in place.
 *
 * @param executable As `deno compile` made it, and not signed.
 * @throws if its layout is another
 */
export function fixFileTimes(executable: Uint8Array<ArrayBuffer>, epochSeconds: number): void {
  const view = new DataView(executable.buffer, executable.byteOffset, executable.length);
  const sizeAt = (byte: number) => Number(view.getBigUint64(byte, true));
  // what Deno embeds ends with its own size
  const denoStart = executable.length - sizeAt(executable.length - SIZE_BYTES);
  const startByte = find(executable, BEGINNING, denoStart);
  if (startByte < SIZE_BYTES) throw unknownLayout();
  const sizeBytes = sizeAt(startByte - SIZE_BYTES);
  if (startByte + sizeBytes > executable.length) throw unknownLayout();
  const json = executable.subarray(startByte, startByte + sizeBytes);
  // one character a byte: places in the text are places in the bytes
  const text = new TextDecoder("latin1").decode(json);
  const time = String(epochSeconds * 1000);
  let count = 0;
  for (const match of text.matchAll(/(?<="t":)\d+(?=\})/g)) {
    if (match[0].length !== time.length) throw unknownLayout();
    json.set(new TextEncoder().encode(time), match.index);
    count++;
  }
  if (count === 0) throw unknownLayout();
}

function find(bytes: Uint8Array, sought: Uint8Array, fromByte: number): number {
  if (fromByte < 0) return -1;
  for (let start = fromByte;; start++) {
    start = bytes.indexOf(sought[0]!, start);
    if (start < 0 || sought.every((byte, index) => bytes[start + index] === byte)) return start;
  }
}

function unknownLayout(): Error {
  return new Error("`deno compile` no longer writes down files as is known here");
}
