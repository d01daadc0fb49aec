/**
 * Gives the events of a generated CSV random keys (version 4) in place of their time-ordered ones.
 * A new key is a function of the old one: repeated events stay repeated, and the same files come
 * out each time.
 */
const KEY_LENGTH = 36;
const DASHES = [8, 13, 18, 23] as const;
const DASH = 0x2d;
const LF = 0x0a;
const ROUNDS = 3;

/** Changes the bytes. What is no key at the start of a line stays as it is. */
export function randomizeKeys(bytes: Uint8Array): void {
  const words = new Uint32Array(4);
  for (let at = 0; at !== -1 && at < bytes.length;) {
    if (readKey(bytes, at, words)) {
      mix(words);
      words[1] = words[1]! & 0xffff0fff | 0x4000;
      words[2] = words[2]! & 0x3fffffff | 0x80000000;
      writeKey(bytes, at, words);
    }
    const newline = bytes.indexOf(LF, at);
    at = newline === -1 ? -1 : newline + 1;
  }
}

function readKey(bytes: Uint8Array, start: number, words: Uint32Array): boolean {
  if (start + KEY_LENGTH > bytes.length) return false;
  let digits = 0;
  for (let index = 0; index < KEY_LENGTH; index++) {
    const byte = bytes[start + index]!;
    if ((DASHES as readonly number[]).includes(index)) {
      if (byte !== DASH) return false;
      continue;
    }
    const digit = byte >= 0x61 ? byte - 0x57 : byte - 0x30;
    if (digit < 0 || digit > 15) return false;
    words[digits >> 3] = words[digits >> 3]! << 4 | digit;
    digits++;
  }
  return true;
}

function writeKey(bytes: Uint8Array, start: number, words: Uint32Array): void {
  let digits = 0;
  for (let index = 0; index < KEY_LENGTH; index++) {
    if ((DASHES as readonly number[]).includes(index)) continue;
    const digit = words[digits >> 3]! >>> (28 - 4 * (digits & 7)) & 15;
    bytes[start + index] = digit < 10 ? 0x30 + digit : 0x57 + digit;
    digits++;
  }
}

/** One to one on 128 bits, so that no two keys fall together before the version is set. */
function mix(words: Uint32Array): void {
  for (let step = 0; step < 4 * ROUNDS; step++) {
    words[step & 3] = scramble(words[step & 3]! + words[(step + 3) & 3]! + step);
  }
}

/** @see MurmurHash3's finalizer: one to one on 32 bits. */
function scramble(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}
