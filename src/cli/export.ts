import { EXIT } from "../pgsluice_error.ts";
import type { ExportedEvents, ExportFormatName, ExportProgress } from "../query/export_events.ts";
import { csvHeader } from "../schema/schema_help.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import type { Command, CommandContext, FlagValues, Terminal } from "./command.ts";
import { databaseFlag, pipelineFlag, quietFlag, sinceFlag } from "./common_flags.ts";
import type { ExportFile } from "./export_file.ts";
import { formatBytes, formatCount, formatDuration, formatRate } from "./number_format.ts";
import { withPipeline } from "./pipeline_session.ts";
import { QUERY_FORMATS } from "./query_format.ts";
import { usageError } from "./usage_error.ts";
import { untilFlag, windowFromFlags } from "./window_flags.ts";
import { windowText } from "./window_text.ts";

const FORMATS: readonly ExportFormatName[] = ["csv", "ndjson"];
const DEFAULT_FORMAT = "csv";

export const exportCommand: Command = {
  name: "export",
  summary: "write the events that are loaded as CSV or as JSON lines",
  positionalsText: "[FILE|-]",
  maxPositionals: 1,
  flags: [
    {
      ...sinceFlag,
      summary: "from there on, as in 2026-03-14T10:00; or so long before the end, as in 1h",
      defaultText: "all there is",
    },
    { ...untilFlag, defaultText: "all there is" },
    {
      name: "format",
      kind: "text",
      placeholder: "FORMAT",
      // a variable of this name is for both commands
      choices: QUERY_FORMATS,
      summary: "csv with a header, or ndjson, an object a line; the others are for `query`",
      defaultText: DEFAULT_FORMAT,
    },
    databaseFlag,
    pipelineFlag,
    quietFlag,
  ],
  details: [
    `All rows of the pipeline's table whose event_timestamp is in the window, which begins with ` +
    "--since and ends before --until, from one snapshot. --since 1h is an hour before --until, else " +
    "before the newest event, as in `pgsluice query`. Times without an offset are those of the " +
    "pipeline's time zone.",
    `Columns: ${csvHeader(USER_EVENTS).join(", ")}. They are what a CSV has that is loaded: ` +
    "`pgsluice ingest` makes the same rows of it again, the derived columns included, or finds that " +
    "they are duplicates. file_id, line_number and ingested_at tell of this loading alone, and are " +
    "left out; `pgsluice query --sql` has them.",
    "Times are ISO 8601 in UTC. In CSV null is nothing and the empty text two quotes; in JSON whole " +
    "numbers and prices are numbers with all their digits, which some readers of JSON round beyond " +
    "2^53. Rows are not sorted: they come in the order of the table, which is about that of the " +
    "loading, and the same again while nothing changes.",
    "Without FILE, or with -, to stdout, which ends with a whole line even if the export is stopped, " +
    "unless its reader has stalled. FILE appears when it is complete; one that is there is not overwritten. While the reader of " +
    "stdout waits, the server keeps the snapshot, and vacuum what is in it.",
    [
      "  pgsluice export events.csv",
      "  pgsluice export --since 1h --format ndjson | jq .price",
      "  pgsluice export --since 2026-03-14 --until 2026-03-15 | gzip > day.csv.gz",
      "  pgsluice export | pgsluice ingest - --database URL --source-id copy",
    ].join("\n"),
  ].join("\n\n"),
  run: runExport,
};

async function runExport(context: CommandContext): Promise<number> {
  const { flags, positionals, terminal, signal } = context;
  const [path = "-"] = positionals;
  const windowIn = windowFromFlags(flags, { command: exportCommand.name });
  const format = formatFromFlags(flags);
  const { exportEvents } = await import("../query/export_events.ts");
  const file = path === "-" ? null : await createFile(path);
  const startedMs = performance.now();
  let givenBytes = 0;
  let writtenBytes = 0;
  try {
    const { exported, timeZone } = await withPipeline(context, {
      doing: "exporting events",
      async work({ client, pipeline }) {
        const exported = await exportEvents(client, {
          pipeline,
          schema: USER_EVENTS,
          request: windowIn(pipeline.timeZone),
          format,
          write(bytes) {
            givenBytes += bytes.length;
            return file === null ? terminal.write(bytes) : file.write(bytes);
          },
          onProgress(progress) {
            writtenBytes = progress.sizeBytes;
            // between lines of data it would be one of them
            if (file === null && terminal.stdoutIsTerminal) return;
            terminal.live(progressLine(progress, performance.now() - startedMs));
          },
          signal,
        });
        return { exported, timeZone: pipeline.timeZone };
      },
    });
    await file?.commit();
    terminal.live(null);
    terminal.say(closingLine(exported, { timeZone, file, tookMs: performance.now() - startedMs }));
    return EXIT.done;
  } catch (error) {
    terminal.live(null);
    await file?.discard();
    // a reader that has gone wants no more
    if (file === null && !(error instanceof Deno.errors.BrokenPipe)) {
      sayIncomplete(terminal, { givenBytes, writtenBytes });
    }
    throw error;
  }
}

/** @throws PgsluiceError `usage` if the flag says one of the other command's */
function formatFromFlags(flags: FlagValues): ExportFormatName {
  const text = flags.text("format") ?? DEFAULT_FORMAT;
  const format = FORMATS.find((known) => known === text);
  if (format !== undefined) return format;
  // a variable or a file is for all commands
  if (flags.givenBy("format")!.source !== "flag") return DEFAULT_FORMAT;
  throw usageError(
    `--format: an export is ${FORMATS.join(" or ")}, got ${JSON.stringify(text)}`,
    "`pgsluice query --sql` has the others",
  );
}

/** @throws PgsluiceError `export-file` */
async function createFile(path: string): Promise<ExportFile> {
  const { ExportFile } = await import("./export_file.ts");
  return await ExportFile.create(path);
}

/** Who reads it cannot tell by itself. */
function sayIncomplete(
  terminal: Terminal,
  { givenBytes, writtenBytes }: { givenBytes: number; writtenBytes: number },
): void {
  if (givenBytes === 0) return;
  const end = givenBytes > writtenBytes
    ? "and may end within a line, for its reader has stalled"
    : `and ends after ${formatBytes(writtenBytes)}, with a whole line`;
  terminal.say(`the output is not complete, ${end}`);
}

function progressLine({ rowCount, sizeBytes }: ExportProgress, tookMs: number): string {
  return `exporting: ${formatCount(rowCount)} rows, ${formatBytes(sizeBytes)}, ` +
    ratesText({ rowCount, sizeBytes }, tookMs);
}

/** As in `exported 2,000,000 rows, 241.1 MiB, in 1.9 s (…) to events.csv: all there is`. */
function closingLine(
  { rowCount, sizeBytes, window }: ExportedEvents,
  { timeZone, file, tookMs }: { timeZone: string; file: ExportFile | null; tookMs: number },
): string {
  const where = file === null ? "" : ` to ${file.path}`;
  return `exported ${formatCount(rowCount)} ${rowCount === 1 ? "row" : "rows"}, ` +
    `${formatBytes(sizeBytes)}, in ${formatDuration(tookMs)} ` +
    `(${ratesText({ rowCount, sizeBytes }, tookMs)})${where}: ${windowText(window, timeZone)}`;
}

function ratesText({ rowCount, sizeBytes }: ExportProgress, tookMs: number): string {
  const seconds = Math.max(tookMs, 1) / 1000;
  return `${formatRate(rowCount / seconds, "rows")}, ${
    formatBytes(Math.round(sizeBytes / seconds))
  }/s`;
}
