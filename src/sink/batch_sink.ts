/**
 * One connection that carries batches, each in one transaction: the rows, the rejects, the places
 * of the duplicates and, last, the ledger's move.
 *
 * Invariant: when `commit` returns, the batch is durable; when it throws, whether it is must be
 * asked of the ledger.
 */
import type { TransactionSql } from "postgres";
import { connect, type DatabaseClient } from "../database/connect.ts";
import { copyIn } from "../database/copy_in.ts";
import type { DatabaseTarget } from "../database/database_target.ts";
import { sqlState } from "../database/fault.ts";
import { copySql } from "../schema/ddl.ts";
import type { Schema } from "../schema/schema.ts";
import type { Batch, Reject, RowPlace, Segment } from "./batch.ts";
import { type DuplicateRecord, type FileMove, keepRecords, moveFiles } from "./move_files.ts";
import { batchApplicationName } from "./pipeline_owner.ts";
import { insertStaged, type RepeatedRow, type StagingSql, stagingSql } from "./staging.ts";

/** A transaction that makes no progress for so long is given up; its outcome is unknown. */
const PROGRESS_DEADLINE_MS = 60_000;
/** So many staged batches in a row without a repeated key end the staging. */
const CLEAN_STRETCH_BATCHES = 8;

const UNIQUE_VIOLATION = "23505";

/** A batch's place in the order of commits. */
export interface CommitTurn {
  /**
   * Resolves when every older batch has committed.
   * @throws YieldToOlderError if an older one waits for locks this batch holds
   */
  wait(): Promise<void>;
  /** The same for a batch that holds no locks, and so need not yield. */
  waitWithoutLocks(): Promise<void>;
}

/** Roll back, let the older batch pass, do it again. */
export class YieldToOlderError extends Error {
  constructor() {
    super("an older batch waits for this one's locks");
    this.name = "YieldToOlderError";
  }
}

export interface CommitResult {
  readonly moves: readonly FileMove[];
  /** Those the batch came with, and the key conflicts. */
  readonly rejects: readonly Reject[];
  readonly loaded: number;
  readonly duplicate: number;
}

export interface BatchSinkOptions {
  readonly pipelineId: number;
  readonly epoch: number;
  readonly schema: Schema;
  /** The target, quoted. */
  readonly table: string;
}

export class BatchSink {
  /** The server process behind the connection. */
  readonly processId: number;
  readonly #client: DatabaseClient;
  readonly #options: BatchSinkOptions;
  readonly #copyIntoTable: string;
  readonly #copyIntoStaging: string;
  readonly #staging: StagingSql;
  #stagedBatchesLeft = 0;

