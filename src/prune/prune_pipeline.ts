/**
 * Forgets what is long past: batches; and of files that are settled their duplicates, and the
 * rejects that were discarded. Their totals in `files` stay, and so do the files' rows, which keep
 * a file from loading twice.
 *
 * Invariants: a file has `expired_at` from the very transaction that takes the first of its records.
 * What may yet be needed one by one stays: open rejects, mended ones with the duplicates they became,
 * and everything from a provisional place on, which the ingester takes back if the file grows. Each
 * transaction is short and bounded, waits for no row that another one holds, and does not commit
 * while rows are being taken out of the table, when the duplicates of these are looked for.
 */
import type { TransactionSql } from "postgres";
import type { Sql } from "../database/connect.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { PruneScope } from "./prune_scope.ts";

/** Files that one transaction looks at. */
const CHUNK_FILES = 500;
/** Records or batches that one transaction removes, at most. */
const CHUNK_ROWS = 5_000;

export interface Pruned {
  readonly batches: number;
  /** Of files; rejects are those that were discarded. */
  readonly duplicates: number;
  readonly rejects: number;
  /** Files of which any of these were. */
  readonly files: number;
}

export interface PruneReport {
  readonly pipeline: string;
  /** What was settled, discarded or committed before is past; ISO 8601. */
  readonly before: string;
  /** True if nothing was removed: the counts are what would have been. */
  readonly isDryRun: boolean;
  readonly removed: Pruned;
  /** Of files settled before: work not done, which is not removed. */
  readonly openRejects: { readonly rejects: number; readonly files: number };
}

export interface PruneOptions {
  readonly sql: Sql;
  readonly pipeline: NamedPipeline;
  readonly olderThanMs: number;
  readonly dryRun: boolean;
  /** Ends it between two transactions with what it is aborted with. */
  readonly signal?: AbortSignal;
  /** Called after each transaction, with what is removed by then. */
  readonly onProgress?: (removed: Pruned) => void;
  readonly chunk?: { readonly files: number; readonly rows: number };
}

/** An ingester may run meanwhile. Twice is safe, and so is an end in the middle. */
export async function prunePipeline(options: PruneOptions): Promise<PruneReport> {
  const { sql, pipeline, olderThanMs, dryRun } = options;
  const scope = await PruneScope.open(sql, { pipelineId: pipeline.pipelineId, olderThanMs });
  const openRejects = await scope.countOpenRejects(sql);
  const removed = dryRun
    ? { batches: await scope.countBatches(sql), ...await scope.countRecords(sql) }
    : await remove(scope, options);
  return {
    pipeline: pipeline.name,
    before: scope.before,
    isDryRun: dryRun,
    removed,
    openRejects,
  };
}

async function remove(scope: PruneScope, options: PruneOptions): Promise<Pruned> {
  const { sql, pipeline, signal, onProgress } = options;
  const { chunk = { files: CHUNK_FILES, rows: CHUNK_ROWS } } = options;
  const removed = { batches: 0, duplicates: 0, rejects: 0, files: 0 };
  for (let afterId = 0;;) {
    signal?.throwIfAborted();
    const batchIds = await scope.removeBatches(sql, { afterId, limit: chunk.rows });
    removed.batches += batchIds.length;
    onProgress?.(removed);
    if (batchIds.length < chunk.rows) break;
    afterId = Math.max(...batchIds);
  }
  const expired = new Set<number>();
  for (let afterId = 0;;) {
    signal?.throwIfAborted();
    const step = await sql.begin(async (transaction) => {
      await awaitRemovals(transaction, pipeline.targetTable);
      const fileIds = await scope.lockFiles(transaction, { afterId, limit: chunk.files });
      if (fileIds.length === 0) return null;
      const taken = await scope.removeRecords(transaction, { fileIds, limit: chunk.rows });
      return { fileIds, ...taken };
    });
    if (step === null) break;
    removed.duplicates += step.duplicates;
    removed.rejects += step.rejects;
    for (const fileId of step.expiredIds) expired.add(fileId);
    removed.files = expired.size;
    onProgress?.(removed);
    // what others hold is left to the next time
    const isFull = step.duplicates === chunk.rows || step.rejects === chunk.rows;
    if (!isFull) afterId = step.fileIds.at(-1)!;
  }
  return removed;
}

/**
 * Waits while rows are taken out of the table (`lockTable` of the sink), and holds that up until the
 * transaction ends. Batches are not held up.
 */
async function awaitRemovals(transaction: TransactionSql, table: string): Promise<void> {
  const [found] = await transaction<{ exists: boolean }[]>`
    select to_regclass(${table}) is not null as exists`;
  if (found!.exists) await transaction.unsafe(`lock table ${table} in row exclusive mode`);
}
