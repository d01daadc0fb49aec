import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext, FlagValues } from "./command.ts";
import { databaseFlag, jsonFlag, pipelineFlag, quietFlag, sinceFlag } from "./common_flags.ts";
import { formatCount } from "./number_format.ts";
import { formatFromFlags, QUERY_FORMATS, TABLE_ROWS } from "./query_format.ts";
import { usageError } from "./usage_error.ts";
import { untilFlag } from "./window_flags.ts";

const DEFAULT_TIMEOUT_MS = 30_000;

/** Flags about a report alone. */
const OF_REPORTS = ["since", "until", "by", "pipeline"] as const;

export const queryCommand: Command = {
  name: "query",
  summary: "answer a report on what is loaded, or a statement of your own",
  positionalsText: "[REPORT]",
  maxPositionals: 1,
  flags: [
    {
      ...sinceFlag,
      summary: "from there on, as in 2026-03-14T10:00; or so long before the end, as in 1h",
      defaultText: "the report's own window",
    },
    { ...untilFlag, defaultText: "the newest event" },
    {
      name: "by",
      kind: "text",
      placeholder: "GROUPING",
      summary: "what a row is about, as in hour",
      defaultText: "the report's first",
    },
    {
      name: "sql",
      kind: "text",
      placeholder: "STATEMENT",
      summary: "answer this instead of a report; it may only read",
    },
    {
      name: "format",
      kind: "text",
      placeholder: "FORMAT",
      choices: QUERY_FORMATS,
      summary: "how the answer is written",
      defaultText: "table",
    },
    { ...jsonFlag, summary: "the same as --format json" },
    {
      name: "timeout",
      kind: "duration",
      placeholder: "TIME",
      summary: "the longest that the server may take for the next rows; 0s for no limit",
      defaultText: `${DEFAULT_TIMEOUT_MS / 1000}s`,
    },
    { name: "list", kind: "switch", summary: "list the reports; with REPORT, its columns" },
    pipelineFlag,
    databaseFlag,
    quietFlag,
  ],
  details: [
    "Events may be history, so a report's window ends just after the newest event, and not now; " +
    "reports on the loading itself end with the newest commit. Times without an offset are those " +
    "of the pipeline's time zone, as are the times in tables. What the answer is about is told on " +
    "stderr.",
    "table and markdown are for people: numbers with separators, durations with units; on a " +
    "terminal a table fits its width, and bars show the column worth one. csv, json and ndjson (an " +
    "object a row) have the values themselves: times in ISO 8601 and UTC, ratios from 0 to 1, money " +
    "and whole numbers beyond 2^53 as exact text.",
    "--sql: one statement, with the types' own text as psql shows it. Rows are written as they " +
    "come, and memory does not grow with them, but for a table, which ends after " +
    `${formatCount(TABLE_ROWS)} rows. The statement runs in a read-only transaction that is ` +
    "rolled back: the server refuses whatever would change a table, a sequence or a definition. " +
    "It does not refuse what acts elsewhere: pg_terminate_backend, pg_advisory_lock, dblink and " +
    "the like do what they do if the role may, and `lock table` locks. --timeout is about the " +
    "wait for the first rows and for each next ones; time that the reader takes does not count. " +
    "Ctrl-C, and a reader that goes away, cancel the statement.",
    [
      "  pgsluice query traffic --since 6h",
      "  pgsluice query top --by category --format markdown",
      "  pgsluice query rejects --json | jq '.rows[0]'",
      "  pgsluice query --sql 'select * from user_events' --format csv > events.csv",
    ].join("\n"),
  ].join("\n\n"),
  run: runQuery,
};

async function runQuery(context: CommandContext): Promise<number> {
  const { flags, positionals, terminal } = context;
  const [name] = positionals;
  const statement = flags.text("sql");
  const format = formatFromFlags(flags);
  const timeoutMs = flags.number("timeout") ?? DEFAULT_TIMEOUT_MS;
  if (statement !== undefined) {
    refuseBeside(flags, name);
    const { answerSql } = await import("./query_sql.ts");
    await answerSql(context, { statement, format, timeoutMs });
  } else if (name === undefined) {
    const { listReports } = await import("./query_list.ts");
    const { REPORTS } = await import("../query/reports.ts");
    await listReports(terminal, { reports: [...REPORTS.values()], format });
    if (!flags.switch("list")) {
      terminal.say("one of them is answered as in `pgsluice query traffic`");
    }
  } else if (flags.switch("list")) {
    const { describeReport } = await import("./query_list.ts");
    const { reportNamed } = await import("./query_report.ts");
    await describeReport(terminal, { report: await reportNamed(name), format });
  } else {
    const { answerReport } = await import("./query_report.ts");
    await answerReport(context, { name, format, timeoutMs });
  }
  return EXIT.done;
}

/** @throws {PgsluiceError} `usage` for what has no meaning for a statement */
function refuseBeside(flags: FlagValues, report: string | undefined): void {
  const place = flags.givenBy("sql")!.place;
  if (report !== undefined) {
    throw usageError(
      `${place} and the report ${JSON.stringify(report)} are two questions`,
      "ask one of them",
    );
  }
  if (flags.switch("list")) {
    throw usageError(`${place} has no list`, `leave ${place} or --list out`);
  }
  for (const name of OF_REPORTS) {
    // a variable or a file is for all commands
    if (flags.givenBy(name)?.source !== "flag") continue;
    throw usageError(`--${name}: only for reports`, "say it in the statement, and leave it out");
  }
}
