/**
 * The last statement of a batch's transaction: every file of the batch moves from its start byte to
 * its end byte by compare-and-set, under the owner's epoch.
 */
import { Buffer } from "node:buffer";
import type { TransactionSql } from "postgres";
import type { BatchStages } from "./batch_stages.ts";
import { LedgerMovedError } from "./ledger.ts";
import { insertMinutes } from "./minute_deltas.ts";
import type { LoadedRows, LoadRoute } from "./row_loader.ts";
import type { FileMove } from "./sort_out.ts";

export interface BatchMove extends LoadedRows {
  readonly pipelineId: number;
  /** As in `pgsluice.pipelines`. */
  readonly table: string;
  /** Null for a command, which moves only files that it has locked itself. */
  readonly epoch: number | null;
  readonly route: LoadRoute;
  readonly elapsedMs: number;
  readonly copyMs: number;
  /** Absent for a command, which has neither. */
  readonly carried?: {
    readonly connections: number;
    readonly stages: BatchStages;
    /** Of the batch that the connection carried before, which are over. */
    readonly before: FinishTimes | null;
  };
}

/** What of a batch's time is known only after it was written down. */
export type FinishTimes = Pick<BatchStages, "ledgerMs" | "commitMs">;

/** @throws LedgerMovedError if a file is not where the batch begins, or the epoch has passed */
export async function moveFiles(transaction: TransactionSql, batch: BatchMove): Promise<void> {
  const { moves, carried } = batch;
  const stages = carried?.stages;
  const total = (of: (move: FileMove) => number) => moves.reduce((sum, move) => sum + of(move), 0);
  const [row] = await transaction<{ moved: number }[]>`
    with owner as (
      -- the lock keeps a new owner from raising the epoch between here and commit
      select pipeline_id, epoch
      from pgsluice.pipelines
      where pipeline_id = ${batch.pipelineId}
        and epoch = coalesce(${batch.epoch}::bigint, epoch)
      for share
    ),
    moved as (
      update pgsluice.files f
      set
        committed_byte = m.end_byte,
        committed_line = m.end_line,
        provisional_from_byte = m.provisional_from_byte,
        header = coalesce(f.header, decode(m.header, 'hex')),
        first_block_hash = decode(m.first_block, 'hex'),
        last_block_hash = decode(m.last_block, 'hex'),
        chain_hash = decode(m.chain, 'hex'),
        tail_hash = decode(m.tail, 'hex'),
        loaded = f.loaded + m.loaded,
        rejected = f.rejected + m.rejected,
        duplicate = f.duplicate + m.duplicate,
        headers = f.headers + m.headers,
        ambiguous_times = f.ambiguous_times + m.ambiguous_times,
        size_bytes = m.size_bytes,
        modified_ms = m.modified_ms,
        inode = m.inode,
        state = m.state,
        reason = null,
        -- not now(), which is when the transaction began: this tells latency
        updated_at = clock_timestamp()
      from jsonb_to_recordset(${JSON.stringify(moves.map(moveRecord))}::text::jsonb) as m(
        file_id bigint, revision bigint, start_byte bigint, end_byte bigint, end_line bigint,
        provisional_from_byte bigint, header text, first_block text, last_block text, chain text, tail text,
        loaded bigint, rejected bigint, duplicate bigint, headers bigint, ambiguous_times bigint,
        size_bytes bigint, modified_ms bigint, inode bigint, state text
      ), owner
      where f.file_id = m.file_id
        and f.pipeline_id = owner.pipeline_id
        and f.committed_byte = m.start_byte
        and f.revision = m.revision
      returning 1
    ),
    batch as (
      insert into pgsluice.batches (
        pipeline_id, epoch, files, bytes, loaded, rejected, duplicate, route, elapsed_ms, copy_ms,
        connections, read_ms, decode_ms, queue_ms, turn_ms, ledger_ms, commit_ms
      )
      select
        pipeline_id, epoch, ${moves.length},
        ${total(({ segment }) => segment.endByte - segment.startByte)},
        ${total((move) => move.loaded)}, ${total((move) => move.rejected)},
        ${total((move) => move.duplicate)},
        ${batch.route}, ${batch.elapsedMs}::float8, ${batch.copyMs}::float8,
        ${carried?.connections ?? null}::smallint,
        ${stages?.readMs ?? null}::float8, ${stages?.decodeMs ?? null}::float8,
        ${stages?.queueMs ?? null}::float8, ${stages?.turnMs ?? null}::float8,
        ${carried?.before?.ledgerMs ?? null}::float8, ${carried?.before?.commitMs ?? null}::float8
      from owner
    ),
    counted as (${insertMinutes(transaction, batch)})
    select count(*)::int as moved from moved`;
  if (row?.moved !== moves.length) {
    throw new LedgerMovedError(moves.map(({ segment }) => segment.path).join(", "));
  }
}

function moveRecord({ segment, loaded, rejected, duplicate }: FileMove) {
  const { digests, stat } = segment;
  if (digests === null) throw new Error(`the batch's part of ${segment.path} was not closed`);
  return {
    file_id: segment.fileId,
    revision: segment.revision,
    start_byte: segment.startByte,
    end_byte: segment.endByte,
    end_line: segment.endLine,
    provisional_from_byte: segment.provisionalFromByte,
    header: hex(segment.header),
    first_block: hex(digests.firstBlock),
    last_block: hex(digests.lastBlock),
    chain: hex(digests.chain),
    tail: hex(digests.tail),
    loaded,
    rejected,
    duplicate,
    headers: segment.headerCount,
    ambiguous_times: segment.ambiguousTimeCount,
    size_bytes: stat?.sizeBytes ?? null,
    modified_ms: stat?.modifiedMs ?? null,
    inode: stat?.inode ?? null,
    state: segment.state,
  };
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString("hex");
}
