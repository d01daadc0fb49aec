import { DAY_MS } from "./daily_rhythm.ts";

/** Room that the small writers of fixed size may take for granted. */
const SLACK_BYTES = 64;

const HEX = new TextEncoder().encode("0123456789abcdef");

const ZERO = 0x30;

/**
 * Bytes of CSV rows in the making. Grows as needed; `clear` keeps the memory for the next rows.
 * Invariant: at least 64 bytes are free between calls.
 */
export class RowBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  /** The day whose date is in `#date`, in days since 1970. */
  #day = -1;
  #date = new Uint8Array(11);

  constructor(initialBytes: number) {
    this.#bytes = new Uint8Array(initialBytes + SLACK_BYTES);
  }

  get length(): number {
    return this.#length;
  }

  /** What has been written, shared with the buffer: good until the next write. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The buffer itself; `[0, length)` is written. Another one may take its place on any write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  clear(): void {
    this.#length = 0;
  }

  writeByte(byte: number): void {
    this.#bytes[this.#length++] = byte;
    this.#reserve(0);
  }

  writeBytes(bytes: Uint8Array): void {
    const size = bytes.length;
    this.#reserve(size);
    const into = this.#bytes;
    let at = this.#length;
    // for short fields a loop beats the call into TypedArray.prototype.set
    if (size <= 16) {
      for (let index = 0; index < size; index++) into[at++] = bytes[index] as number;
    } else {
      into.set(bytes, at);
      at += size;
    }
    this.#length = at;
    this.#reserve(0);
  }

  /** A whole number from 0 to 99, without leading zeros. */
  writeSmall(value: number): void {
    if (value >= 10) this.#bytes[this.#length++] = ZERO + Math.floor(value / 10);
    this.#bytes[this.#length++] = ZERO + (value % 10);
    this.#reserve(0);
  }

  /** A UUIDv7 (RFC 9562, 5.7): 48 bits of epoch ms, 12 bits of `counter`, 62 random bits. */
  writeUuidV7(timeMs: number, bits: { idCounter: number; idHigh: number; idLow: number }): void {
    const timeHigh = Math.floor(timeMs / 0x1_0000);
    this.#hexPair(timeHigh >>> 16);
    this.#hexPair(timeHigh);
    this.#dash();
    this.#hexPair(timeMs - timeHigh * 0x1_0000);
    this.#dash();
    this.#hexPair(0x7000 | (bits.idCounter & 0xfff));
    this.#dash();
    this.#hexPair(0x8000 | ((bits.idHigh >>> 16) & 0x3fff));
    this.#dash();
    this.#hexPair(bits.idHigh);
    this.#hexPair(bits.idLow >>> 16);
    this.#hexPair(bits.idLow);
    this.#reserve(0);
  }

  /** `2026-11-24T19:38:40.123Z`, for the years 1970 to 9999. */
  writeInstant(timeMs: number): void {
    const day = Math.floor(timeMs / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      new TextEncoder().encodeInto(new Date(timeMs).toISOString().slice(0, 11), this.#date);
    }
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < 11; index++) bytes[at++] = this.#date[index] as number;
    const inDayMs = timeMs - day * DAY_MS;
    const seconds = (inDayMs / 1000) | 0;
    const ms = inDayMs - seconds * 1000;
    const hour = (seconds / 3600) | 0;
    const minute = ((seconds - hour * 3600) / 60) | 0;
    const second = seconds % 60;
    bytes[at++] = ZERO + ((hour / 10) | 0);
    bytes[at++] = ZERO + (hour % 10);
    bytes[at++] = 0x3a;
    bytes[at++] = ZERO + ((minute / 10) | 0);
    bytes[at++] = ZERO + (minute % 10);
    bytes[at++] = 0x3a;
    bytes[at++] = ZERO + ((second / 10) | 0);
    bytes[at++] = ZERO + (second % 10);
    bytes[at++] = 0x2e;
    bytes[at++] = ZERO + ((ms / 100) | 0);
    bytes[at++] = ZERO + (((ms / 10) | 0) % 10);
    bytes[at++] = ZERO + (ms % 10);
    bytes[at++] = 0x5a;
    this.#length = at;
    this.#reserve(0);
  }

  #dash(): void {
    this.#bytes[this.#length++] = 0x2d;
  }

  /** The lower 16 bits as four digits. */
  #hexPair(value: number): void {
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at] = HEX[(value >>> 12) & 15] as number;
    bytes[at + 1] = HEX[(value >>> 8) & 15] as number;
    bytes[at + 2] = HEX[(value >>> 4) & 15] as number;
    bytes[at + 3] = HEX[value & 15] as number;
    this.#length = at + 4;
  }

  #reserve(size: number): void {
    const needed = this.#length + size + SLACK_BYTES;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.written());
    this.#bytes = larger;
  }
}
