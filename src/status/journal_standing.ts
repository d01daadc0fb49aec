import { join } from "@std/path";
import type { Sql } from "../database/connect.ts";
import { checkJournal } from "../reconcile/check_journal.ts";
import { hostId } from "../source/host_id.ts";
import type { JournalStatus } from "./status_report.ts";

export interface JournalLook {
  readonly pipeline: {
    readonly name: string;
    readonly sourceKind: "folder" | "stdin";
    readonly sourceHost: string;
  };
  /** Folder of all journals. */
  readonly checkpointsDirectory?: string;
  /** As `checkJournal` has it. */
  readonly graceMs?: number;
}

/**
 * How the pipeline's journal stands to the ledger. Null without a folder of journals, and for a
 * pipeline of another machine, where its journal is too.
 */
export async function lookAtJournal(
  sql: Sql,
  { pipeline, checkpointsDirectory, graceMs }: JournalLook,
): Promise<JournalStatus | null> {
  const isElsewhere = pipeline.sourceKind === "folder" && pipeline.sourceHost !== await hostId();
  if (checkpointsDirectory === undefined || isElsewhere) return null;
  const directory = join(checkpointsDirectory, pipeline.name);
  const { kind, detail, hint, differences } = await checkJournal(sql, {
    pipeline: pipeline.name,
    directory,
    ...(graceMs !== undefined && { graceMs }),
  });
  return { kind, detail, hint, directory, filesDiffering: differences.length };
}
