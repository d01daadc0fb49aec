import type { JournalContent } from "../checkpoint/journal_codec.ts";
import type { JournalFound } from "../checkpoint/read_journal.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { checkpointsFlag, jsonFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { journalPlace } from "./journal_place.ts";
import { formatBytes, formatCount } from "./number_format.ts";
import { renderTable } from "./render_table.ts";

/** Files listed; `--json` has all. */
const LISTED_FILES = 20;

export const checkpointShowCommand: Command = {
  name: "checkpoint show",
  summary: "show what a pipeline's journal says, without a database",
  flags: [pipelineFlag, checkpointsFlag, jsonFlag, quietFlag],
  details: [
    `How far each file was committed when the journal was written last; of more than ${LISTED_FILES} ` +
    "files, --json has all. Of a damaged journal, what its lines before the damage say.",
    "Exit code 3 if the journal is damaged, or of a newer pgsluice.",
  ].join("\n\n"),
  run: runShow,
};

/** What `--json` gives. */
interface JournalReport {
  readonly path: string;
  readonly state: "whole" | "torn" | "damaged" | "newer";
  /** What is wrong; null for a whole one. */
  readonly reason: string | null;
  /** ms since 1970. */
  readonly writtenAtMs: number | null;
  readonly sizeBytes: number;
  readonly pipeline: string | null;
  readonly identity: string | null;
  readonly source: string | null;
  readonly table: string | null;
  readonly epoch: number | null;
  /** Lines that can be read. */
  readonly lineCount: number;
  readonly files: readonly {
    readonly path: string;
    readonly generation: number;
    readonly committedByte: number;
    readonly committedLine: number;
    readonly revision: number;
  }[];
}

async function runShow({ flags, terminal }: CommandContext): Promise<number> {
  const reader = await import("../checkpoint/read_journal.ts");
  const { directory, pipeline } = journalPlace(flags);
  const path = reader.journalPath(directory);
  const found = await reader.readJournal(directory);
  if (found.kind === "missing") {
    throw new PgsluiceError("no-journal", `there is no journal ${path}`, {
      hint: `name the pipeline with --pipeline, not ${pipeline}, or the folder of all journals ` +
        "with --checkpoints; `pgsluice checkpoint repair` makes it anew from the database",
    });
  }
  const report = journalReport(found, {
    path,
    content: reader.readableContent(found),
    info: await Deno.stat(path).catch(() => null),
  });
  await terminal.write(
    flags.switch("json") ? `${JSON.stringify(report)}\n` : renderReport(report, terminal),
  );
  return report.state === "damaged" || report.state === "newer" ? EXIT.data : EXIT.done;
}

function journalReport(
  found: Exclude<JournalFound, { kind: "missing" }>,
  { path, content, info }: {
    path: string;
    content: JournalContent | null;
    info: Deno.FileInfo | null;
  },
): JournalReport {
  return {
    path,
    state: found.kind === "whole" && found.content.isTorn ? "torn" : found.kind,
    reason: reasonOf(found),
    writtenAtMs: info?.mtime?.getTime() ?? null,
    sizeBytes: info?.size ?? 0,
    pipeline: content?.head.pipeline ?? null,
    identity: content?.head.identity ?? null,
    source: content?.head.source ?? null,
    table: content?.head.table ?? null,
    epoch: content?.epoch ?? null,
    lineCount: content?.lineCount ?? 0,
    files: [...content?.files.values() ?? []],
  };
}

function reasonOf(found: Exclude<JournalFound, { kind: "missing" }>): string | null {
  switch (found.kind) {
    case "whole":
      return found.content.isTorn
        ? `line ${found.content.lineCount + 1} is cut short, as a crash leaves it`
        : null;
    case "damaged":
      return found.reason;
    case "newer":
      return `its format is ${found.format}, of a newer pgsluice`;
  }
}

function renderReport(report: JournalReport, terminal: Terminal): string {
  const { files, reason, state } = report;
  const readable = state === "damaged" && report.lineCount > 0
    ? "; what is before it can be read"
    : "";
  const facts: [string, string | null][] = [
    ["journal", `${report.path} (${formatBytes(report.sizeBytes)})`],
    ["state", reason === null ? state : `${state}: ${reason}${readable}`],
    ["written", report.writtenAtMs === null ? null : new Date(report.writtenAtMs).toISOString()],
    ["pipeline", report.pipeline === null ? null : `${report.pipeline}, id ${report.identity}`],
    ["source", report.source],
    ["table", report.table],
    ["epoch", report.epoch === null ? null : String(report.epoch)],
    ["lines", report.epoch === null ? null : formatCount(report.lineCount)],
  ];
  const head = facts
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.padEnd(9)}${escapeControls(value!)}\n`)
    .join("");
  const unlisted = files.length - LISTED_FILES;
  return [
    head,
    ...(files.length > 0 ? [renderFiles(files.slice(0, LISTED_FILES), terminal)] : []),
    ...(unlisted > 0 ? [`… and ${formatCount(unlisted)} more; --json has all\n`] : []),
  ].join("\n");
}

function renderFiles(files: JournalReport["files"], terminal: Terminal): string {
  return renderTable({
    columns: [
      { header: "file", align: "left" },
      { header: "generation", align: "right" },
      { header: "bytes", align: "right" },
      { header: "lines", align: "right" },
    ],
    rows: files.map((file) => [
      file.path,
      String(file.generation),
      formatCount(file.committedByte),
      formatCount(file.committedLine),
    ]),
    ...(terminal.stdoutIsTerminal && { maxWidth: terminal.columns }),
  });
}
