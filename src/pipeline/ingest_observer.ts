import type { JournalStanding } from "../checkpoint/compare_journal.ts";
import type { BatchStages } from "../sink/batch_stages.ts";

/** A file's part in a batch that is now durable. */
export interface CommittedFile {
  readonly path: string;
  /** The file is committed to its present end. */
  readonly isDone: boolean;
  /** When it was last changed, as last seen (ms since 1970); null of a stream. */
  readonly modifiedMs: number | null;
}

/** What is known to be in the folder and has not committed. */
export interface Backlog {
  readonly files: number;
  readonly sizeBytes: number;
  /** Of the files that wait to be read: when the one was changed that waits longest; null of none. */
  readonly oldestModifiedMs: number | null;
}

export interface CommittedBatch {
  readonly files: readonly CommittedFile[];
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly sizeBytes: number;
  readonly rejectsByCode: ReadonlyMap<string, number>;
  readonly stages: Readonly<BatchStages>;
  /** Bytes known to be in the folder that have not committed; null for a stream. */
  readonly backlogBytes: number | null;
}

export interface StartFacts {
  readonly epoch: number;
  readonly source: string;
  readonly table: string;
  /** What was made or migrated, in sentences. */
  readonly did: readonly string[];
  readonly backlog: (() => Backlog) | null;
}

export interface FileTrouble {
  readonly path: string;
  /** What it is now. */
  readonly state: "failed" | "held";
  /** Why it failed, for programs; null of one that is held. */
  readonly code: string | null;
  /** Why, in a sentence. */
  readonly reason: string;
}

/** Everything an ingester tells, one method a fact. None may throw or wait. */
export interface IngestObserver {
  /** Another ingester owns the pipeline; this one stands by. */
  standby(): void;
  /**
   * The database is there, the ledger was read, files are being looked at. `backlog` may be asked at
   * any time until the next start; null of a stream.
   */
  started(facts: StartFacts): void;
  /** Everything that was there at the start has been seen. */
  scanned(): void;
  /**
   * The loop came round. It does so every few seconds whatever it waits for, but for a transaction
   * that takes longer, unless something hangs.
   */
  turned(): void;
  committed(batch: CommittedBatch): void;
  /** Nothing is left to do for now. */
  caughtUp(): void;
  /** A file cannot be loaded. */
  fileTrouble(facts: FileTrouble): void;
  /** Something was noticed about a file that is no trouble. */
  fileNote(facts: { path: string; note: string }): void;
  /** A file could not be looked at or read; it is tried again. */
  readError(facts: { path: string; error: unknown; retryMs: number }): void;
  journal(facts: JournalStanding | { kind: "damaged" | "torn" | "missing"; detail: string }): void;
  /** The journal cannot be written (null: it can be again). */
  journalTrouble(error: unknown | null): void;
  /**
   * The database failed in a way that may pass, and is tried again until it does. Told when it
   * begins (`awayMs` is 0) and at intervals while it lasts; `hasStood` if it worked before.
   */
  outage(facts: { error: unknown; awayMs: number; hasStood: boolean }): void;
  /** The outage is over: something was loaded, or nothing is left to load. */
  recovered(facts: { awayMs: number }): void;
}
