import type { TupleBuffer } from "./tuple_buffer.ts";

/** Bytes of the hash that tells files and generations apart. */
const PREFIX_BYTES = 10;
const TWO_TO_32 = 0x1_0000_0000;

/**
 * The key of records whose CSV has none: a UUIDv8 of 74 bits of a hash (of pipeline, path and
 * generation; 80 bits less those of version and variant) and the 48 bits of the record's start
 * byte. The same after any retry, and ascending within a file, which spares the index.
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.8
 */
export class DerivedKey {
  readonly #prefix: Uint8Array;

  /** @param hash 10 bytes or more */
  constructor(hash: Uint8Array) {
    const prefix = hash.slice(0, PREFIX_BYTES);
    prefix[6] = prefix[6]! & 0x0f | 0x80;
    prefix[8] = prefix[8]! & 0x3f | 0x80;
    this.#prefix = prefix;
  }

  put(startByte: number, out: TupleBuffer): void {
    out.putInt32(16);
    out.putBytes(this.#prefix, 0, PREFIX_BYTES);
    out.putInt16(Math.floor(startByte / TWO_TO_32));
    out.putInt32(startByte | 0);
  }
}
