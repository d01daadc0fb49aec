import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { Difference, FileReport, VerifyReport } from "../verify/verify_report.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag, tableFlag } from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { formatBytes, formatCount } from "./number_format.ts";
import { renderTable } from "./render_table.ts";

/** With more files than this only those that are not exact are listed. */
const LISTED_FILES = 20;
/** Differences shown, of all files together. */
const SHOWN_DIFFERENCES = 10;

export const verifyCommand: Command = {
  name: "verify",
  summary: "read every file again and compare it with the ledger and the table",
  positionalsText: "[FILE…]",
  maxPositionals: Infinity,
  flags: [
    {
      name: "manifest",
      kind: "text",
      placeholder: "FILE",
      summary: "compare with what `generate --manifest FILE` wrote, too",
    },
    databaseFlag,
    { ...tableFlag, defaultText: "the pipeline's" },
    pipelineFlag,
    jsonFlag,
    quietFlag,
  ],
  details: [
    "Every file, or each FILE, is read up to where it is committed, by another reader than the " +
    "ingester's: its records must be what is loaded, rejected and duplicate, row by row and " +
    "column by column. It is one look at the database; an ingester may go on meanwhile.",
    "exact: file, ledger and table agree. differs: they do not; exit code 3. source gone: the " +
    "file can no longer be read; ledger and table agree. expired: `pgsluice prune` took its " +
    "duplicates and discarded rejects; its rows are compared one by one, the others by their " +
    "totals. failed, held, same, undone, skipped: nothing of the file's present content is " +
    "loaded, for the reason shown.",
    "The sums by minute that the reports read are compared with the table's rows, unless files are " +
    "named. Where others changed the rows, `pgsluice setup --recount` counts them anew.",
    "A file that was archived is read where it was moved to; a reject that was mended is compared " +
    "as it was mended.",
  ].join("\n\n"),
  run: runVerify,
};

async function runVerify(
  { flags, positionals, terminal, signal }: CommandContext,
): Promise<number> {
  const manifestPath = flags.text("manifest");
  if (manifestPath !== undefined && positionals.length > 0) {
    throw new PgsluiceError("usage", "--manifest tells of all files, but some are named", {
      hint: "leave out one or the other",
      exitCode: EXIT.usage,
    });
  }
  const manifest = manifestPath === undefined ? undefined : await readManifest(manifestPath);
  const { targetFromFlags } = await import("./database_option.ts");
  const { hasData } = await import("../status/has_data.ts");
  const target = targetFromFlags(flags);
  if (!await hasData(target)) {
    throw new PgsluiceError("no-ledger", "there is no database yet, so nothing to verify", {
      hint: "load something with `pgsluice ingest`, or name a server with --database",
    });
  }
  const { connect } = await import("../database/connect.ts");
  const { verifyPipeline } = await import("../verify/verify_pipeline.ts");
  const { USER_EVENTS } = await import("../schema/user_events.ts");
  const client = await connect(target, {
    applicationName: "pgsluice verify",
    say: (text) => terminal.say(text),
  });
  const table = flags.text("table");
  try {
    const report = await verifyPipeline({
      sql: client.sql,
      schema: USER_EVENTS,
      pipeline: flags.text("pipeline") ?? "default",
      signal,
      ...(table !== undefined && { table }),
      ...(positionals.length > 0 && { files: positionals }),
      ...(manifest && { manifest }),
      onProgress: ({ filesDone, fileCount, bytesDone, byteCount }) => {
        const percent = byteCount === 0 ? 100 : Math.floor(100 * bytesDone / byteCount);
        terminal.live(
          `verifying: ${formatCount(filesDone)} of ${formatCount(fileCount)} files, ` +
            `${formatBytes(bytesDone)} of ${formatBytes(byteCount)}, ${percent} %`,
        );
      },
    });
    terminal.live(null);
    await terminal.write(
      flags.switch("json") ? `${JSON.stringify(report)}\n` : renderReport(report, terminal),
    );
    return report.isExact ? EXIT.done : EXIT.data;
  } finally {
    terminal.live(null);
    await client.close();
  }
}

async function readManifest(path: string) {
  const { parseManifest } = await import("../generate/manifest.ts");
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PgsluiceError("bad-manifest", `cannot read the manifest ${path}: ${why}`, {
      hint: "name a file that `pgsluice generate --manifest FILE` wrote",
      cause: error,
    });
  }
  return parseManifest(text);
}

