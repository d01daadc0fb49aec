/**
 * Loads a file anew in place of what was loaded from it, as one transaction: the old generation's
 * rows go, the new one's come, and records of other files that were duplicates of rows that are
 * gone now are read again.
 */
import { join } from "@std/path";
import type { TransactionSql } from "postgres";
import type { Sql } from "../database/connect.ts";
import { noProbe, type Probe } from "../probe.ts";
import { keepRecords } from "../sink/keep_records.ts";
import { moveFiles } from "../sink/move_files.ts";
import {
  clearCounts,
  type FileMeaning,
  type KnownFile,
  reopenTwins,
  supersedeFile,
} from "../sink/ledger.ts";
import type { LedgerFile } from "../sink/ledger_file.ts";
import type { PipelineBinding } from "../sink/pipeline_binding.ts";
import { readWaitingAgain } from "../sink/read_waiting_again.ts";
import { lockTable } from "../sink/lock_table.ts";
import { takeOutRows } from "../sink/take_out_rows.ts";
import { RowLoader } from "../sink/row_loader.ts";
import { openFile } from "../source/byte_source.ts";
import { ContentHash } from "../source/content_hash.ts";
import { Batcher, type BatchLimits } from "./batcher.ts";
import { FileCursor, type Meaning } from "./file_cursor.ts";
import { trackFile } from "./tracked_file.ts";

export interface ReloadOptions {
  /** Not within a transaction; a connection that may be busy for as long as the load takes. */
  readonly sql: Sql;
  readonly pipelineId: number;
  readonly binding: FileMeaning & Pick<PipelineBinding, "targetTable">;
  readonly meaning: Meaning;
  /** The folder the file's path is relative to. */
  readonly directory: string;
  readonly limits: BatchLimits;
  /** The generation whose rows are to go. */
  readonly file: KnownFile & Pick<LedgerFile, "archivedPath">;
  /** For the ledger: why the old generation was replaced. */
  readonly reason: string;
  /** What else the transaction does, before it changes anything. */
  readonly onLocked?: (transaction: TransactionSql) => Promise<void>;
  /** Called after every batch, with how many bytes of the file are loaded. */
  readonly onProgress?: (bytes: number) => void;
  /** Aborted: roll back. */
  readonly signal: AbortSignal;
  readonly probe?: Probe;
}

/**
 * @returns the new generation, and what it holds
 * @throws FileFault if the file is not a CSV of this schema, LedgerMovedError if the ledger's file
 * is another one than given, PgsluiceError of `readWaitingAgain`; nothing has changed then
 */
export async function reloadFile(
  options: ReloadOptions,
): Promise<{ file: LedgerFile; loaded: number; rejected: number; duplicate: number }> {
  const { sql, binding, meaning, file: old, signal } = options;
  const target = { schema: meaning.schema, table: binding.targetTable };
  const probe = options.probe ?? noProbe;
  const { source, archivedPath } = await openWhereItIs(options);
  try {
    const stat = await source.stat();
    return await sql.begin(async (transaction) => {
      await lockTable(transaction, target.table);
      await options.onLocked?.(transaction);
      const next = await supersedeFile(transaction, {
        file: old,
        reason: options.reason,
        meaning: binding,
      });
      await takeOutRows(transaction, { ...target, fileId: old.fileId, afterLine: 0 });
      await clearCounts(transaction, old.fileId);
      if (archivedPath !== null) {
        await transaction`
          update pgsluice.files
          set
            archived_path = case when file_id = ${next.fileId} then ${archivedPath} end,
            archived_at = case when file_id = ${next.fileId} then now() end
          where file_id in (${old.fileId}, ${next.fileId})`;
      }
      const file = { ...trackFile(next), archivedPath, stat };
      const loader = new RowLoader({ ...target, probe });
      const total = { loaded: 0, rejected: 0, duplicate: 0 };
      const batcher = new Batcher({
        limits: options.limits,
        poolSize: 1,
        offer: async (batch) => {
          signal.throwIfAborted();
          const startedMs = performance.now();
          const sorted = await loader.load(transaction, { batch, route: "staging" });
          await keepRecords(transaction, sorted);
          const nowMs = performance.now();
          await moveFiles(transaction, {
            pipelineId: options.pipelineId,
            table: target.table,
            epoch: null,
            ...sorted,
            route: "staging",
            copyMs: nowMs - startedMs,
            elapsedMs: nowMs - batch.openedAtMs,
          });
          for (const { loaded, rejected, duplicate } of sorted.moves) {
            total.loaded += loaded;
            total.rejected += rejected;
            total.duplicate += duplicate;
          }
          options.onProgress?.(file.readByte);
          batcher.recycle(batch);
        },
      });
      const hash = new ContentHash();
      const cursor = new FileCursor({
        file,
        source,
        meaning,
        batcher,
        hash,
        mapping: null,
        signal,
      });
      await cursor.read({ limitByte: stat.sizeBytes });
      signal.throwIfAborted();
      await cursor.finish();
      cursor.close();
      await batcher.flush();
      await readWaitingAgain(transaction, target);
      await reopenTwins(transaction, { pipelineId: options.pipelineId, path: old.path });
      return { file: { ...next, committedByte: file.readByte }, ...total };
    });
  } finally {
    source.close();
  }
}

/** At its path, else where it was moved to after it was loaded. */
async function openWhereItIs({ directory, file }: ReloadOptions) {
  const { archivedPath } = file;
  try {
    return { source: await openFile(join(directory, file.path)), archivedPath: null };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) || archivedPath === null) throw error;
    return { source: await openFile(archivedPath), archivedPath };
  }
}
