import type { TrackedFile } from "./tracked_file.ts";

/** The files that are done, by size: where to look for one of the same content. */
export class DoneFiles {
  readonly #bySize = new Map<number, Set<TrackedFile>>();

  add(file: TrackedFile): void {
    const files = this.#bySize.get(file.readByte) ?? new Set();
    this.#bySize.set(file.readByte, files.add(file));
  }

  /** To be called while the file's size is still the one it was added with. */
  delete(file: TrackedFile): void {
    const files = this.#bySize.get(file.readByte);
    if (files?.delete(file) && files.size === 0) this.#bySize.delete(file.readByte);
  }

  ofSize(sizeBytes: number): TrackedFile[] {
    return [...this.#bySize.get(sizeBytes) ?? []];
  }
}
