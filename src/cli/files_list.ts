import { EXIT } from "../pgsluice_error.ts";
import type { ListedFile } from "../files/list_files.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { formatBytes, formatCount } from "./number_format.ts";
import { withPipeline } from "./pipeline_session.ts";
import { renderTable } from "./render_table.ts";

const STATES = ["open", "done", "failed", "held", "same", "superseded", "undone", "skipped"];

export const filesListCommand: Command = {
  name: "files list",
  summary: "list every file of a pipeline, with its generations",
  flags: [
    {
      name: "state",
      kind: "text",
      placeholder: "STATE",
      summary: "only files in this state",
      choices: STATES,
    },
    databaseFlag,
    pipelineFlag,
    jsonFlag,
    quietFlag,
  ],
  run: runList,
};

async function runList(context: CommandContext): Promise<number> {
  const { flags, terminal } = context;
  await withPipeline(context, {
    doing: "files list",
    work: async ({ sql, pipeline }) => {
      const { listFiles } = await import("../files/list_files.ts");
      const state = (flags.text("state") ?? null) as ListedFile["state"] | null;
      const files = await listFiles(sql, { pipeline, state });
      await terminal.write(
        flags.switch("json")
          ? `${JSON.stringify({ pipeline: pipeline.name, files })}\n`
          : renderTable({
            columns: [
              { header: "file", align: "left" },
              { header: "generation", align: "right" },
              { header: "state", align: "left" },
              { header: "committed", align: "right" },
              { header: "loaded", align: "right" },
              { header: "rejected", align: "right" },
              { header: "duplicates", align: "right" },
              { header: "note", align: "left" },
            ],
            rows: files.map((file) => [
              file.path,
              String(file.generation),
              file.state,
              formatBytes(file.committedBytes),
              formatCount(file.loaded),
              formatCount(file.rejected),
              formatCount(file.duplicate),
              noteOf(file),
            ]),
            ...(terminal.stdoutIsTerminal && { maxWidth: terminal.columns }),
          }),
      );
    },
  });
  return EXIT.done;
}

function noteOf({ reason, archivedPath, deletedAtMs, expiredAtMs }: ListedFile): string {
  return [
    reason,
    archivedPath === null ? null : `in ${archivedPath}`,
    deletedAtMs === null ? null : `deleted ${new Date(deletedAtMs).toISOString()}`,
    expiredAtMs === null ? null : "its rejects and duplicates are kept as totals only",
  ].filter((note) => note !== null).join("; ");
}