function renderReport(report: VerifyReport, terminal: Terminal): string {
  const { files } = report;
  const listed = files.length <= LISTED_FILES
    ? files
    : files.filter((file) => file.verdict !== "exact").slice(0, LISTED_FILES);
  const parts: string[] = [];
  if (listed.length > 0) parts.push(renderFiles(listed, terminal));
  if (listed.length < files.length) parts.push(`${unlisted(files, listed)}\n`);
  const differences = renderDifferences(report);
  if (differences.length > 0) parts.push(differences.map((line) => `${line}\n`).join(""));
  parts.push([...caveats(files), report.summary].map((line) => `${line}\n`).join(""));
  return parts.join("\n");
}

function renderFiles(files: readonly FileReport[], terminal: Terminal): string {
  return renderTable({
    columns: [
      { header: "file", align: "left" },
      { header: "verdict", align: "left" },
      { header: "size", align: "right" },
      { header: "loaded", align: "right" },
      { header: "rejected", align: "right" },
      { header: "duplicates", align: "right" },
      { header: "note", align: "left" },
    ],
    rows: files.map((file) => [
      nameOf(file),
      file.verdict,
      formatBytes(file.committedBytes),
      formatCount(file.loaded),
      formatCount(file.rejected),
      formatCount(file.duplicate),
      file.reason ?? "",
    ]),
    ...(terminal.stdoutIsTerminal && { maxWidth: terminal.columns }),
  });
}

function nameOf({ path, generation }: FileReport): string {
  return generation === 1 ? path : `${path} (generation ${generation})`;
}

function unlisted(files: readonly FileReport[], listed: readonly FileReport[]): string {
  const counts = new Map<string, number>();
  for (const file of files) {
    if (!listed.includes(file)) counts.set(file.verdict, (counts.get(file.verdict) ?? 0) + 1);
  }
  return [...counts].map(([verdict, count]) => `${formatCount(count)} files ${verdict}`).join(", ");
}

/** The first differences of each file, as many as fit, then how many more there are. */
function renderDifferences(
  { files, strays, sums, manifest, differenceCount }: VerifyReport,
): string[] {
  const lines = [
    ...files.flatMap((file) => file.differences.map((each) => describe(nameOf(file), each))),
    ...strays.map((each) => describe("table", each)),
    ...sums.map((each) => describe("sums by minute", each)),
    ...(manifest ?? []).map((fact) => describe(`manifest, ${fact.name}`, fact)),
  ].slice(0, SHOWN_DIFFERENCES);
  const more = differenceCount - lines.length;
  return more > 0 ? [...lines, `… and ${formatCount(more)} more`] : lines;
}

function describe(
  where: string,
  { lineNumber = null, column = null, expected, found }:
    & Pick<Difference, "expected" | "found">
    & Partial<Difference>,
): string {
  const line = lineNumber === null ? "" : ` line ${lineNumber}`;
  const place = column === null ? "" : `, ${column}`;
  return escapeControls(`${where}${line}${place}: expected ${expected}, found ${found}`);
}

/** What a summary that says `verified` must not keep quiet about. */
function caveats(files: readonly FileReport[]): string[] {
  const count = (verdict: FileReport["verdict"]) =>
    files.filter((file) => file.verdict === verdict).length;
  // of a generation that was reloaded nothing is left to be compared
  const gone =
    files.filter(({ verdict, loaded, rejected, duplicate }) =>
      verdict === "source gone" && loaded + rejected + duplicate > 0
    ).length;
  const expired = count("expired");
  const notLoaded = (["failed", "held", "undone", "skipped"] as const)
    .map((verdict) => ({ verdict, fileCount: count(verdict) }))
    .filter(({ fileCount }) => fileCount > 0);
  const lost = notLoaded.reduce((sum, { fileCount }) => sum + fileCount, 0);
  return [
    ...(gone > 0
      ? [
        `${formatCount(gone)} of the sources can no longer be read: of them only ledger and ` +
        "table were compared",
      ]
      : []),
    ...(expired > 0
      ? [
        `${
          formatCount(expired)
        } files have expired: of their records that are not loaded only the ` +
        "totals were compared",
      ]
      : []),
    ...(lost > 0
      ? [
        `${formatCount(lost)} files are not loaded (` +
        notLoaded.map(({ verdict, fileCount }) => `${formatCount(fileCount)} ${verdict}`)
          .join(", ") +
        ")",
      ]
      : []),
  ];
}
