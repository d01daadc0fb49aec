import type { Random } from "./random.ts";

/** Rows remembered: more than most files hold. */
const CAPACITY_ROWS = 16_384;
/** Longer rows are not remembered; those of the built-in schema have some 130 bytes. */
const MAX_ROW_BYTES = 512;

/** Remembers the last valid rows, in 8 MiB, for sending some of them again. */
export class RecentRows {
  readonly #bytes = new Uint8Array(CAPACITY_ROWS * MAX_ROW_BYTES);
  readonly #sizes = new Uint16Array(CAPACITY_ROWS);
  #addedCount = 0;

  get isEmpty(): boolean {
    return this.#addedCount === 0;
  }

  /** Remembers the row `[startByte, endByte)` of these bytes, unless it is very long. */
  add(bytes: Uint8Array, { startByte, endByte }: { startByte: number; endByte: number }): void {
    if (endByte - startByte > MAX_ROW_BYTES) return;
    const slot = this.#addedCount % CAPACITY_ROWS;
    const rows = this.#bytes;
    let at = slot * MAX_ROW_BYTES;
    // for bytes as few as a row has, a loop beats making a view and a call of `set`
    for (let from = startByte; from < endByte; from++) rows[at++] = bytes[from] as number;
    this.#sizes[slot] = endByte - startByte;
    this.#addedCount++;
  }

  /**
   * One of the rows, shared with this memory; a near one is more likely: its distance is spread
   * evenly over the orders of magnitude, as that of messages sent twice, by a retry at once or by a
   * replay later. There must be one.
   */
  pick(random: Random): Uint8Array {
    const rowCount = Math.min(this.#addedCount, CAPACITY_ROWS);
    const distance = Math.floor(rowCount ** random.fraction());
    const slot = (this.#addedCount - distance) % CAPACITY_ROWS;
    const at = slot * MAX_ROW_BYTES;
    return this.#bytes.subarray(at, at + (this.#sizes[slot] as number));
  }
}
