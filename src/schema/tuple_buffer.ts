/**
 * Rows in PostgreSQL's binary COPY format, made in place.
 * @see https://www.postgresql.org/docs/current/sql-copy.html ("Binary Format")
 *
 * Invariant: `[0, length)` is the header and `rowCount` whole tuples, once `decode` has returned.
 * The `put` methods write without looking: `reserve` comes before them.
 */
const HEADER = Uint8Array.from([
  ...[0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00], // PGCOPY\n\377\r\n\0
  ...[0, 0, 0, 0], // flags
  ...[0, 0, 0, 0], // length of the header's extension
]);
/** Where the first tuple begins. */
export const COPY_HEADER_BYTES = HEADER.length;
/** What ends the input in place of a tuple's column count. */
const TRAILER = -1;
const TRAILER_BYTES = 2;
/**
 * Enough for a batch as it is by default, so that none is grown and copied. Pages that are never
 * written cost nothing; what growing leaves behind does, until it is collected.
 */
const FIRST_SIZE_BYTES = 4 * 1024 * 1024;
const BILLION = 1_000_000_000;
const TWO_TO_16 = 0x1_0000;
const TWO_TO_32 = 0x1_0000_0000;

export class TupleBuffer {
  bytes: Uint8Array<ArrayBuffer>;
  length = HEADER.length;
  rowCount = 0;
  #view: DataView;

  constructor({ firstSizeBytes = FIRST_SIZE_BYTES } = {}) {
    this.bytes = new Uint8Array(firstSizeBytes);
    this.bytes.set(HEADER);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Empties it; its memory is kept. */
  reset(): void {
    this.length = HEADER.length;
    this.rowCount = 0;
  }

  /** Makes sure that so many bytes can be put. */
  reserve(byteCount: number): void {
    if (this.length + byteCount + TRAILER_BYTES <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.bytes.length + byteCount));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  /** The whole input for COPY. A view, good until the next change; more tuples may follow. */
  finish(): Uint8Array {
    this.reserve(0);
    this.#view.setInt16(this.length, TRAILER);
    return this.bytes.subarray(0, this.length + TRAILER_BYTES);
  }

  putInt16(value: number): void {
    this.bytes[this.length++] = value >> 8;
    this.bytes[this.length++] = value;
  }

  putInt32(value: number): void {
    this.#view.setInt32(this.length, value);
    this.length += 4;
  }

  /** @param value a whole number that a double holds exactly */
  putInt64(value: number): void {
    const high = value >= 0 && value < TWO_TO_32 ? 0 : Math.floor(value / TWO_TO_32);
    this.#view.setInt32(this.length, high);
    this.#view.setUint32(this.length + 4, value - high * TWO_TO_32);
    this.length += 8;
  }

  /** Puts `billions` * 10^9 + `rest`, both whole: exact over all of int64. */
  putBillions(billions: number, rest: number): void {
    // billions is a * 2^16 + b, a * 10^9 is c * 2^16 + d; so the sum is c * 2^32, and d * 2^16
    // + b * 10^9 + rest, of which no part passes 2^53
    const a = Math.floor(billions / TWO_TO_16);
    const b = billions - a * TWO_TO_16;
    const c = Math.floor(a * BILLION / TWO_TO_16);
    const d = a * BILLION - c * TWO_TO_16;
    const low = d * TWO_TO_16 + b * BILLION + rest;
    const carry = Math.floor(low / TWO_TO_32);
    this.#view.setInt32(this.length, c + carry);
    this.#view.setUint32(this.length + 4, low - carry * TWO_TO_32);
    this.length += 8;
  }

  /** Copies `[start, end)` of `from`. */
  putBytes(from: Uint8Array, start: number, end: number): void {
    const { bytes } = this;
    let at = this.length;
    for (let index = start; index < end; index++) bytes[at++] = from[index]!;
    this.length = at;
  }

  /** A column that is null. */
  putNull(): void {
    this.putInt32(-1);
  }
}
