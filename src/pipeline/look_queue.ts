import type { Candidate } from "../source/folder_scan.ts";

/** Taken entries beyond so many, and beyond half, are dropped. */
const COMPACT_ENTRIES = 1_000;

/**
 * Files that wait for a look, each path once, in the order in which they came. Not a Map alone:
 * finding its first entry takes as long as there are entries that were deleted before it.
 */
export class LookQueue {
  readonly #candidates = new Map<string, Candidate>();
  /** Of those that were read in part before: how far. */
  readonly #readBytes = new Map<string, number>();
  #paths: string[] = [];
  #head = 0;
  #sizeBytes = 0;

  /** What is still to be read of the files that wait, as they were seen. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get size(): number {
    return this.#candidates.size;
  }

  /**
   * Of a path that waits already only what was seen of it changes.
   * @param readByte how far the file was read before
   */
  put(candidate: Candidate, readByte = 0): void {
    const { path } = candidate;
    const before = this.#candidates.get(path);
    if (before === undefined) this.#paths.push(path);
    else this.#sizeBytes -= this.#unreadBytes(before);
    this.#candidates.set(path, candidate);
    if (readByte > 0) this.#readBytes.set(path, readByte);
    this.#sizeBytes += this.#unreadBytes(candidate);
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
    const candidate = this.#candidates.get(path)!;
    this.#sizeBytes -= this.#unreadBytes(candidate);
    this.#candidates.delete(path);
    this.#readBytes.delete(path);
    return candidate;
  }

  /** The paths that wait, the next one first. */
  *paths(): Generator<string> {
    for (let index = this.#head; index < this.#paths.length; index++) yield this.#paths[index]!;
  }

  /** When the one was changed that was changed first (ms since 1970); null if none waits. */
  oldestModifiedMs(): number | null {
    let oldestMs = Infinity;
    for (const { modifiedMs } of this.#candidates.values()) {
      oldestMs = Math.min(oldestMs, modifiedMs);
    }
    return oldestMs === Infinity ? null : oldestMs;
  }

  #unreadBytes({ path, sizeBytes }: Candidate): number {
    return Math.max(0, sizeBytes - (this.#readBytes.get(path) ?? 0));
  }
}
