/**
 * Looks at a pipeline's journal and at the ledger, while an ingester may go on. The journal is read
 * first: it was written after the commits that it tells of, so that a ledger read later has them,
 * unless they were lost. That the journal lags for a moment is usual; an ingester that is at work
 * is given time to write it.
 */
import { journalDifferences } from "../checkpoint/compare_journal.ts";
import { type JournalFound, readJournal } from "../checkpoint/read_journal.ts";
import type { Sql } from "../database/connect.ts";
import { type JournalVerdict, judgeJournal } from "./judge_journal.ts";
import { type LedgerOfPipeline, readLedger } from "./read_ledger.ts";

/** Between a commit and its line in the journal lie milliseconds, and at a start a little more. */
const GRACE_MS = 3_000;
const POLL_MS = 50;

export interface JournalCheck extends JournalVerdict {
  /** False if the database has no such pipeline. */
  readonly isInLedger: boolean;
}

export interface CheckOptions {
  readonly pipeline: string;
  /** The pipeline's own folder under the checkpoints. */
  readonly directory: string;
  /** How long an ingester that is at work may take to write it; 3 s unless given. */
  readonly graceMs?: number;
}

export async function checkJournal(
  sql: Sql,
  { pipeline, directory, graceMs = GRACE_MS }: CheckOptions,
): Promise<JournalCheck> {
  const found = await readJournal(directory);
  const ledger = await sql.begin(
    "isolation level repeatable read read only",
    (snapshot) => readLedger(snapshot, pipeline),
  );
  const verdict = judgeJournal(found, ledger);
  if (ledger === null) return { ...verdict, isInLedger: false };
  const isForeign = verdict.kind === "other" || verdict.kind === "newer";
  if (!ledger.hasOwner || isForeign || follows(found, ledger)) {
    return { ...verdict, isInLedger: true };
  }
  const hasCaughtUp = await waitFor(
    async () => follows(await readJournal(directory), ledger),
    graceMs,
  );
  const settled = hasCaughtUp ? judgeFollowing() : judgeUnwritten(verdict, { found, ledger });
  return { ...settled, isInLedger: true };
}

/**
 * Whether the ingester at work has written all that the look at the ledger saw. It may have written
 * more by now, so that nobody asks whether the journal is ahead.
 */
function follows(found: JournalFound, ledger: LedgerOfPipeline): boolean {
  if (found.kind !== "whole" || found.content.isTorn) return false;
  const { head, epoch } = found.content;
  return head.identity === ledger.head.identity && epoch >= ledger.epoch &&
    journalDifferences(found.content, ledger.files).every(({ kind }) => kind === "ahead");
}

function judgeFollowing(): JournalVerdict {
  return { kind: "level", detail: "level with the database", hint: null, differences: [] };
}

function judgeUnwritten(
  verdict: JournalVerdict,
  { found, ledger }: { found: JournalFound; ledger: LedgerOfPipeline },
): JournalVerdict {
  const what = verdict.kind === "level" && found.kind === "whole"
    ? `it was written last under epoch ${found.content.epoch}, and the ingester's is ${ledger.epoch}`
    : verdict.detail;
  return {
    kind: "unwritten",
    detail: `an ingester is at work, and does not write it: ${what}`,
    hint: "its log tells why; it goes on loading, and writes the journal as soon as it can. " +
      "If it keeps its journal elsewhere, name that folder with --checkpoints",
    differences: verdict.differences,
  };
}

async function waitFor(condition: () => Promise<boolean>, forMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + forMs;
  while (performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (await condition()) return true;
  }
  return false;
}
