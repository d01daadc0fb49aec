/**
 * The stretch of input a scanner looks at. Memory stays bounded: it grows only when what must be
 * kept leaves too little room, and never beyond the longest record and one chunk.
 */

/** The window's first size, in bytes: reads of 256 KiB are few, and still fit the cache. */
const CHUNK_BYTES = 256 * 1024;
/** With less room than this behind its content the window is moved; half a chunk is worth a read. */
const MIN_ROOM_BYTES = CHUNK_BYTES / 2;

export class ScanWindow {
  /** `[0, filled)` is input. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(CHUNK_BYTES);
  filled = 0;
  /** Place in the file of `bytes[0]`. */
  startByte = 0;
  readonly #maxBytes: number;

  /** @param options `maxKeptBytes`: how much `makeRoom` is ever told to keep */
  constructor(options: { maxKeptBytes: number }) {
    this.#maxBytes = options.maxKeptBytes + CHUNK_BYTES;
  }

  /** What is free behind the content. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(this.filled);
  }

  /**
   * Sees to it that there is room for a read, if need be by dropping what lies before `keepFrom`.
   * @returns by how much the content moved towards the window's start
   */
  makeRoom(keepFrom: number): number {
    if (this.bytes.length - this.filled >= MIN_ROOM_BYTES) return 0;
    const keptBytes = this.filled - keepFrom;
    if (this.bytes.length - keptBytes >= MIN_ROOM_BYTES) {
      this.bytes.copyWithin(0, keepFrom, this.filled);
    } else {
      const larger = new Uint8Array(Math.min(2 * this.bytes.length, this.#maxBytes));
      larger.set(this.bytes.subarray(keepFrom, this.filled));
      this.bytes = larger;
    }
    this.filled = keptBytes;
    this.startByte += keepFrom;
    return keepFrom;
  }

  /** Empties it, to go on at another place of the input, or of another one. */
  restart(startByte: number): void {
    this.filled = 0;
    this.startByte = startByte;
  }

  /** Takes in the first `byteCount` bytes of `room`. */
  grow(byteCount: number): void {
    const freeBytes = this.bytes.length - this.filled;
    if (byteCount < 0 || byteCount > freeBytes) {
      throw new RangeError(`grow: ${byteCount} bytes; expected 0 to ${freeBytes}`);
    }
    this.filled += byteCount;
  }
}
