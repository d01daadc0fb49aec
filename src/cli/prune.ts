import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { PruneReport } from "../prune/prune_pipeline.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { formatCount } from "./number_format.ts";
import { usageError } from "./usage_error.ts";

export const pruneCommand: Command = {
  name: "prune",
  summary: "forget old batches, duplicates and discarded rejects; their totals stay",
  flags: [
    {
      name: "older-than",
      kind: "duration",
      placeholder: "AGE",
      summary: "what has not been touched for so long goes, as in 30d; must be given",
    },
    { name: "dry-run", kind: "switch", summary: "only say what would go" },
    pipelineFlag,
    databaseFlag,
    jsonFlag,
    quietFlag,
  ],
  details: [
    "What goes: batches but for the last one; and, of files that are done, failed, superseded or " +
    "undone and were not touched since, the places of duplicates, and rejects discarded before. " +
    "Those files are expired: `verify` compares their rows one by one, and of their other records " +
    "the totals.",
    "What stays: the events; each file's row in the ledger with its totals, without which it would " +
    "load twice; open rejects, which are work not done (`pgsluice rejects discard` lets them go); " +
    "mended ones, which are the proof of their rows.",
    "Rows that were loaded before an expired file was last touched, and of which it may have had " +
    "duplicates, can no longer be taken out by `files undo` or `files reload`. An ingester may run " +
    "meanwhile.",
  ].join("\n\n"),
  run: runPrune,
};

async function runPrune({ flags, terminal, signal }: CommandContext): Promise<number> {
  const olderThanMs = flags.number("older-than");
  if (olderThanMs === undefined) {
    throw usageError("prune needs --older-than AGE", "pgsluice prune --older-than 30d --dry-run");
  }
  const { targetFromFlags } = await import("./database_option.ts");
  const { hasData } = await import("../status/has_data.ts");
  const target = targetFromFlags(flags);
  if (!await hasData(target)) {
    throw new PgsluiceError("no-ledger", "there is no database yet, so nothing to prune", {
      hint: "load something with `pgsluice ingest`, or name a server with --database",
    });
  }
  const { connect } = await import("../database/connect.ts");
  const { findNamedPipeline } = await import("../sink/named_pipeline.ts");
  const { prunePipeline } = await import("../prune/prune_pipeline.ts");
  const { USER_EVENTS } = await import("../schema/user_events.ts");
  const client = await connect(target, {
    applicationName: "pgsluice prune",
    say: (text) => terminal.say(text),
  });
  try {
    const report = await prunePipeline({
      sql: client.sql,
      pipeline: await findNamedPipeline(client.sql, {
        name: flags.text("pipeline") ?? "default",
        schema: USER_EVENTS,
        table: undefined,
      }),
      olderThanMs,
      dryRun: flags.switch("dry-run"),
      signal,
      onProgress: ({ batches, duplicates, rejects }) =>
        terminal.live(
          `pruning: ${formatCount(batches)} batches, ${formatCount(duplicates)} duplicates, ` +
            `${formatCount(rejects)} rejects gone`,
        ),
    });
    terminal.live(null);
    await terminal.write(
      flags.switch("json") ? `${JSON.stringify(report)}\n` : renderReport(report),
    );
    return EXIT.done;
  } finally {
    terminal.live(null);
    await client.close();
  }
}

function renderReport({ before, isDryRun, removed, openRejects }: PruneReport): string {
  const { batches, duplicates, rejects, files } = removed;
  const lines = [
    `${isDryRun ? "would remove" : "removed"} what is older than ${before}: ` +
    `${formatCount(batches)} batches, ${formatCount(duplicates)} duplicates and ` +
    `${formatCount(rejects)} discarded rejects of ${formatCount(files)} files`,
    ...(openRejects.rejects > 0
      ? [
        `${isDryRun ? "would keep" : "kept"} ${formatCount(openRejects.rejects)} open rejects of ` +
        `${
          formatCount(openRejects.files)
        } files: \`pgsluice rejects\` lists, mends and discards them`,
      ]
      : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
