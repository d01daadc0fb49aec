/** What `pgsluice status --watch` shows. Everything is of what is committed, unless it says so. */
import type { FileState } from "../sink/ledger_file.ts";
import type { RecentBatches } from "./recent_batches.ts";
import type { Backlog, JournalStatus } from "./status_report.ts";

/** So many whole seconds are kept of the past. */
export const PAST_SECONDS = 60;

/** So many of the newest rejects are counted by code: there may be millions. */
export const COUNTED_REJECTS = 1_000;

/** What was committed in one second. */
export interface Second {
  readonly records: number;
  readonly sizeBytes: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly batches: number;
}

/** What is told of a pipeline by itself. */
export interface WatchedPipeline {
  readonly pipelineId: number;
  readonly name: string;
  readonly sourceKind: "folder" | "stdin";
  readonly sourceHost: string;
  /** The folder; `-` for streams. */
  readonly sourcePath: string;
  readonly targetTable: string;
  readonly timeZone: string;
  /** True if an ingester holds the pipeline. */
  readonly hasOwner: boolean;
  /** ms since 1970. */
  readonly lastBatchAtMs: number | null;
}

export interface Totals {
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly committedBytes: number;
  readonly filesByState: Readonly<Partial<Record<FileState, number>>>;
  /** Most frequent first, of the newest rejects of the database. */
  readonly rejectCodes: readonly { readonly code: string; readonly count: number }[];
  /**
   * From a file's last change to the commit of what was last read of it, of the files committed in
   * the last minute; null if there are none. By two clocks, if the server is another machine.
   */
  readonly latency: {
    readonly files: number;
    readonly medianMs: number;
    readonly p95Ms: number;
    readonly p99Ms: number;
  } | null;
  /** Null if no batch tells of it. */
  readonly recentBatches: RecentBatches | null;
}

/** What the folder holds beyond the ledger. */
export interface FolderStanding {
  /** When it was looked at, by the server's clock, ms since 1970. */
  readonly lookedAtMs: number;
  /** Null if the source cannot be looked at from here; `backlogUnknown` says why. */
  readonly backlog: Backlog | null;
  readonly backlogUnknown: string | null;
  /** Bytes of all that has come so far, committed or not, read or refused; null without a look. */
  readonly arrivedBytes: number | null;
  /** All of the backlog are files that are read to a last record without its newline. */
  readonly isUnfinished: boolean;
}

/** Of what is dear to find out it is null until that was found out. */
export interface PipelinePicture extends WatchedPipeline {
  /** The last whole seconds, the oldest first: `PAST_SECONDS` of them. */
  readonly past: readonly Second[];
  readonly totals: Totals | null;
  readonly folder: FolderStanding | null;
  /** Null as well if it is not looked at: it is where the ingester runs, on another machine. */
  readonly journal: JournalStatus | null;
}

export interface WatchPicture {
  /** ms since 1970, by the server's clock. */
  readonly atMs: number;
  /** Ingesters that wait for another one to end. */
  readonly standbys: number;
  readonly pipelines: readonly PipelinePicture[];
  /** If the one that was asked for is not there: those that are. Else empty. */
  readonly otherNames: readonly string[];
}
