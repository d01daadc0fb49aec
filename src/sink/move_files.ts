/**
 * The last statement of a batch's transaction: rejects and duplicates are kept, and every file of
 * the batch moves from its start byte to its end byte by compare-and-set, under the owner's epoch.
 */
import { Buffer } from "node:buffer";
import type { TransactionSql } from "postgres";
import type { Reject } from "./batch.ts";
import { LedgerMovedError } from "./ledger.ts";
import type { LoadRoute } from "./row_loader.ts";
import type { FileMove, SortedRows } from "./sort_out.ts";

export interface BatchMove extends SortedRows {
  readonly pipelineId: number;
  /** Null for a command, which moves only files that it has locked itself. */
  readonly epoch: number | null;
  readonly route: LoadRoute;
  readonly elapsedMs: number;
  readonly copyMs: number;
}

/** @throws LedgerMovedError if a file is not where the batch begins, or the epoch has passed */
export async function moveFiles(transaction: TransactionSql, batch: BatchMove): Promise<void> {
  const { moves } = batch;
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
        pipeline_id, epoch, files, bytes, loaded, rejected, duplicate, route, elapsed_ms, copy_ms
      )
      select
        pipeline_id, epoch, ${moves.length},
        ${total(({ segment }) => segment.endByte - segment.startByte)},
        ${total((move) => move.loaded)}, ${total((move) => move.rejected)},
        ${total((move) => move.duplicate)},
        ${batch.route}, ${batch.elapsedMs}::float8, ${batch.copyMs}::float8
      from owner
    )
    select count(*)::int as moved from moved`;
  if (row?.moved !== moves.length) {
    throw new LedgerMovedError(moves.map(({ segment }) => segment.path).join(", "));
  }
}

/** Keeps the rejects and the places of the duplicates. */
export async function keepRecords(
  transaction: TransactionSql,
  batch: Pick<SortedRows, "rejects" | "duplicates">,
): Promise<void> {
  for (const rejects of portions(batch.rejects)) {
    await transaction`
      insert into pgsluice.rejects (
        file_id, line_number, start_byte, end_byte, column_name, code, reason, key, raw
      )
      select
        file_id, line_number, start_byte, end_byte, column_name, code, reason, key,
        decode(raw, 'base64')
      from jsonb_to_recordset(${JSON.stringify(rejects.map(rejectRecord))}::text::jsonb) as r(
        file_id bigint, line_number bigint, start_byte bigint, end_byte bigint,
        column_name text, code text, reason text, key text, raw text
      )`;
  }
  if (batch.duplicates.length > 0) {
    await transaction`
      insert into pgsluice.duplicates (file_id, line_number, start_byte, end_byte, key)
      select "fileId", "lineNumber", "startByte", "endByte", key
      from jsonb_to_recordset(${JSON.stringify(batch.duplicates)}::text::jsonb) as d(
        "fileId" bigint, "lineNumber" bigint, "startByte" bigint, "endByte" bigint, key text
      )`;
  }
}

/**
 * So much of raw records goes with one statement: it is several times as long by the time it is
 * sent, on each connection, and a batch may be nothing but rejects.
 */
const PORTION_BYTES = 256 * 1024;
/** What a reject takes besides its raw bytes, about. */
const REJECT_BYTES = 128;

function* portions(rejects: readonly Reject[]): Generator<readonly Reject[]> {
  let from = 0;
  let sizeBytes = 0;
  for (const [index, { raw }] of rejects.entries()) {
    sizeBytes += raw.length + REJECT_BYTES;
    if (sizeBytes < PORTION_BYTES && index < rejects.length - 1) continue;
    yield rejects.slice(from, index + 1);
    from = index + 1;
    sizeBytes = 0;
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

function rejectRecord(reject: Reject) {
  return {
    file_id: reject.fileId,
    line_number: reject.lineNumber,
    start_byte: reject.startByte,
    end_byte: reject.endByte,
    column_name: reject.columnName,
    code: reject.code,
    reason: reject.reason,
    key: reject.key,
    raw: Buffer.from(reject.raw.buffer, reject.raw.byteOffset, reject.raw.byteLength)
      .toString("base64"),
  };
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString("hex");
}
