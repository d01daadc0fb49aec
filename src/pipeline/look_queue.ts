import type { Candidate } from "../source/folder_scan.ts";

/** Taken entries beyond so many, and beyond half, are dropped. */
const COMPACT_ENTRIES = 1_000;

/**
 * Files that wait for a look, each path once, in the order in which they came. Not a Map alone:
 * finding its first entry takes as long as there are entries that were deleted before it.
 */
export class LookQueue {
  readonly #candidates = new Map<string, Candidate>();
  #paths: string[] = [];
  #head = 0;

  get size(): number {
    return this.#candidates.size;
  }

  /** Of a path that waits already only what was seen of it changes. */
  put(candidate: Candidate): void {
    if (!this.#candidates.has(candidate.path)) this.#paths.push(candidate.path);
    this.#candidates.set(candidate.path, candidate);
  }

  /** Takes the first one out. */
  take(): Candidate | undefined {
    const path = this.#paths[this.#head];
    if (path === undefined) return undefined;
    this.#head++;
    if (this.#head > COMPACT_ENTRIES && 2 * this.#head > this.#paths.length) {
      this.#paths = this.#paths.slice(this.#head);
      this.#head = 0;
    }
    const candidate = this.#candidates.get(path);
    this.#candidates.delete(path);
    return candidate;
  }

  /** The paths that wait, the next one first. */
  *paths(): Generator<string> {
    for (let index = this.#head; index < this.#paths.length; index++) yield this.#paths[index]!;
  }
}
