import { EXIT } from "../pgsluice_error.ts";
import type { RejectDetails } from "../rejects/show_rejects.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { displayWidth } from "./display_width.ts";
import { escapeControls } from "../escape_controls.ts";
import { formatBytes } from "./number_format.ts";
import { withPipeline } from "./pipeline_session.ts";
import { rejectIds } from "./rejects_ids.ts";
import { showBytes } from "../show_bytes.ts";
import { usageError } from "./usage_error.ts";

/** The widest name in front of a fact, and a blank. */
const NAME_WIDTH = 10;

export const rejectsShowCommand: Command = {
  name: "rejects show",
  summary: "show everything about some rejects, the record's bytes included",
  positionalsText: "ID…",
  maxPositionals: Infinity,
  flags: [databaseFlag, pipelineFlag, jsonFlag, quietFlag],
  details: "Control characters and bytes that are no UTF-8 are shown as escapes; --json has the " +
    "bytes in base64 as well. The ledger keeps the first 8 KiB of a record; " +
    "`pgsluice rejects export` reads longer ones again from the file.",
  run: runShow,
};

async function runShow(context: CommandContext): Promise<number> {
  const { flags, positionals, terminal } = context;
  if (positionals.length === 0) {
    throw usageError("rejects show needs the id of a reject", "pgsluice rejects show 7");
  }
  const ids = rejectIds(positionals);
  const { showRejects } = await import("../rejects/show_rejects.ts");
  const rejects = await withPipeline(context, {
    doing: "showing rejects",
    work: async ({ sql, pipeline, schema }) => await showRejects(sql, { pipeline, schema, ids }),
  });
  await terminal.write(
    flags.switch("json")
      ? `${JSON.stringify({ rejects: rejects.map(toJson) })}\n`
      : rejects.map((reject) => renderReject(reject, terminal)).join("\n"),
  );
  return EXIT.done;
}

function toJson({ raw, mended, ...facts }: RejectDetails) {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    ...facts,
    raw: text(raw),
    rawBase64: raw.toBase64(),
    mended: mended === null ? null : text(mended),
    mendedBase64: mended === null ? null : mended.toBase64(),
  };
}

function renderReject(reject: RejectDetails, terminal: Terminal): string {
  const { id, state, file, generation, line, startByte, endByte } = reject;
  const inGeneration = generation === 1 ? "" : ` (generation ${generation})`;
  const facts: [string, string | null][] = [
    ["file", `${file}${inGeneration}, line ${line}, bytes ${startByte} to ${endByte}`],
    ["rejected", reject.rejectedAt],
    ["closed", reject.closedAt],
    ["column", reject.column],
    ["code", reject.code],
    ["reason", reject.reason],
    ["key", reject.key],
  ];
  return [
    `reject ${id}: ${state}`,
    ...facts.flatMap(([name, text]) => text === null ? [] : [factLine(name, text)]),
    ...rawLines(reject, terminal),
    ...(reject.mended === null ? [] : [factLine("mended", showBytes(reject.mended))]),
  ].map((text) => `${text}\n`).join("");
}

function factLine(name: string, text: string): string {
  return name.padEnd(NAME_WIDTH) + escapeControls(text);
}

function rawLines(
  { raw, fault, startByte, endByte }: RejectDetails,
  terminal: Terminal,
): string[] {
  const shown = showBytes(raw);
  const sizeBytes = endByte - startByte;
  const cut = raw.length < sizeBytes
    ? [factLine("", `… the first ${formatBytes(raw.length)} of ${formatBytes(sizeBytes)}`)]
    : [];
  // under a line that the terminal wraps a caret would point at something else
  const fits = !terminal.stdoutIsTerminal || NAME_WIDTH + displayWidth(shown) <= terminal.columns;
  if (fault === null || !fits) return [factLine("raw", shown), ...cut];
  const before = displayWidth(showBytes(raw.subarray(0, fault.from)));
  const width = displayWidth(showBytes(raw.subarray(fault.from, fault.to)));
  const caret = " ".repeat(NAME_WIDTH + before) + "^".repeat(Math.max(1, width));
  return [factLine("raw", shown), caret, ...cut];
}
