import { EXIT } from "../pgsluice_error.ts";
import type { UndoneFile } from "../files/undo_file.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { formatCount } from "./number_format.ts";
import { withPipeline } from "./pipeline_session.ts";
import { usageError } from "./usage_error.ts";

export const filesUndoCommand: Command = {
  name: "files undo",
  summary: "take what a file loaded out of the table again",
  positionalsText: "FILE…",
  maxPositionals: Infinity,
  flags: [databaseFlag, pipelineFlag, jsonFlag, quietFlag],
  details: "One transaction a file, while an ingester may run. Records of other files that were " +
    "duplicates of its rows are read again and loaded in their place. The file is not loaded " +
    "again until `pgsluice files reload`. Of a file that was replaced, the latest generation is " +
    "undone.",
  run: runUndo,
};

async function runUndo(context: CommandContext): Promise<number> {
  const { flags, positionals, terminal } = context;
  if (positionals.length === 0) {
    throw usageError("files undo: no file is named", "as in: pgsluice files undo events.csv");
  }
  await withPipeline(context, {
    doing: "files undo",
    work: async ({ sql, pipeline, schema }) => {
      const { undoFile } = await import("../files/undo_file.ts");
      const undone: UndoneFile[] = [];
      for (const file of positionals) {
        const one = await undoFile(sql, { pipeline, schema, file });
        undone.push(one);
        terminal.say(
          `${one.path}: took out ${formatCount(one.loaded)} rows, ` +
            `${formatCount(one.rejected)} rejects, ${formatCount(one.duplicate)} duplicates` +
            (one.readAgain === 0
              ? ""
              : `; read ${formatCount(one.readAgain)} records of other files again`),
        );
      }
      if (flags.switch("json")) {
        await terminal.write(`${JSON.stringify({ pipeline: pipeline.name, undone })}\n`);
      }
    },
  });
  return EXIT.done;
}
