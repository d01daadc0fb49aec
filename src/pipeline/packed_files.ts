/**
 * What the ledger says of files, as numbers: a place in a table of them costs a seventh of an object.
 * The few things that are no numbers, and that few files have, are kept aside.
 */
import type { JournalFile } from "../checkpoint/journal_codec.ts";
import { FILE_STATES } from "../sink/ledger_file.ts";
import type { TrackedFile } from "./tracked_file.ts";

/** The numbers of a file, by their place in its row. */
const FIELDS = [
  "fileId",
  "generation",
  "revision",
  "committedByte",
  "committedLine",
  "provisionalFromByte",
  "loaded",
  "rejected",
  "duplicate",
  "contentMark",
] as const;
const GENERATION = FIELDS.indexOf("generation");
const REVISION = FIELDS.indexOf("revision");
const COMMITTED_BYTE = FIELDS.indexOf("committedByte");
const COMMITTED_LINE = FIELDS.indexOf("committedLine");
const CONTENT_MARK = FIELDS.indexOf("contentMark");
/** After them come those of its stat, and its state as its place in `FILE_STATES`. */
const SIZE = FIELDS.length;
const MODIFIED = SIZE + 1;
const INODE = SIZE + 2;
const STATE = SIZE + 3;
const WIDTH = SIZE + 4;

/** Files in one piece of memory: it grows by pieces, and is never copied. */
const PIECE_FILES = 4_096;

/** Of files that have a reason or were put away. */
type Rare = Pick<TrackedFile, "reason" | "archivedPath" | "isArchived" | "isDeleted">;

/** What is to be known of a file to find it by its content. */
export type FileContent = Pick<TrackedFile, "fileId" | "readByte" | "contentMark">;

const NOTHING_RARE: Rare = {
  reason: null,
  archivedPath: null,
  isArchived: false,
  isDeleted: false,
};

export class PackedFiles {
  readonly #pieces: Float64Array[] = [];
  readonly #paths: string[] = [];
  readonly #rare = new Map<number, Rare>();
  readonly #free: number[] = [];
  #end = 0;

  /** @returns the number that the file is asked for by */
  add(file: TrackedFile): number {
    const number = this.#free.pop() ?? this.#end++;
    const { piece, from } = this.#rowOf(number);
    this.#paths[number] = file.path;
    for (let index = 0; index < FIELDS.length; index++) {
      piece[from + index] = file[FIELDS[index]!] ?? NaN;
    }
    piece[from + SIZE] = file.stat?.sizeBytes ?? NaN;
    piece[from + MODIFIED] = file.stat?.modifiedMs ?? NaN;
    piece[from + INODE] = file.stat?.inode ?? NaN;
    piece[from + STATE] = FILE_STATES.indexOf(file.state);
    const { reason, archivedPath, isArchived, isDeleted } = file;
    if (reason !== null || archivedPath !== null || isArchived || isDeleted) {
      this.#rare.set(number, { reason, archivedPath, isArchived, isDeleted });
    }
    return number;
  }

  /** The file, as an object of the caller's. */
  read(number: number): TrackedFile {
    const { piece, from } = this.#rowOf(number);
    const value = (index: number) => piece[from + index]!;
    const sizeBytes = orNull(value(SIZE));
    return {
      path: this.pathOf(number),
      fileId: value(0),
      generation: value(1),
      revision: value(2),
      committedByte: value(3),
      committedLine: value(4),
      readByte: value(3),
      readLine: value(4),
      provisionalFromByte: orNull(value(5)),
      loaded: value(6),
      rejected: value(7),
      duplicate: value(8),
      contentMark: orNull(value(9)),
      stat: sizeBytes === null
        ? null
        : { sizeBytes, modifiedMs: value(MODIFIED), inode: orNull(value(INODE)) },
      state: FILE_STATES[value(STATE)]!,
      digests: null,
      ...this.#rare.get(number) ?? NOTHING_RARE,
    };
  }

  pathOf(number: number): string {
    return this.#paths[number]!;
  }

  /** How far the file is, as a journal has it. */
  place(number: number): JournalFile {
    const { piece, from } = this.#rowOf(number);
    return {
      path: this.pathOf(number),
      generation: piece[from + GENERATION]!,
      committedByte: piece[from + COMMITTED_BYTE]!,
      committedLine: piece[from + COMMITTED_LINE]!,
      revision: piece[from + REVISION]!,
    };
  }

  /** The content of a file that is done; null of another one. */
  doneContent(number: number): FileContent | null {
    const { piece, from } = this.#rowOf(number);
    if (FILE_STATES[piece[from + STATE]!] !== "done") return null;
    return {
      fileId: piece[from]!,
      readByte: piece[from + COMMITTED_BYTE]!,
      contentMark: orNull(piece[from + CONTENT_MARK]!),
    };
  }

  isPutAway(number: number): boolean {
    const rare = this.#rare.get(number);
    return rare !== undefined && (rare.archivedPath !== null || rare.isDeleted);
  }

  /** Its number may be another file's from here on. */
  remove(number: number): void {
    this.#rare.delete(number);
    this.#free.push(number);
  }

  #rowOf(number: number): { piece: Float64Array; from: number } {
    const index = Math.floor(number / PIECE_FILES);
    const piece = this.#pieces[index] ??= new Float64Array(PIECE_FILES * WIDTH);
    return { piece, from: number % PIECE_FILES * WIDTH };
  }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
