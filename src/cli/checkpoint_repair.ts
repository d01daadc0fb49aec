import { join } from "@std/path";
import { EXIT } from "../pgsluice_error.ts";
import type { JournalRepair } from "../reconcile/repair_journal.ts";
import type { Command, CommandContext } from "./command.ts";
import {
  checkpointsFlag,
  databaseFlag,
  jsonFlag,
  pipelineFlag,
  quietFlag,
} from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { type JournalPlace, journalPlace, withLedger } from "./journal_place.ts";
import { formatCount } from "./number_format.ts";

export const checkpointRepairCommand: Command = {
  name: "checkpoint repair",
  summary: "rebuild a pipeline's journal from the ledger in the database",
  flags: [pipelineFlag, checkpointsFlag, databaseFlag, jsonFlag, quietFlag],
  details: [
    "Never the reverse: the ledger is the truth, and nothing in the database changes. A journal " +
    "that is damaged, or ahead of the ledger, is kept beside the new one; a level one is left as " +
    "it is. `pgsluice ingest` does the same when it starts.",
    "Exit code 75 while an ingester owns the pipeline or writes the journal. A journal of another " +
    "database or of a newer pgsluice is not touched: move its folder away first.",
  ].join("\n\n"),
  run: runRepair,
};

async function runRepair(context: CommandContext): Promise<number> {
  const { flags, terminal } = context;
  const { repairJournal } = await import("../reconcile/repair_journal.ts");
  const place = journalPlace(flags);
  const repair = await withLedger(
    context,
    (sql) => repairJournal(sql, { ...place, at: new Date() }),
  );
  await terminal.write(
    flags.switch("json")
      ? `${JSON.stringify({ ...place, ...repair })}\n`
      : renderRepair(repair, place),
  );
  return EXIT.done;
}

function renderRepair({ was, detail, files, keptAs }: JournalRepair, place: JournalPlace): string {
  const { directory } = place;
  const kept = keptAs === null ? [] : [`what was there is kept as ${join(directory, keptAs)}`];
  const lines = was === "level"
    ? [`journal ${directory}: ${detail}; nothing to repair`]
    : [`journal ${directory}: rebuilt for ${formatCount(files)} files; it was: ${detail}`, ...kept];
  return lines.map((line) => `${escapeControls(line)}\n`).join("");
}
