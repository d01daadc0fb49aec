import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { formatBytes, formatCount } from "./number_format.ts";
import { withPipeline } from "./pipeline_session.ts";
import { usageError } from "./usage_error.ts";

export const filesReloadCommand: Command = {
  name: "files reload",
  summary: "load files anew, in place of what was loaded from them",
  positionalsText: "FILE…",
  maxPositionals: Infinity,
  flags: [
    { name: "all", kind: "switch", summary: "every file of the pipeline" },
    databaseFlag,
    pipelineFlag,
    jsonFlag,
    quietFlag,
  ],
  details:
    "One transaction a file, while an ingester may run: readers see the old rows or the new " +
    "ones. Records of other files that were duplicates of rows that are gone are read again. No " +
    "batch commits into the table meanwhile.",
  run: runReload,
};

async function runReload(context: CommandContext): Promise<number> {
  const { flags, positionals, terminal, signal } = context;
  const isAll = flags.switch("all");
  if (isAll === positionals.length > 0) {
    throw usageError(
      isAll ? "files reload: --all, but files are named" : "files reload: no file is named",
      "name files, as in `pgsluice files reload events.csv`, or give --all",
    );
  }
  return await withPipeline(context, {
    doing: "files reload",
    work: async ({ sql, pipeline, schema }) => {
      const { reloadFiles } = await import("../files/reload_files.ts");
      const report = await reloadFiles(sql, {
        pipeline,
        schema,
        files: isAll ? null : positionals,
        onProgress: ({ path, bytes }) =>
          terminal.live(`reloading ${escapeControls(path)}: ${formatBytes(bytes)}`),
        signal,
      }).finally(() => terminal.live(null));
      for (const file of report.reloaded) {
        terminal.say(
          `${escapeControls(file.path)}: generation ${file.generation}: ` +
            `${formatCount(file.loaded)} loaded, ${formatCount(file.rejected)} rejected, ` +
            `${formatCount(file.duplicate)} duplicates`,
        );
      }
      for (const { path, reason } of report.failed) {
        terminal.say(`${escapeControls(path)}: not reloaded: ${escapeControls(reason)}`);
      }
      if (flags.switch("json")) {
        await terminal.write(`${JSON.stringify({ pipeline: pipeline.name, ...report })}\n`);
      }
      return report.failed.length > 0 ? EXIT.data : EXIT.done;
    },
  });
}
