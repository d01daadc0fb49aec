import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import { COUNTED_REJECTS } from "../status/watch_picture.ts";
import type { FileStatus, PipelineStatus, StatusReport } from "../status/status_report.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import {
  checkpointsFlag,
  databaseFlag,
  jsonFlag,
  pipelineFlag,
  quietFlag,
} from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { checkpointsDirectory } from "./journal_place.ts";
import { formatBytes, formatCount, formatDuration, formatRate } from "./number_format.ts";
import { renderTable } from "./render_table.ts";
import { usageError } from "./usage_error.ts";

/** Files listed of a pipeline; `--json` has all. */
const LISTED_FILES = 20;

export const statusCommand: Command = {
  name: "status",
  summary: "show what is loaded, what waits, and what is wrong",
  flags: [
    { ...pipelineFlag, summary: "only this pipeline", defaultText: "all of them" },
    databaseFlag,
    checkpointsFlag,
    { name: "watch", kind: "switch", summary: "show it live, until Ctrl-C" },
    {
      name: "interval",
      kind: "duration",
      placeholder: "TIME",
      summary: "of --watch, between pictures",
      defaultText: "1s",
    },
    jsonFlag,
    quietFlag,
  ],
  details: [
    "backlog: files in the folder with bytes that are not committed, and the age of the oldest " +
    "of them by its last change. Files that are failed or held, and doubles of loaded ones, are " +
    "none of it.",
    "stages: where the time of a batch goes, of the last 100. read: reading its bytes; decode: " +
    "making rows of them; queue: waiting for a free connection; copy: sending rows, until the " +
    "server has taken them; turn: waiting for older batches to commit; ledger: writing down " +
    "rejects, duplicates and how far each file is; commit. Stages of several batches pass side " +
    "by side. An ingester with a long queue waits for the database, one with none for its files.",
    "journal: how the pipeline's journal on this machine stands to the ledger, as `pgsluice " +
    "checkpoint check` has it. An ingester that cannot write its journal goes on loading; this " +
    "is where it shows.",
    `Of each pipeline ${LISTED_FILES} files are listed, those that are not done first; --json has ` +
    "all. A database that pgsluice has not loaded into is no error: exit code 0.",
    "--watch draws all that fits the screen and says why a pipeline is idle. now: what it is doing; " +
    "records, bytes: the last 5 seconds, each of the last 60 as a bar, and the mean of these; " +
    `rejects: their codes are of the newest ${formatCount(COUNTED_REJECTS)} in the database; ` +
    "latency: of the files committed in the last minute, by the server's clock. What is dear with " +
    "many files (totals, backlog, journal) is each looked at so seldom that it takes 5 % of the time at most. " +
    "When the database goes away, the last picture stays with its age until it is back.",
    "Where stdout is no terminal, --watch writes a line a pipeline and interval; with --json an " +
    "object, or one with `outage` while the database is away. Ctrl-C and SIGTERM end it with exit " +
    "code 0.",
  ].join("\n\n"),
  run: runStatus,
};

async function runStatus(context: CommandContext): Promise<number> {
  const { flags, terminal } = context;
  if (flags.switch("watch")) {
    const { watchStatus } = await import("./status_watch.ts");
    return await watchStatus(context);
  }
  if (flags.givenBy("interval")?.source === "flag") {
    throw usageError("--interval: only with --watch", "add --watch, or leave it out");
  }
  const { targetFromFlags } = await import("./database_option.ts");
  const { hasData } = await import("../status/has_data.ts");
  const target = targetFromFlags(flags);
  const pipeline = flags.text("pipeline");
  const report = await hasData(target) ? await read() : null;
  if (pipeline !== undefined && (report === null || report.pipelines.length === 0)) {
    throw new PgsluiceError("no-such-pipeline", `there is no pipeline ${pipeline}`, {
      hint: "`pgsluice status` without --pipeline lists those there are",
    });
  }
  await terminal.write(
    flags.switch("json")
      ? `${JSON.stringify(report ?? { atMs: Date.now(), pipelines: [] })}\n`
      : renderReport(report, terminal),
  );
  return EXIT.done;

  async function read(): Promise<StatusReport | null> {
    const { connect } = await import("../database/connect.ts");
    const { readStatus } = await import("../status/read_status.ts");
    const client = await connect(target, {
      applicationName: "pgsluice status",
      say: (text) => terminal.say(text),
    });
    try {
      return await readStatus(client.sql, {
        checkpointsDirectory: checkpointsDirectory(flags),
        ...(pipeline !== undefined && { pipeline }),
      });
    } finally {
      await client.close();
    }
  }
}

function renderReport(report: StatusReport | null, terminal: Terminal): string {
  if (report === null || report.pipelines.length === 0) {
    return "nothing is loaded yet: start with `pgsluice ingest`\n";
  }
  return report.pipelines
    .map((pipeline) => renderPipeline(pipeline, { atMs: report.atMs, terminal }))
    .join("\n");
}

