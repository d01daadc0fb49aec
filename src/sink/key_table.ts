/** No hash. */
const EMPTY = 0;
/** With more than half of its slots taken the table is slow. */
const SLOTS_PER_HASH = 2;

/** A set of key hashes in one piece of memory, which is kept when it is filled anew. */
export class KeyTable {
  #slots = new Uint32Array(0);
  #mask = 0;

  /** Holds these hashes alone, none of which is 0. @param marks 1 is put where one comes again */
  fill(hashes: Uint32Array, marks: Uint8Array): void {
    this.#empty(hashes.length);
    const slots = this.#slots;
    for (let index = 0; index < hashes.length; index++) {
      const slot = this.#slotOf(hashes[index]!);
      if (slots[slot] === EMPTY) slots[slot] = hashes[index]!;
      else marks[index] = 1;
    }
  }

  /** @param marks 1 is put where the table holds the hash */
  markHeld(hashes: Uint32Array, marks: Uint8Array): void {
    const slots = this.#slots;
    for (let index = 0; index < hashes.length; index++) {
      if (slots[this.#slotOf(hashes[index]!)] !== EMPTY) marks[index] = 1;
    }
  }

  /** Makes room for so many. */
  #empty(count: number): void {
    const size = 2 ** Math.ceil(Math.log2(SLOTS_PER_HASH * count + 1));
    if (this.#slots.length < size) this.#slots = new Uint32Array(size);
    this.#slots.fill(EMPTY);
    this.#mask = this.#slots.length - 1;
  }

  /** Where the hash is, or would be. */
  #slotOf(hash: number): number {
    const slots = this.#slots;
    let slot = hash & this.#mask;
    while (slots[slot] !== EMPTY && slots[slot] !== hash) slot = slot + 1 & this.#mask;
    return slot;
  }
}
