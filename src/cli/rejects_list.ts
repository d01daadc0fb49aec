import { EXIT } from "../pgsluice_error.ts";
import type { ListedReject, RejectSummary } from "../rejects/list_rejects.ts";
import type { RejectFilter } from "../rejects/reject_filter.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { formatCount } from "./number_format.ts";
import { type PipelineSession, withPipeline } from "./pipeline_session.ts";
import { FILTER_FLAGS, filterFromFlags } from "./rejects_flags.ts";
import { renderTable } from "./render_table.ts";

/** Rejects listed in a table; `--json` has all. */
const LISTED_REJECTS = 100;

export const rejectsListCommand: Command = {
  name: "rejects list",
  summary: "list the records that were rejected, and count them by reason",
  flags: [
    {
      name: "all",
      kind: "switch",
      summary: "those that were mended or discarded, too",
    },
    ...FILTER_FLAGS,
    {
      name: "limit",
      kind: "whole",
      placeholder: "N",
      summary: "list at most so many",
      defaultText: `${LISTED_REJECTS}; with --json all`,
    },
    databaseFlag,
    pipelineFlag,
    jsonFlag,
    quietFlag,
  ],
  details: [
    "By file and line. open: the record is out of the table. loaded, duplicate: it was mended, and " +
    "is that now. discarded: it stays out, and nobody need look at it again.",
    [
      "  pgsluice rejects list --code bad_number",
      "  pgsluice rejects show 7",
      "  pgsluice rejects export bad.csv     # mend the column raw, then:",
      "  pgsluice rejects retry bad.csv",
    ].join("\n"),
  ].join("\n\n"),
  run: runList,
};

async function runList(context: CommandContext): Promise<number> {
  const { flags, terminal } = context;
  await withPipeline(context, {
    doing: "listing rejects",
    async work(session) {
      const filter = {
        ...await filterFromFlags(flags, session),
        withClosed: flags.switch("all"),
      };
      const limit = flags.number("limit") ?? null;
      if (flags.switch("json")) await writeJson(terminal, { session, filter, limit });
      else await writeTable(terminal, { session, filter, limit: limit ?? LISTED_REJECTS });
    },
  });
  return EXIT.done;
}

/** One object, written as it is read. */
async function writeJson(
  terminal: Terminal,
  { session, filter, limit }: {
    session: PipelineSession;
    filter: RejectFilter;
    limit: number | null;
  },
): Promise<void> {
  const { listRejects } = await import("../rejects/list_rejects.ts");
  const { sql, pipeline } = session;
  let separator = "";
  await listRejects(sql, { pipeline, filter, limit }, {
    async summary(summary) {
      const head = JSON.stringify({ pipeline: pipeline.name, ...summary });
      await terminal.write(`${head.slice(0, -1)},"rejects":[`);
    },
    async page(rejects) {
      if (rejects.length === 0) return;
      const texts = rejects.map((reject) => JSON.stringify(reject)).join(",");
      await terminal.write(separator + texts);
      separator = ",";
    },
  });
  await terminal.write("]}\n");
}

async function writeTable(
  terminal: Terminal,
  { session, filter, limit }: { session: PipelineSession; filter: RejectFilter; limit: number },
): Promise<void> {
  const { listRejects } = await import("../rejects/list_rejects.ts");
  const { sql, pipeline } = session;
  let found: RejectSummary = { total: 0, byCode: [] };
  const listed: ListedReject[] = [];
  await listRejects(sql, { pipeline, filter, limit }, {
    summary(summary) {
      found = summary;
    },
    page(rejects) {
      listed.push(...rejects);
    },
  });
  if (found.total === 0) {
    await terminal.write(`no ${filter.withClosed === true ? "" : "open "}rejects\n`);
    return;
  }
  const more = found.total - listed.length;
  await terminal.write([
    renderRejects(listed, { withState: filter.withClosed === true, terminal }),
    ...(more > 0 ? [`… and ${formatCount(more)} more; --limit or --json lists them\n`] : []),
    renderCounts(found),
  ].join("\n"));
}

function renderRejects(
  rejects: readonly ListedReject[],
  { withState, terminal }: { withState: boolean; terminal: Terminal },
): string {
  return renderTable({
    columns: [
      { header: "id", align: "right" },
      ...(withState ? [{ header: "state", align: "left" } as const] : []),
      { header: "file", align: "left" },
      { header: "line", align: "right" },
      { header: "column", align: "left" },
      { header: "code", align: "left" },
      { header: "reason", align: "left" },
    ],
    rows: rejects.map((reject) => [
      String(reject.id),
      ...(withState ? [reject.state] : []),
      reject.generation === 1 ? reject.file : `${reject.file} (generation ${reject.generation})`,
      String(reject.line),
      reject.column ?? "",
      reject.code,
      reject.reason,
    ]),
    ...(terminal.stdoutIsTerminal && { maxWidth: terminal.columns }),
  });
}

function renderCounts({ byCode, total }: RejectSummary): string {
  return renderTable({
    columns: [{ header: "rejects", align: "right" }, { header: "code", align: "left" }],
    rows: [
      ...byCode.map(({ code, count }) => [formatCount(count), code]),
      ...(byCode.length > 1 ? [[formatCount(total), "in all"]] : []),
    ],
  });
}
