import type { DatabaseTarget } from "../database/database_target.ts";
import type { Migration } from "../database/migrate.ts";
import type { Probe } from "../probe.ts";
import type { Schema } from "../schema/schema.ts";
import type { OwnerTimes } from "../sink/pipeline_owner.ts";
import type { BatchLimits } from "./batcher.ts";

export type IngestSource =
  | {
    readonly kind: "folder";
    /** Real, absolute path. */
    readonly directory: string;
    /** Load what is there now, and end. */
    readonly once: boolean;
    /** Take files of the folders below as well. */
    readonly recursive: boolean;
    /** What becomes of a file that is committed to its end and unchanged for `settleMs`. */
    readonly after: AfterLoad;
    /** What becomes of a file with other bytes than were loaded, and no key to tell repeats. */
    readonly onReplaced: OnReplaced;
    /** In a pipeline that has no files yet: pass over those that are there. */
    readonly fromNow: boolean;
  }
  | {
    readonly kind: "stream";
    readonly stream: ReadableStream<Uint8Array>;
    /** Names a stream that is the same bytes from byte 0 each time. */
    readonly sourceId: string;
  };

export type AfterLoad =
  | { readonly kind: "keep" }
  /** Real, absolute path, on the same file system. */
  | { readonly kind: "archive"; readonly directory: string }
  | { readonly kind: "delete" };

/** Wait for a person; load it in place of what was loaded; load it in addition. */
export type OnReplaced = "hold" | "reload" | "add";

/** A file with more rejects loads nothing more. A share counts from 1,000 records on. */
export type RejectBudget =
  | { readonly kind: "count"; readonly rejects: number }
  | { readonly kind: "share"; readonly percent: number };

/** How long what may hang is waited for; each has its default. */
export interface IngestTimes {
  readonly owner?: OwnerTimes;
  /** A batch's transaction without progress is given up after so long. */
  readonly progressMs?: number;
  /** The sums by minute are merged so long after something came in. */
  readonly mergeMs?: number;
}

export interface IngestOptions {
  readonly target: DatabaseTarget;
  readonly schema: Schema;
  /** As the user wrote it. */
  readonly table: string;
  readonly pipelineName: string;
  readonly source: IngestSource;
  readonly timeZone: string;
  readonly maxRecordBytes: number;
  /** No batch is cut later. */
  readonly limits: BatchLimits;
  /** Null: only a file whose first 1,000 records are all rejects stops. */
  readonly maxRejects: RejectBudget | null;
  /** How many batches are in the database at a time, at most. */
  readonly connections: number;
  /** What is found out while it runs, up to those limits; else they are what is done. */
  readonly tuned?: { readonly batchRows: boolean; readonly connections: boolean };
  /** How long a file must be unchanged before what depends on its end is taken. */
  readonly settleMs: number;
  /** Do not stand by for another owner. */
  readonly noWait: boolean;
  /** Folder of all journals. */
  readonly checkpointsDirectory: string;
  /** Aborted: take in no more, finish the open batch, end. */
  readonly signal: AbortSignal;
  /** Hears what a person should know about connecting, as of a password file that is not used. */
  readonly say?: (text: string) => void;
  /** Shorter ones are for tests. */
  readonly times?: IngestTimes;
  /** Those of this version unless given; others are for tests of upgrades. */
  readonly migrations?: readonly Migration[];
  /** Of the crash campaigns. */
  readonly probe?: Probe;
}
