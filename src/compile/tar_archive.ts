import { constants, gzipSync } from "node:zlib";

/** A file or folder of an archive; root owns all of them. */
export interface ArchiveEntry {
  /** With `/` between names; a folder's ends in one. Under 100 bytes. */
  readonly path: string;
  /** Nothing for a folder. */
  readonly content: string | Uint8Array<ArrayBuffer>;
  /** As in 0o644. */
  readonly mode: number;
}

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;

/**
 * An archive whose every byte follows from its entries and the time.
 *
 * @param epochSeconds The time of all entries.
 * @throws if a path is too long
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (ustar)
 */
export function tarArchive(
  entries: readonly ArchiveEntry[],
  epochSeconds: number,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const entry of entries) {
    const content = bytesOf(entry.content);
    parts.push(header(entry, { sizeBytes: content.length, epochSeconds }), content);
    parts.push(new Uint8Array(-content.length & (BLOCK_BYTES - 1)));
  }
  parts.push(new Uint8Array(2 * BLOCK_BYTES));
  return concatenate(parts);
}

/** Without name and time. */
export function gzip(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let startByte = 0;
  for (const part of parts) {
    whole.set(part, startByte);
    startByte += part.length;
  }
  return whole;
}

export function bytesOf(content: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

function header(
  { path, mode }: ArchiveEntry,
  { sizeBytes, epochSeconds }: { sizeBytes: number; epochSeconds: number },
): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (text: string, startByte: number) => {
    block.set(new TextEncoder().encode(text), startByte);
  };
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  if (bytesOf(path).length >= NAME_BYTES) throw new Error(`${path} is too long for an archive`);
  put(path, 0);
  put(octal(mode, 7), 100);
  put(octal(0, 7), 108); // owner and group
  put(octal(0, 7), 116);
  put(octal(sizeBytes, 11), 124);
  put(octal(epochSeconds, 11), 136);
  put(" ".repeat(8), 148); // counted as blanks in the sum
  put(path.endsWith("/") ? "5" : "0", 156);
  put("ustar\x0000", 257);
  put("root", 265);
  put("root", 297);
  put(`${octal(block.reduce((sum, byte) => sum + byte, 0), 6)}\0 `, 148);
  return block;
}