  static async open(target: DatabaseTarget, options: BatchSinkOptions): Promise<BatchSink> {
    const client = await connect(target, {
      applicationName: batchApplicationName(options),
    });
    try {
      const [row] = await client.sql<{ processId: number }[]>`
        select pg_backend_pid() as "processId"`;
      return new BatchSink(client, { processId: row!.processId, ...options });
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  private constructor(client: DatabaseClient, options: BatchSinkOptions & { processId: number }) {
    this.#client = client;
    this.#options = options;
    this.processId = options.processId;
    this.#staging = stagingSql(options.schema, options.table);
    this.#copyIntoTable = copySql(options.schema, options.table);
    this.#copyIntoStaging = copySql(options.schema, this.#staging.table);
  }

  /** Commits the batch when its turn has come. */
  async commit(batch: Batch, turn: CommitTurn): Promise<CommitResult> {
    for (;;) {
      const route = this.#stagedBatchesLeft > 0 && batch.rowCount > 0 ? "staging" : "copy";
      try {
        const result = await this.#transact(batch, turn, route);
        if (route === "staging") {
          const isClean = result.duplicate === 0 &&
            result.rejects.length === batch.rejects.length;
          this.#stagedBatchesLeft = isClean ? this.#stagedBatchesLeft - 1 : CLEAN_STRETCH_BATCHES;
        }
        return result;
      } catch (error) {
        if (error instanceof YieldToOlderError) {
          await turn.waitWithoutLocks();
        } else if (route === "copy" && sqlState(error) === UNIQUE_VIOLATION) {
          this.#stagedBatchesLeft = CLEAN_STRETCH_BATCHES;
        } else {
          throw error;
        }
      }
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Drops the connection at once. */
  destroy(): void {
    this.#client.destroy();
  }

  async #transact(
    batch: Batch,
    turn: CommitTurn,
    route: "copy" | "staging",
  ): Promise<CommitResult> {
    const startedMs = performance.now();
    const deadline = new ProgressDeadline(() => this.#client.destroy());
    try {
      const { moves, rejects, duplicates } = await this.#client.sql.begin(async (transaction) => {
        const repeated = await this.#sendRows(transaction, { batch, route });
        const copyMs = performance.now() - startedMs;
        const sorted = sortOut(batch, repeated);
        await keepRecords(transaction, sorted);
        deadline.pause();
        await turn.wait();
        deadline.progress();
        const elapsedMs = performance.now() - batch.openedAtMs;
        await moveFiles(transaction, { ...this.#options, ...sorted, route, copyMs, elapsedMs });
        deadline.progress();
        return sorted;
      });
      const loaded = moves.reduce((sum, move) => sum + move.loaded, 0);
      return { moves, rejects, loaded, duplicate: duplicates.length };
    } finally {
      deadline.pause();
    }
  }

  async #sendRows(
    transaction: TransactionSql,
    { batch, route }: { batch: Batch; route: "copy" | "staging" },
  ): Promise<readonly RepeatedRow[]> {
    if (batch.rowCount === 0) return [];
    // a deferred constraint would refuse the batch at commit, where it cannot be told from a fault
    await transaction`set constraints all immediate`;
    const bytes = batch.tuples.finish();
    if (route === "copy") {
      await copyIn(transaction, this.#copyIntoTable, bytes);
      return [];
    }
    await transaction.unsafe(this.#staging.create);
    await copyIn(transaction, this.#copyIntoStaging, bytes);
    return await insertStaged(transaction, this.#staging);
  }
}

interface SortedOut {
  readonly moves: FileMove[];
  readonly rejects: readonly Reject[];
  readonly duplicates: readonly DuplicateRecord[];
}

/** Tells duplicates from conflicts, and counts both by file. */
function sortOut(batch: Batch, repeated: readonly RepeatedRow[]): SortedOut {
  const duplicates: DuplicateRecord[] = [];
  const rejects = [...batch.rejects];
  const counts = new Map<number, { duplicate: number; conflict: number }>();
  for (const { row, place } of placesOf(batch, repeated)) {
    const count = counts.get(row.fileId) ?? { duplicate: 0, conflict: 0 };
    counts.set(row.fileId, count);
    if (row.sameContent) {
      count.duplicate++;
      const { fileId, lineNumber, startByte, endByte } = place;
      duplicates.push({ fileId, lineNumber, startByte, endByte, key: row.key });
    } else {
      count.conflict++;
      rejects.push(keyConflict(row, place));
    }
  }
  const moves = batch.segments.map((segment: Segment) => {
    const { duplicate, conflict } = counts.get(segment.fileId) ?? { duplicate: 0, conflict: 0 };
    return {
      segment,
      loaded: segment.rowCount - duplicate - conflict,
      rejected: segment.rejectCount + conflict,
      duplicate,
    };
  });
  return { moves, rejects, duplicates };
}

function placesOf(
  batch: Batch,
  repeated: readonly RepeatedRow[],
): { row: RepeatedRow; place: RowPlace }[] {
  if (repeated.length === 0) return [];
  const byPlace = new Map<string, RowPlace>();
  for (let index = 0; index < batch.rowCount; index++) {
    const place = batch.placeOf(index);
    byPlace.set(`${place.fileId}:${place.lineNumber}`, place);
  }
  return repeated.map((row) => {
    const place = byPlace.get(`${row.fileId}:${row.lineNumber}`);
    if (place === undefined) throw new Error(`line ${row.lineNumber} is not of this batch`);
    return { row, place };
  });
}

function keyConflict(row: RepeatedRow, place: RowPlace): Reject {
  const { fileId, lineNumber, startByte, endByte, raw } = place;
  const where = row.otherPath === null
    ? "a row that was not loaded from a file"
    : `line ${row.otherLineNumber} of ${row.otherPath}`;
  return {
    fileId,
    lineNumber,
    startByte,
    endByte,
    raw: raw.slice(0, RAW_LIMIT_BYTES),
    columnName: null,
    code: "key_conflict",
    reason: `key ${row.key} is that of ${where}, with other content`,
  };
}

/** What a reject keeps of its record; the rest is to be read in the file. */
const RAW_LIMIT_BYTES = 8 * 1024;

class ProgressDeadline {
  readonly #onPassed: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onPassed: () => void) {
    this.#onPassed = onPassed;
    this.progress();
  }

  progress(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onPassed, PROGRESS_DEADLINE_MS);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }
}
