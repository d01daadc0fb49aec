import type { JournalFile } from "../checkpoint/journal_codec.ts";
import type { FileStat } from "../source/byte_source.ts";
import type { ContentDigests } from "../source/content_hash.ts";
import type { FileState, LedgerFile } from "../sink/ledger_file.ts";

/**
 * A file as this session knows it: what the ledger says, and how far it has been read beyond.
 * Invariant: committedByte <= readByte; they are equal when no batch carries the file.
 */
export interface TrackedFile {
  readonly path: string;
  fileId: number;
  generation: number;
  revision: number;
  state: FileState;
  /** At the last look; null before the first one. */
  stat: FileStat | null;
  committedByte: number;
  committedLine: number;
  /** [0, readByte) has been handed to batches. */
  readByte: number;
  /** Physical lines that end before readByte. */
  readLine: number;
  provisionalFromByte: number | null;
  /** Counts of what is committed. */
  loaded: number;
  rejected: number;
  duplicate: number;
  reason: string | null;
  /** These three as the ledger explains them. */
  archivedPath: string | null;
  isArchived: boolean;
  isDeleted: boolean;
  /** How it looked at the last look of this process, and since when it has (ms since 1970). */
  lastLook?: { readonly stat: FileStat; readonly sinceMs: number };
  /** Of the content, where it is found among others of its kind; null before the first batch. */
  contentMark: number | null;
  /** Of [0, readByte), if this session read any of it; else they are in the ledger. */
  digests: ContentDigests | null;
}

export function trackFile(file: LedgerFile): TrackedFile {
  return {
    path: file.path,
    fileId: file.fileId,
    generation: file.generation,
    revision: file.revision,
    state: file.state,
    stat: file.stat,
    committedByte: file.committedByte,
    committedLine: file.committedLine,
    readByte: file.committedByte,
    readLine: file.committedLine,
    provisionalFromByte: file.provisionalFromByte,
    loaded: file.loaded,
    rejected: file.rejected,
    duplicate: file.duplicate,
    reason: file.reason,
    archivedPath: file.archivedPath,
    isArchived: file.isArchived,
    isDeleted: file.isDeleted,
    contentMark: file.contentMark,
    digests: null,
  };
}

export function isUnchanged(a: FileStat | null, b: FileStat): boolean {
  return a !== null && a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs &&
    a.inode === b.inode;
}

/** True if the file is not where it was read, or about not to be. */
export function isPutAway({ archivedPath, isDeleted }: TrackedFile): boolean {
  return archivedPath !== null || isDeleted;
}

/** As the journal has it. */
export function journalFile(file: TrackedFile): JournalFile {
  const { path, generation, committedByte, committedLine, revision } = file;
  return { path, generation, committedByte, committedLine, revision };
}
