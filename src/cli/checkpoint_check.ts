import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { JournalCheck } from "../reconcile/check_journal.ts";
import type { JournalVerdict } from "../reconcile/judge_journal.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import {
  checkpointsFlag,
  databaseFlag,
  jsonFlag,
  pipelineFlag,
  quietFlag,
} from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { journalPlace, withLedger } from "./journal_place.ts";
import { formatCount } from "./number_format.ts";
import { renderTable } from "./render_table.ts";

/** Files listed that differ; `--json` has all. */
const LISTED_FILES = 20;

type Difference = JournalVerdict["differences"][number];

export const checkpointCheckCommand: Command = {
  name: "checkpoint check",
  summary: "compare a pipeline's journal with the ledger in the database",
  flags: [pipelineFlag, checkpointsFlag, databaseFlag, jsonFlag, quietFlag],
  details: [
    "level: they say the same; exit code 0. Everything else is exit code 3. behind: the journal " +
    "lacks what was committed last, as after a crash. ahead: the database lost commits. torn: " +
    "the journal's last line is cut short. missing, damaged. newer: of a later pgsluice. other: of " +
    "another database or source. unwritten: an ingester is at work, and cannot write it.",
    "The ledger is the truth and the journal follows it: only what is ahead or other says " +
    "anything about the database.",
  ].join("\n\n"),
  run: runCheck,
};

async function runCheck(context: CommandContext): Promise<number> {
  const { flags, terminal } = context;
  const { checkJournal } = await import("../reconcile/check_journal.ts");
  const place = journalPlace(flags);
  const check = await withLedger(context, (sql) => checkJournal(sql, place));
  if (!check.isInLedger && check.kind === "missing") {
    throw new PgsluiceError(
      "no-such-pipeline",
      `this database has no pipeline ${place.pipeline}, and there is no journal of one in ` +
        place.directory,
      { hint: "`pgsluice status` lists those there are; name one with --pipeline" },
    );
  }
  await terminal.write(
    flags.switch("json")
      ? `${JSON.stringify({ ...place, ...check })}\n`
      : renderCheck(check, { directory: place.directory, terminal }),
  );
  if (check.hint !== null) terminal.say(`try: ${check.hint}`);
  return check.kind === "level" ? EXIT.done : EXIT.data;
}

function renderCheck(
  { kind, detail, differences }: JournalCheck,
  { directory, terminal }: { directory: string; terminal: Terminal },
): string {
  const more = differences.length - LISTED_FILES;
  return [
    escapeControls(`journal ${directory}: ${kind === "level" ? "" : `${kind}: `}${detail}`) + "\n",
    ...(differences.length === 0
      ? []
      : [renderDifferences(differences.slice(0, LISTED_FILES), terminal)]),
    ...(more > 0 ? [`… and ${formatCount(more)} more; --json has all\n`] : []),
  ].join("\n");
}

function renderDifferences(differences: readonly Difference[], terminal: Terminal): string {
  return renderTable({
    columns: [
      { header: "file", align: "left" },
      { header: "journal is", align: "left" },
      { header: "in the journal", align: "left" },
      { header: "in the ledger", align: "left" },
    ],
    rows: differences.map((each) => [
      each.path,
      each.kind,
      placeText(each.journal, each.ledger),
      placeText(each.ledger, each.journal),
    ]),
    ...(terminal.stdoutIsTerminal && { maxWidth: terminal.columns }),
  });
}

/** Bytes, and what else tells it from the other side. */
function placeText(place: Difference["journal"], other: Difference["journal"]): string {
  if (place === null) return "not there";
  const differs = (field: "generation" | "revision") =>
    other !== null && place[field] !== other[field];
  return [
    `${formatCount(place.committedByte)} bytes`,
    ...(differs("generation") ? [`generation ${place.generation}`] : []),
    ...(differs("revision") ? [`revision ${place.revision}`] : []),
  ].join(", ");
}
