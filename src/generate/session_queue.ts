/** Something that happens next at a known time. */
export interface Timed {
  nextMs: number;
}

/**
 * Holds what waits for its time, earliest first: a binary min-heap.
 * Invariant: no entry is later than the two below it.
 */
export class SessionQueue<T extends Timed> {
  readonly #heap: T[] = [];

  /** The earliest; undefined if nothing waits. */
  get first(): T | undefined {
    return this.#heap[0];
  }

  push(entry: T): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above] as T;
      if (other.nextMs <= entry.nextMs) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = entry;
  }

  /** Puts the first in its place again, after its time was moved on. */
  settleFirst(): void {
    const first = this.#heap[0];
    if (first !== undefined) this.#sink(first);
  }

  removeFirst(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
  }

  /** Puts the entry in at the top and lets it sink to where it belongs. */
  #sink(entry: T): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let other = heap[below];
      if (other === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && right.nextMs < other.nextMs) {
        other = right;
        below++;
      }
      if (entry.nextMs <= other.nextMs) break;
      heap[at] = other;
      at = below;
    }
    heap[at] = entry;
  }
}
