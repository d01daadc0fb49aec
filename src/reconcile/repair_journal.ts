/**
 * Rebuilds a journal from the ledger; never the reverse. It owns the pipeline meanwhile, as an
 * ingester does, so that nothing commits between the look at the ledger and the journal's last byte.
 */
import { Journal, JournalHeldError, keptJournalName } from "../checkpoint/journal.ts";
import { readJournal } from "../checkpoint/read_journal.ts";
import type { Sql } from "../database/connect.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import { ownerLockKeySql } from "../sink/pipeline_owner.ts";
import { type JournalKind, type JournalVerdict, judgeJournal } from "./judge_journal.ts";
import { type LedgerOfPipeline, readLedger } from "./read_ledger.ts";

export interface JournalRepair {
  /** What it was before. A level one is left as it is. */
  readonly was: JournalKind;
  readonly detail: string;
  readonly files: number;
  /** The name, in the same folder, that the journal found there is kept under. */
  readonly keptAs: string | null;
}

export interface RepairOptions {
  readonly pipeline: string;
  /** The pipeline's own folder under the checkpoints. */
  readonly directory: string;
  /** Names what is kept. */
  readonly at: Date;
}

/**
 * @throws PgsluiceError `pipeline-owned` and `journal-held` with exit code 75; `no-such-pipeline`,
 * `other-database`, `journal-format`, `journal-unwritable`
 */
export async function repairJournal(sql: Sql, options: RepairOptions): Promise<JournalRepair> {
  const { pipeline, directory } = options;
  return await sql.begin(async (transaction) => {
    const [lock] = await transaction.unsafe<{ isTaken: boolean }[]>(
      `select pg_try_advisory_xact_lock(${ownerLockKeySql("$1")}) as "isTaken"`,
      [pipeline],
    );
    if (!lock!.isTaken) {
      throw new PgsluiceError("pipeline-owned", `an ingester owns pipeline ${pipeline}`, {
        hint: "it writes its journal itself, as soon as it can; stop it to repair the journal",
        exitCode: EXIT.tryAgain,
      });
    }
    const found = await readJournal(directory);
    const ledger = await readLedger(transaction, pipeline);
    const verdict = judgeJournal(found, ledger);
    refuse(verdict, { ...options, ledger });
    const { kind: was, detail } = verdict;
    const { size: files } = ledger!.files;
    if (was === "level") return { was, detail, files, keptAs: null };
    const keptAs = was === "damaged" || was === "ahead" ? keptJournalName(was, options.at) : null;
    write(ledger!, { directory, keptAs });
    return { was, detail, files, keptAs };
  });
}

function refuse(
  { kind, detail, hint }: JournalVerdict,
  { pipeline, directory, ledger }: RepairOptions & { ledger: LedgerOfPipeline | null },
): void {
  if (kind === "other" || kind === "newer") {
    const code = kind === "newer" ? "journal-format" : "other-database";
    throw new PgsluiceError(code, `the journal in ${directory} is left as it is: ${detail}`, {
      hint: hint!,
    });
  }
  if (ledger !== null) return;
  throw new PgsluiceError("no-such-pipeline", `this database has no pipeline ${pipeline}`, {
    hint: "`pgsluice status` lists those there are; name one with --pipeline",
  });
}

function write(
  { head, epoch, files }: LedgerOfPipeline,
  { directory, keptAs }: { directory: string; keptAs: string | null },
): void {
  let trouble: unknown = null;
  const journal = new Journal({ directory, onTrouble: (error) => trouble ??= error });
  try {
    journal.rebuild(head, {
      epoch,
      files,
      ...(keptAs !== null && { keepAs: keptAs }),
    });
  } finally {
    journal.abandon();
  }
  if (trouble === null) return;
  if (trouble instanceof JournalHeldError) {
    throw new PgsluiceError("journal-held", trouble.message, {
      hint:
        "an ingester that lost its database, or is stopped, may hold it: let it go on, or end it",
      exitCode: EXIT.tryAgain,
      cause: trouble,
    });
  }
  const why = trouble instanceof Error ? trouble.message : String(trouble);
  throw new PgsluiceError(
    "journal-unwritable",
    `cannot write the journal in ${directory}: ${why}`,
    {
      hint: "make the folder writable, with room on its disk, or name another with --checkpoints",
      cause: trouble,
    },
  );
}
