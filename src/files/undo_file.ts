import type { Sql } from "../database/connect.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { Schema } from "../schema/schema.ts";
import { clearCounts, LedgerMovedError, raiseChanges, reopenTwins } from "../sink/ledger.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { readWaitingAgain } from "../sink/read_waiting_again.ts";
import { lockTable } from "../sink/lock_table.ts";
import { takeOutRows } from "../sink/take_out_rows.ts";
import { findNamedFile } from "./named_file.ts";

/** What was taken out, and what came in for it. */
export interface UndoneFile {
  readonly path: string;
  readonly generation: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  /** Records of other files that were duplicates of its rows, or in conflict with them. */
  readonly readAgain: number;
}

/**
 * Takes what the latest generation of a file loaded out of the table, in one transaction. The file
 * is `undone` from then on: it is not read again, whatever becomes of it, until it is reloaded.
 * @throws PgsluiceError `no-such-file`, `nothing-to-undo`, and those of `readWaitingAgain`
 */
export async function undoFile(
  sql: Sql,
  { pipeline, schema, file }: { pipeline: NamedPipeline; schema: Schema; file: string },
): Promise<UndoneFile> {
  const target = { schema, table: pipeline.targetTable };
  return await sql.begin(async (transaction) => {
    await lockTable(transaction, target.table);
    await raiseChanges(transaction, pipeline.pipelineId);
    const { fileId, path, generation, revision, state, committedByte } = await findNamedFile(
      transaction,
      { pipeline, file },
    );
    if (committedByte === 0 || state === "undone") {
      throw new PgsluiceError("nothing-to-undo", `nothing of ${path} is loaded: it is ${state}`, {
        hint: "`pgsluice files list` shows what is loaded",
      });
    }
    const [row] = await transaction`
      update pgsluice.files
      set
        state = 'undone',
        reason = 'undone by a command',
        provisional_from_byte = null,
        revision = revision + 1,
        updated_at = now()
      where file_id = ${fileId} and revision = ${revision}
      returning 1`;
    if (row === undefined) throw new LedgerMovedError(path);
    const taken = await takeOutRows(transaction, { ...target, fileId, afterLine: 0 });
    await clearCounts(transaction, fileId);
    const readAgain = await readWaitingAgain(transaction, target);
    await reopenTwins(transaction, { pipelineId: pipeline.pipelineId, path });
    return { path, generation, ...taken, readAgain };
  });
}
