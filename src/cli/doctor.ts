import { bold, gray, red } from "@std/fmt/colors";
import { resolve } from "@std/path";
import type { CheckStatus } from "../doctor/check.ts";
import type { GroundOptions, WatchedFolder } from "../doctor/ground.ts";
import type { CheckResult } from "../doctor/run_checks.ts";
import { homePaths } from "../home.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { Command, CommandContext, Flag, FlagValues } from "./command.ts";
import {
  checkpointsFlag,
  databaseFlag,
  jsonFlag,
  pipelineFlag,
  quietFlag,
  tableFlag,
  timezoneFlag,
} from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { FOLDER_FLAGS, sourceFlag } from "./folder_flags.ts";
import { INGEST_FLAGS, ingestLimits } from "./ingest_flags.ts";

/** The flags of `ingest` that change what it needs. */
const NEEDS_FLAGS: readonly Flag[] = [...FOLDER_FLAGS, ...INGEST_FLAGS]
  .filter(({ name }) => ["recursive", "after", "connections"].includes(name));

export const doctorCommand: Command = {
  name: "doctor",
  summary: "look whether all is there that ingest needs, and say what to do",
  positionalsText: "[DIR|-]",
  maxPositionals: 1,
  positionalFlag: sourceFlag.name,
  flags: [
    sourceFlag,
    ...NEEDS_FLAGS,
    databaseFlag,
    tableFlag,
    pipelineFlag,
    checkpointsFlag,
    timezoneFlag,
    jsonFlag,
    quietFlag,
  ],
  details: [
    "Give it what `pgsluice ingest` is given. Nothing that stays is changed: probe files are " +
    "removed, and in the watched folder have names that nobody takes. An embedded server that has " +
    "data is started for the look, and stops with it.",
    "A line a check: ok; warning: it works, and something is lost or slow one day; problem: an " +
    "ingest fails, or promises what it cannot keep; skipped: it could not be looked at, because " +
    "of another line. What is not ok has its remedy below it.",
    "Exit code 3 if there is a problem, 0 with warnings only. It takes less than 15 seconds, " +
    "whatever hangs.",
  ].join("\n\n"),
  run: runDoctor,
};

async function runDoctor({ flags, terminal }: CommandContext): Promise<number> {
  const options = await groundOptions(flags, flags.text(sourceFlag.name));
  const { openGround } = await import("../doctor/open_ground.ts");
  const { runChecks } = await import("../doctor/run_checks.ts");
  const { CHECKS } = await import("../doctor/checks.ts");
  const ground = openGround({ ...options, say: (text) => terminal.say(text) });
  let results: CheckResult[];
  try {
    results = await runChecks(CHECKS, ground);
  } finally {
    await ground.close();
  }
  const { worst } = await import("../doctor/check.ts");
  const status = worst(results);
  await terminal.write(
    flags.switch("json")
      ? `${JSON.stringify({ status, checks: results })}\n`
      : renderResults(results),
  );
  return status === "problem" ? EXIT.data : EXIT.done;
}

async function groundOptions(
  flags: FlagValues,
  source: string | undefined,
): Promise<GroundOptions> {
  const { targetFromFlags } = await import("./database_option.ts");
  const { USER_EVENTS } = await import("../schema/user_events.ts");
  const { tableName } = await import("../database/quote_identifier.ts");
  const { thisMachine } = await import("../doctor/machine.ts");
  const paths = homePaths();
  const isStream = source === "-";
  const table = flags.text("table") ?? USER_EVENTS.table;
  tableName(table); // is it one?
  const folder: WatchedFolder = {
    path: resolve(source ?? paths.events),
    isDefault: source === undefined,
    recursive: flags.switch("recursive"),
    after: afterLoad(flags.text("after") ?? "keep"),
  };
  return {
    folder: isStream ? null : folder,
    target: targetFromFlags(flags),
    schema: USER_EVENTS,
    table,
    pipeline: flags.text("pipeline") ?? (isStream ? "stdin" : "default"),
    timeZone: flags.text("timezone") ?? "UTC",
    connections: connectionCount(flags),
    checkpointsDirectory: resolve(flags.text("checkpoints") ?? paths.checkpoints),
    machine: thisMachine,
  };
}

/** As `ingest` has it; its other limits need nothing. */
function connectionCount(flags: FlagValues): number {
  return ingestLimits({
    switch: () => false,
    text: () => undefined,
    givenBy: () => undefined,
    number: (name) => name === "connections" ? flags.number(name) : undefined,
  }).connections;
}

/** Makes no folder, as `ingest` does. @throws PgsluiceError `usage` */
function afterLoad(text: string): WatchedFolder["after"] {
  if (text === "keep" || text === "delete") return text;
  const archive = /^archive=(.+)$/s.exec(text)?.[1];
  if (archive !== undefined) return { archive: resolve(archive) };
  throw new PgsluiceError(
    "usage",
    `--after: expected keep, delete or archive=DIR, got ${JSON.stringify(text)}`,
    { hint: "as in --after archive=./data/loaded", exitCode: EXIT.usage },
  );
}

const COLOURS: Readonly<Record<CheckStatus, (text: string) => string>> = {
  ok: (text) => text,
  skipped: gray,
  warning: bold,
  problem: red,
};

function renderResults(results: readonly CheckResult[]): string {
  const statusWidth = Math.max(...results.map(({ status }) => status.length));
  const nameWidth = Math.max(...results.map(({ name }) => name.length));
  const lines = results.flatMap(({ name, status, found, remedy }) => [
    `${COLOURS[status](status.padEnd(statusWidth))}  ${name.padEnd(nameWidth)}  ` +
    escapeControls(found),
    ...(remedy === null
      ? []
      : [`${" ".repeat(statusWidth + nameWidth + 4)}try: ${escapeControls(remedy)}`]),
  ]);
  const counts = (["problem", "warning", "skipped"] as const).map((status) => {
    const count = results.filter((result) => result.status === status).length;
    return `${count} ${status}${status === "skipped" || count === 1 ? "" : "s"}`;
  });
  return `${[...lines, `${results.length} checks: ${counts.join(", ")}`].join("\n")}\n`;
}
