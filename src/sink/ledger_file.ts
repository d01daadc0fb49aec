import type { FileStat } from "../source/byte_source.ts";

export type FileState = "open" | "done" | "failed" | "held" | "same" | "superseded";

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
  readonly state: FileState;
  readonly reason: string | null;
  /** Raised by everything that moves the file other than a batch. */
  readonly revision: number;
}
