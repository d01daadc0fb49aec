import type { Sql } from "../database/connect.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { LedgerMovedError, raiseChanges, supersedeFile } from "../sink/ledger.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { findNamedFile } from "./named_file.ts";

export interface AcceptedFile {
  readonly path: string;
  /** The generation that the ingester will load. */
  readonly generation: number;
}

/**
 * Lets the ingester load a file that it holds back: one that was replaced, in addition to what was
 * loaded from it before; or one that was skipped because it was there first.
 * @throws PgsluiceError `no-such-file` or `nothing-to-accept`
 */
export async function acceptFile(
  sql: Sql,
  { pipeline, file }: { pipeline: NamedPipeline; file: string },
): Promise<AcceptedFile> {
  return await sql.begin(async (transaction) => {
    await raiseChanges(transaction, pipeline.pipelineId);
    const known = await findNamedFile(transaction, { pipeline, file });
    const { path, state } = known;
    let { generation } = known;
    if (state === "held") {
      const next = await supersedeFile(transaction, {
        file: known,
        reason: "accepted in addition",
        meaning: pipeline,
      });
      generation = next.generation;
    } else if (state === "skipped") {
      const [row] = await transaction`
        update pgsluice.files
        set state = 'open', reason = null, revision = revision + 1, updated_at = now()
        where file_id = ${known.fileId} and revision = ${known.revision}
        returning 1`;
      if (row === undefined) throw new LedgerMovedError(path);
    } else {
      throw new PgsluiceError("nothing-to-accept", `${path} is not held back: it is ${state}`, {
        hint:
          "only a file that is held or skipped can be accepted; `pgsluice files reload` loads " +
          "one anew in place of what was loaded",
      });
    }
    return { path, generation };
  });
}
