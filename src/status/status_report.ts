/** What `pgsluice status` tells. Counts and sizes are of what is committed, unless they say so. */
import type { JournalKind } from "../reconcile/judge_journal.ts";
import type { FileState } from "../sink/ledger_file.ts";
import type { RecentBatches } from "./recent_batches.ts";

export interface FileStatus {
  /** Relative to the source. */
  readonly path: string;
  /** 0 for a file that is not in the ledger yet. */
  readonly generation: number;
  /** `new`: in the folder, not in the ledger yet. */
  readonly state: FileState | "new";
  readonly reason: string | null;
  readonly committedBytes: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  /** Bytes in the folder behind the committed ones; null if the file could not be looked at. */
  readonly backlogBytes: number | null;
  /** ms since 1970 of the ledger's last move of it; null for a new file. */
  readonly updatedAtMs: number | null;
}

export interface Backlog {
  readonly files: number;
  readonly sizeBytes: number;
  /** ms since 1970 of the oldest last change of a file with bytes to load; null without backlog. */
  readonly oldestChangeMs: number | null;
}

/** Averages over the last minute, or since the first batch in it. */
export interface RecentRates {
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** How a pipeline's journal stands to the ledger. */
export interface JournalStatus {
  /** `level` is how it should be. */
  readonly kind: JournalKind;
  readonly detail: string;
  /** Null if nothing need be done. */
  readonly hint: string | null;
  readonly directory: string;
  readonly filesDiffering: number;
}

export interface PipelineStatus {
  readonly name: string;
  readonly sourceKind: "folder" | "stdin";
  /** The folder; `-` for streams. */
  readonly sourcePath: string;
  readonly targetTable: string;
  readonly timeZone: string;
  /** True if an ingester holds the pipeline. */
  readonly hasOwner: boolean;
  readonly committedBytes: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly filesByState: Readonly<Record<FileState, number>>;
  /** Null if the source cannot be looked at from here; `backlogUnknown` says why. */
  readonly backlog: Backlog | null;
  readonly backlogUnknown: string | null;
  /** Null if it is not looked at: it is where the ingester runs, on another machine. */
  readonly journal: JournalStatus | null;
  /** ms since 1970. */
  readonly lastBatchAtMs: number | null;
  /** Null if there was no batch in the last minute. */
  readonly lastMinute: RecentRates | null;
  /** Null if no batch tells of it. */
  readonly recentBatches: RecentBatches | null;
  /** Not done ones first, then by path; superseded generations are left out. */
  readonly files: readonly FileStatus[];
}

export interface StatusReport {
  /** ms since 1970, by the server's clock. */
  readonly atMs: number;
  readonly pipelines: readonly PipelineStatus[];
}
