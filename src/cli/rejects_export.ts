import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import type { ExportFile } from "./export_file.ts";
import { formatCount } from "./number_format.ts";
import { withPipeline } from "./pipeline_session.ts";
import { FILTER_FLAGS, filterFromFlags } from "./rejects_flags.ts";

/** Rejects without their bytes that are told one by one. */
const TOLD_MISSING = 10;

export const rejectsExportCommand: Command = {
  name: "rejects export",
  summary: "write the open rejects as a CSV to mend, for `pgsluice rejects retry`",
  positionalsText: "[FILE]",
  maxPositionals: 1,
  flags: [...FILTER_FLAGS, databaseFlag, pipelineFlag, quietFlag],
  details: [
    "Columns: reject_id, file, line, code, column, reason, raw. raw is the record's bytes as they " +
    "are, in quotes, each quote in them doubled. Mend it, and leave reject_id as it is; rows may be " +
    "left out, and so may the other columns.",
    "Without FILE, or with -, to stdout. FILE appears when it is complete; one that is there is " +
    "not overwritten.",
    [
      "  pgsluice rejects export bad.csv --code bad_number",
      "  pgsluice rejects retry bad.csv",
    ].join("\n"),
  ].join("\n\n"),
  run: runExport,
};

async function runExport(context: CommandContext): Promise<number> {
  const { flags, positionals, terminal } = context;
  const [path = "-"] = positionals;
  const missing: { rejectId: number; reason: string }[] = [];
  let missingCount = 0;
  const output = path === "-" ? null : await createFile(path);
  try {
    const { exportRejects } = await import("../rejects/export_rejects.ts");
    const count = await withPipeline(context, {
      doing: "exporting rejects",
      work: async (session) =>
        await exportRejects(session.sql, {
          pipeline: session.pipeline,
          filter: await filterFromFlags(flags, session),
          write: (bytes) => output === null ? terminal.write(bytes) : output.write(bytes),
          onMissing(each) {
            missingCount++;
            if (missing.length < TOLD_MISSING) missing.push(each);
          },
        }),
    });
    await output?.commit();
    for (const { rejectId, reason } of missing) {
      terminal.say(`reject ${rejectId} is exported with an empty raw: ${reason}`);
    }
    const more = missingCount - missing.length;
    if (more > 0) terminal.say(`… and ${formatCount(more)} more with an empty raw`);
    terminal.say(
      `exported ${formatCount(count)} ${count === 1 ? "reject" : "rejects"}` +
        (output === null ? "" : ` to ${path}`),
    );
    return EXIT.done;
  } catch (error) {
    await output?.discard();
    throw error;
  }
}

/** @throws PgsluiceError `export-file` if it is there, or cannot be made */
async function createFile(path: string): Promise<ExportFile> {
  const { ExportFile } = await import("./export_file.ts");
  return await ExportFile.create(path);
}