function renderPipeline(
  pipeline: PipelineStatus,
  { atMs, terminal }: { atMs: number; terminal: Terminal },
): string {
  const source = pipeline.sourceKind === "stdin" ? "standard input" : pipeline.sourcePath;
  const owner = pipeline.hasOwner ? "an ingester is at work" : "no ingester is running";
  const { loaded, rejected, duplicate, committedBytes } = pipeline;
  const lines = [
    `pipeline ${pipeline.name}: ${source} → ${pipeline.targetTable}, ` +
    `time zone ${pipeline.timeZone}; ${owner}`,
    `committed  ${formatCount(loaded)} loaded, ${formatCount(rejected)} rejected, ` +
    `${formatCount(duplicate)} duplicates; ${formatBytes(committedBytes)}`,
    `files      ${fileCounts(pipeline)}`,
    `backlog    ${backlogText(pipeline, atMs)}`,
    `last batch ${lastBatchText(pipeline, atMs)}`,
    ...batchLines(pipeline),
    ...journalLines(pipeline),
  ].map(escapeControls);
  const listed = pipeline.files.slice(0, LISTED_FILES);
  const unlisted = pipeline.files.length - listed.length;
  return [
    `${lines.join("\n")}\n`,
    ...(listed.length > 0 ? [renderFiles(listed, terminal)] : []),
    ...(unlisted > 0 ? [`… and ${formatCount(unlisted)} more; --json has all\n`] : []),
  ].join("\n");
}

function fileCounts({ filesByState, files }: PipelineStatus): string {
  const newCount = files.filter((file) => file.state === "new").length;
  const counts = Object.entries({ ...filesByState, new: newCount })
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${formatCount(count)} ${state}`);
  return counts.length === 0 ? "none" : counts.join(", ");
}

function backlogText({ backlog, backlogUnknown }: PipelineStatus, atMs: number): string {
  if (backlog === null) return `unknown: ${backlogUnknown}`;
  if (backlog.files === 0) return "none";
  const noun = backlog.files === 1 ? "file" : "files";
  const oldest = ago(backlog.oldestChangeMs!, atMs);
  return `${formatCount(backlog.files)} ${noun}, ${formatBytes(backlog.sizeBytes)}, ` +
    `the oldest changed ${oldest}`;
}

function lastBatchText({ lastBatchAtMs, lastMinute }: PipelineStatus, atMs: number): string {
  if (lastBatchAtMs === null) return "none";
  const rates = lastMinute === null
    ? ""
    : `; in the last minute ${formatRate(lastMinute.recordsPerSecond, "records")}, ` +
      `${formatBytes(Math.round(lastMinute.bytesPerSecond))}/s`;
  return `${ago(lastBatchAtMs, atMs)}${rates}`;
}

function batchLines({ recentBatches }: PipelineStatus): string[] {
  if (recentBatches === null) return [];
  const { batches, meanRecords, connections, stages } = recentBatches;
  const noun = connections === 1 ? "connection" : "connections";
  const parts = stages.map(({ stage, meanMs, share }) =>
    `${stage} ${formatDuration(meanMs)} (${Math.round(share * 100)} %)`
  );
  return [
    `batches    the last ${formatCount(batches)}: ${formatCount(meanRecords)} records on ` +
    `average, ${connections} ${noun}`,
    `stages     ${parts.join(", ")}`,
  ];
}

function journalLines({ journal }: PipelineStatus): string[] {
  if (journal === null) return [];
  const { kind, detail, hint, directory } = journal;
  if (kind === "level") return [`journal    ${detail}`];
  return [`journal    warning: ${kind} in ${directory}: ${detail}`, `           try: ${hint}`];
}

/** Clocks of two machines may disagree a little. */
function ago(thenMs: number, nowMs: number): string {
  return `${formatDuration(Math.max(0, nowMs - thenMs))} ago`;
}

function renderFiles(files: readonly FileStatus[], terminal: Terminal): string {
  return renderTable({
    columns: [
      { header: "file", align: "left" },
      { header: "state", align: "left" },
      { header: "committed", align: "right" },
      { header: "backlog", align: "right" },
      { header: "loaded", align: "right" },
      { header: "rejected", align: "right" },
      { header: "duplicates", align: "right" },
      { header: "reason", align: "left" },
    ],
    rows: files.map((file) => [
      file.path,
      file.state,
      formatBytes(file.committedBytes),
      file.backlogBytes === null ? "?" : formatBytes(file.backlogBytes),
      formatCount(file.loaded),
      formatCount(file.rejected),
      formatCount(file.duplicate),
      file.reason ?? "",
    ]),
    ...(terminal.stdoutIsTerminal && { maxWidth: terminal.columns }),
  });
}
