/**
 * All files that a session knows, by path.
 *
 * Invariants: a file that `get` gave away is that one object for all who ask, until it was released
 * and `pack` found that nothing is under way with it; then only numbers of it are kept, so that
 * memory grows by some 300 bytes a file and not by an object's worth.
 */
import type { LedgerPlaces } from "../checkpoint/compare_journal.ts";
import type { LedgerFile } from "../sink/ledger_file.ts";
import { type FileContent, PackedFiles } from "./packed_files.ts";
import { isPutAway, journalFile, type TrackedFile, trackFile } from "./tracked_file.ts";

export class TrackedFiles {
  /** A number is a packed file's. */
  readonly #files = new Map<string, TrackedFile | number>();
  readonly #packed = new PackedFiles();
  #released = new Set<string>();
  /** How far each file is, as a journal has it; always as of now. */
  readonly places = placesOf(this.#files, this.#packed);

  get size(): number {
    return this.#files.size;
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** The file, to be changed; released by whoever is the last to do so. */
  get(path: string): TrackedFile | undefined {
    const file = this.#files.get(path);
    if (typeof file !== "number") return file;
    const unpacked = this.#packed.read(file);
    this.#packed.remove(file);
    this.#files.set(path, unpacked);
    return unpacked;
  }

  /** How the file is, only to be looked at and not to be kept. */
  peek(path: string): Readonly<TrackedFile> | undefined {
    const file = this.#files.get(path);
    return typeof file === "number" ? this.#packed.read(file) : file;
  }

  set(path: string, file: TrackedFile): void {
    const before = this.#files.get(path);
    if (typeof before === "number") this.#packed.remove(before);
    this.#files.set(path, file);
  }

  /** Takes a file as the ledger has it. */
  add(ledgerFile: LedgerFile): void {
    const file = trackFile(ledgerFile);
    this.set(file.path, file);
    if (isAtRest(file)) this.#files.set(file.path, this.#packed.add(file));
  }

  /**
   * Null if the file is not known, or was put away. Else its path: not a copy that the caller would
   * keep in memory a second time.
   */
  pathHere(path: string): string | null {
    const file = this.#files.get(path);
    if (typeof file === "number") {
      return this.#packed.isPutAway(file) ? null : this.#packed.pathOf(file);
    }
    return file === undefined || isPutAway(file) ? null : file.path;
  }

  /** Whoever changed the file is through with it, but for batches that still carry it. */
  release(path: string): void {
    this.#released.add(path);
  }

  /** To be called when nobody holds a file that was released. */
  pack(): void {
    if (this.#released.size === 0) return;
    for (const path of this.#released) {
      const file = this.#files.get(path);
      // what is under way is released again by its commit
      if (typeof file === "object" && isAtRest(file)) {
        this.#files.set(path, this.#packed.add(file));
      }
    }
    this.#released = new Set();
  }

  /** The contents of all files that are done. */
  *doneContents(): Generator<FileContent> {
    for (const file of this.#files.values()) {
      if (typeof file === "number") {
        const content = this.#packed.doneContent(file);
        if (content !== null) yield content;
      } else if (file.state === "done") yield file;
    }
  }

  /** Paths of the files that are not where they were read, or about not to be. */
  *putAwayPaths(): Generator<string> {
    for (const path of this.#files.keys()) if (this.pathHere(path) === null) yield path;
  }
}

/** True if no batch carries it, and no later look depends on what only this process knows. */
function isAtRest({ state, readByte, committedByte }: TrackedFile): boolean {
  return state !== "open" && readByte === committedByte;
}

function placesOf(
  files: ReadonlyMap<string, TrackedFile | number>,
  packed: PackedFiles,
): LedgerPlaces {
  const placeOf = (file: TrackedFile | number) =>
    typeof file === "number" ? packed.place(file) : journalFile(file);
  return {
    get size() {
      return files.size;
    },
    get(path) {
      const file = files.get(path);
      return file === undefined ? undefined : placeOf(file);
    },
    values: () => files.values().map(placeOf),
  };
}
