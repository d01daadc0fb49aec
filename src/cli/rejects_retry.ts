import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { RetryReport } from "../rejects/retry_report.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { formatCount } from "./number_format.ts";
import { withPipeline } from "./pipeline_session.ts";
import { usageError } from "./usage_error.ts";

export const rejectsRetryCommand: Command = {
  name: "rejects retry",
  summary: "load rejects that were mended in a CSV of `pgsluice rejects export`",
  positionalsText: "FILE|-",
  maxPositionals: 1,
  flags: [databaseFlag, pipelineFlag, jsonFlag, quietFlag],
  details: [
    "Of the CSV only reject_id and raw count, each raw being one record under the header of the " +
    "file it came from. In one transaction each becomes loaded or duplicate and is closed, with " +
    "the file, line and derived event_id it had; one that is still bad stays open with its new " +
    "reason, and the exit code is 3.",
    "An id that is unknown, closed or given twice is an error, and nothing changes. An ingester " +
    "may go on meanwhile.",
  ].join("\n\n"),
  run: runRetry,
};

async function runRetry(context: CommandContext): Promise<number> {
  const { flags, positionals, terminal } = context;
  const [path] = positionals;
  if (path === undefined) {
    throw usageError(
      "rejects retry needs the CSV with the mended records, or - for stdin",
      "pgsluice rejects retry bad.csv",
    );
  }
  const { readMendedRows } = await import("../rejects/mended_rows.ts");
  const { retryRejects } = await import("../rejects/retry_rejects.ts");
  const bytes = await openInput(path);
  const name = path === "-" ? "standard input" : path;
  const report = await withPipeline(context, {
    doing: "retrying rejects",
    work: async ({ sql, pipeline, schema }) =>
      await retryRejects(sql, { pipeline, schema, mended: readMendedRows({ bytes, name }) }),
    // the file is open even if it was not read to its end
  }).finally(() => path === "-" ? undefined : bytes.cancel().catch(() => {}));
  await terminal.write(
    flags.switch("json") ? `${JSON.stringify(report)}\n` : renderReport(report),
  );
  return report.kept === 0 ? EXIT.done : EXIT.data;
}

/** @throws PgsluiceError `bad-mended-file` */
async function openInput(path: string): Promise<ReadableStream<Uint8Array>> {
  if (path === "-") return Deno.stdin.readable;
  try {
    return (await Deno.open(path)).readable;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PgsluiceError("bad-mended-file", `cannot read ${path}: ${why}`, {
      hint: "name a file that `pgsluice rejects export FILE` wrote, or - for standard input",
      cause: error,
    });
  }
}

function renderReport({ loaded, duplicate, kept, firstKept }: RetryReport): string {
  const lines = firstKept.map(({ id, file, line, code, reason }) =>
    `reject ${id}, ${file} line ${line}: ${code === null ? "" : `${code}: `}${reason}`
  );
  const more = kept - firstKept.length;
  if (more > 0) lines.push(`… and ${formatCount(more)} more`);
  if (lines.length > 0) lines.push("");
  const all = loaded + duplicate + kept;
  lines.push(
    `retried ${formatCount(all)} rejects: ${formatCount(loaded)} loaded, ` +
      `${formatCount(duplicate)} duplicates, ${formatCount(kept)} still rejected`,
  );
  return lines.map((line) => `${escapeControls(line)}\n`).join("");
}
