/** The journal's part of a session's start: what it says is compared with the ledger. */
import { compareJournal } from "../checkpoint/compare_journal.ts";
import { keptJournalName } from "../checkpoint/journal.ts";
import { JOURNAL_FORMAT } from "../checkpoint/journal_codec.ts";
import { type JournalFound, readableContent } from "../checkpoint/read_journal.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { PipelineOwner } from "../sink/pipeline_owner.ts";
import type { SessionContext } from "./session_context.ts";
import type { TrackedFiles } from "./tracked_files.ts";

/** @throws PgsluiceError `journal-format` or `other-database` */
export function refuseForeignJournal(
  context: SessionContext,
  { found, known }: { found: JournalFound; known: { identity: string } | null },
): void {
  if (found.kind === "newer") throw newerJournal(context, found.format);
  const readable = readableContent(found);
  if (readable !== null) refuseOtherDatabase(context, { found: readable, known });
}

/** Says how the journal stands to the ledger, and writes it anew unless they are level. */
export function levelJournal(
  { binding, observer, journal, journalDirectory }: SessionContext,
  { owner, found, identity, epoch, files }: {
    owner: PipelineOwner;
    found: JournalFound;
    identity: string;
    epoch: number;
    files: TrackedFiles;
  },
): void {
  const state = { epoch, files: files.places, isOwner: () => owner.holds() };
  const keepAs = found.kind === "damaged" ? keptJournalName("damaged", new Date()) : null;
  if (found.kind === "damaged") {
    observer.journal({ kind: "damaged", detail: `${found.reason}; kept as ${keepAs}` });
  } else if (found.kind === "missing") {
    if (files.size > 0) observer.journal({ kind: "missing", detail: journalDirectory });
  } else if (found.kind === "whole") {
    const { content } = found;
    if (content.isTorn) observer.journal({ kind: "torn", detail: journalDirectory });
    const standing = compareJournal(content, state.files);
    observer.journal(standing);
    if (standing.kind === "level" && !content.isTorn) return journal.resume(content, state);
  }
  journal.rebuild(
    {
      pipeline: binding.name,
      identity,
      source: binding.sourcePath,
      table: binding.targetTable,
    },
    { ...state, ...(keepAs !== null && { keepAs }) },
  );
}

function refuseOtherDatabase(
  { options, binding, journalDirectory }: SessionContext,
  { found, known }: {
    found: { head: { identity: string; source: string; table: string } };
    known: { identity: string } | null;
  },
): void {
  const { identity, source } = found.head;
  if (known?.identity === identity) return;
  const whatIsThere = known === null
    ? `has no pipeline ${options.pipelineName}`
    : `has a pipeline ${options.pipelineName} with id ${known.identity}`;
  throw new PgsluiceError(
    "other-database",
    `the journal in ${journalDirectory} is of another database: it is of pipeline id ` +
      `${identity}, source ${source}; the database given ${whatIsThere}, source ` +
      binding.sourcePath,
    {
      hint: "point --database at the database of the journal; or, to load everything into this " +
        "one, move that folder away or name another with --checkpoints",
    },
  );
}

function newerJournal({ journalDirectory }: SessionContext, format: string): PgsluiceError {
  return new PgsluiceError(
    "journal-format",
    `the journal in ${journalDirectory} is of a newer pgsluice: its format is ${format}, this one ` +
      `reads ${JOURNAL_FORMAT}`,
    {
      hint: "use the newer pgsluice; or, to go back to this one, move that folder away: the " +
        "journal is made anew from the database",
    },
  );
}
