import { EXIT } from "../pgsluice_error.ts";
import type { AcceptedFile } from "../files/accept_file.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { withPipeline } from "./pipeline_session.ts";
import { usageError } from "./usage_error.ts";

export const filesAcceptCommand: Command = {
  name: "files accept",
  summary: "let the ingester load a file that it holds back",
  positionalsText: "FILE…",
  maxPositionals: Infinity,
  flags: [databaseFlag, pipelineFlag, jsonFlag, quietFlag],
  details: "A file that is held (it was replaced, and has no event_id) is loaded in addition to " +
    "what it held before; one that was skipped (--from now) is loaded. `pgsluice files reload` " +
    "loads a file in place of what it held before.",
  run: runAccept,
};

async function runAccept(context: CommandContext): Promise<number> {
  const { flags, positionals, terminal } = context;
  if (positionals.length === 0) {
    throw usageError("files accept: no file is named", "as in: pgsluice files accept events.csv");
  }
  await withPipeline(context, {
    doing: "files accept",
    work: async ({ sql, pipeline }) => {
      const { acceptFile } = await import("../files/accept_file.ts");
      const accepted: AcceptedFile[] = [];
      for (const file of positionals) {
        const one = await acceptFile(sql, { pipeline, file });
        accepted.push(one);
        terminal.say(`${one.path}: the ingester loads it as generation ${one.generation}`);
      }
      if (flags.switch("json")) {
        await terminal.write(`${JSON.stringify({ pipeline: pipeline.name, accepted })}\n`);
      }
    },
  });
  return EXIT.done;
}
