/** Of most rejects some hundred fit; what is larger has memory of its own. */
const SLAB_BYTES = 64 * 1024;

/**
 * Copies of many small pieces of bytes, side by side: a piece of memory of its own for each costs the
 * collector more than the bytes.
 */
export class ByteSlabs {
  #slab = new Uint8Array(SLAB_BYTES);
  #length = 0;

  /** @returns The copy, good until `reset()`. */
  copy(bytes: Uint8Array): Uint8Array {
    if (bytes.length > SLAB_BYTES / 8) return bytes.slice();
    if (this.#length + bytes.length > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#length = 0;
    }
    const start = this.#length;
    this.#slab.set(bytes, start);
    this.#length += bytes.length;
    return this.#slab.subarray(start, this.#length);
  }

  /** The memory is used again: nobody may look at the copies any more. */
  reset(): void {
    this.#length = 0;
  }
}
