import type { FileStat } from "../source/byte_source.ts";

/** As the ledger's table `files` explains them. */
export const FILE_STATES = [
  "open",
  "done",
  "failed",
  "held",
  "same",
  "superseded",
  "undone",
  "skipped",
] as const;

export type FileState = typeof FILE_STATES[number];

/** One generation of a file, as the ledger has it. */
export interface LedgerFile {
  readonly fileId: number;
  /** Relative to the source; for a stream, its source id. */
  readonly path: string;
  readonly generation: number;
  /** As last written down; null for a stream and for a file never looked at. */
  readonly stat: FileStat | null;
  readonly committedByte: number;
  /** How many physical lines end in the committed bytes. */
  readonly committedLine: number;
  /** Start of a last record that was taken without its newline. */
  readonly provisionalFromByte: number | null;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  /** Where it was moved to after it was loaded, or is about to be, absolute; null while it stays. */
  readonly archivedPath: string | null;
  /** It was moved there, and seen to be what was committed. */
  readonly isArchived: boolean;
  /** It was deleted after it was loaded. */
  readonly isDeleted: boolean;
  /** Mark of the committed bytes (`contentMark`); null before the first batch. */
  readonly contentMark: number | null;
  readonly state: FileState;
  readonly reason: string | null;
  /** Raised by everything that moves the file other than a batch. */
  readonly revision: number;
}
