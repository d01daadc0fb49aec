import type { DatabaseTarget } from "../database/database_target.ts";
import type { Schema } from "../schema/schema.ts";
import type { BatchLimits } from "./batcher.ts";

export type IngestSource =
  | {
    readonly kind: "folder";
    /** Real, absolute path. */
    readonly directory: string;
    /** Load what is there now, and end. */
    readonly once: boolean;
  }
  | {
    readonly kind: "stream";
    readonly stream: ReadableStream<Uint8Array>;
    /** Names a stream that is the same bytes from byte 0 each time. */
    readonly sourceId: string;
  };

export interface IngestOptions {
  readonly target: DatabaseTarget;
  readonly schema: Schema;
  /** As the user wrote it. */
  readonly table: string;
  readonly pipelineName: string;
  readonly source: IngestSource;
  readonly timeZone: string;
  readonly maxRecordBytes: number;
  readonly limits: BatchLimits;
  /** How many batches are in the database at a time. */
  readonly connections: number;
  /** How long a file must be unchanged before what depends on its end is taken. */
  readonly settleMs: number;
  /** Do not stand by for another owner. */
  readonly noWait: boolean;
  /** Folder of all journals. */
  readonly checkpointsDirectory: string;
  /** Aborted: take in no more, finish the open batch, end. */
  readonly signal: AbortSignal;
}
