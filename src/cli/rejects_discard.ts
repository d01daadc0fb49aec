import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { formatCount } from "./number_format.ts";
import { withPipeline } from "./pipeline_session.ts";
import { FILTER_FLAGS, filterFromFlags } from "./rejects_flags.ts";
import { rejectIds } from "./rejects_ids.ts";
import { usageError } from "./usage_error.ts";

export const rejectsDiscardCommand: Command = {
  name: "rejects discard",
  summary: "close rejects that nobody will mend; they stay counted as rejected",
  positionalsText: "[ID…]",
  maxPositionals: Infinity,
  flags: [...FILTER_FLAGS, databaseFlag, pipelineFlag, jsonFlag, quietFlag],
  details:
    "Either by id, each of an open reject, or all open ones that --file, --code and --since " +
    "choose. They are no longer listed nor exported, and cannot be retried; " +
    "`pgsluice rejects list --all` still has them.",
  run: runDiscard,
};

async function runDiscard(context: CommandContext): Promise<number> {
  const { flags, positionals, terminal } = context;
  const ids = rejectIds(positionals);
  const isFiltered = flags.text("file") !== undefined || flags.text("code") !== undefined ||
    flags.text("since") !== undefined;
  if (isFiltered === ids.length > 0) {
    throw usageError(
      isFiltered
        ? "rejects discard takes ids, or flags that choose rejects, not both"
        : "rejects discard needs to know which rejects",
      "pgsluice rejects discard 7 8, or pgsluice rejects discard --code bad_number",
    );
  }
  const { discardRejects } = await import("../rejects/discard_rejects.ts");
  const { discarded, pipeline } = await withPipeline(context, {
    doing: "discarding rejects",
    work: async (session) => ({
      pipeline: session.pipeline.name,
      discarded: await discardRejects(
        session.sql,
        session.pipeline,
        isFiltered ? { filter: await filterFromFlags(flags, session) } : { ids },
      ),
    }),
  });
  await terminal.write(
    flags.switch("json")
      ? `${JSON.stringify({ pipeline, discarded })}\n`
      : `discarded ${formatCount(discarded)} ${discarded === 1 ? "reject" : "rejects"} of ` +
        `pipeline ${pipeline}; they stay counted as rejected\n`,
  );
  return EXIT.done;
}
