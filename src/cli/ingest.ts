import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { IngestSource } from "../pipeline/ingest_options.ts";
import type { Command, CommandContext, FlagValues } from "./command.ts";
import {
  checkpointsFlag,
  databaseFlag,
  jsonFlag,
  logFormatFlag,
  logLevelFlag,
  pipelineFlag,
  quietFlag,
  tableFlag,
  timezoneFlag,
} from "./common_flags.ts";
import { FOLDER_FLAGS, folderChoices, refuseFolderFlags, sourceFlag } from "./folder_flags.ts";
import { INGEST_FLAGS, ingestLimits, MAX_RECORD_BYTES } from "./ingest_flags.ts";
import { listenFlag } from "./listen_flag.ts";

/** Pipelines unless `--pipeline` names one: a stream is another source than a folder. */
const DEFAULT_FOLDER_PIPELINE = "default";
const DEFAULT_STREAM_PIPELINE = "stdin";

export const ingestCommand: Command = {
  name: "ingest",
  summary: "watch a folder, or read a pipe, and load every event exactly once",
  positionalsText: "[DIR|-]",
  maxPositionals: 1,
  positionalFlag: sourceFlag.name,
  flags: [
    sourceFlag,
    ...FOLDER_FLAGS,
    {
      name: "source-id",
      kind: "text",
      placeholder: "NAME",
      summary: "with `-`: names a stream that is the same bytes from the start each time, " +
        "so that what is loaded is passed over",
    },
    {
      name: "no-wait",
      kind: "switch",
      summary: "end at once while another one ingests, or the database is not up at the start",
    },
    ...INGEST_FLAGS,
    databaseFlag,
    tableFlag,
    pipelineFlag,
    checkpointsFlag,
    timezoneFlag,
    listenFlag,
    jsonFlag,
    logFormatFlag,
    logLevelFlag,
    quietFlag,
  ],
  details: async () => {
    const { schemaHelp } = await import("../schema/schema_help.ts");
    const { USER_EVENTS } = await import("../schema/user_events.ts");
    return [
      "DIR is ./data/events unless given; files in it that match *.csv are loaded, those that " +
      "begin with . or _ are not. Symbolic links are not followed, and what --after archive=DIR " +
      "moved is not taken again, even if DIR is below.",
      "`-` reads one CSV from standard input, into a pipeline named stdin unless --pipeline " +
      "names another.",
      schemaHelp(USER_EVENTS),
    ].join("\n\n");
  },
  run: runIngest,
};

async function runIngest(context: CommandContext) {
  const { flags, terminal, signal } = context;
  const { homePaths } = await import("../home.ts");
  const paths = homePaths();
  const place = flags.text(sourceFlag.name);
  const isStream = place === "-";
  const source = isStream ? streamSource(flags) : await folderSource(flags, {
    directory: place ?? paths.events,
    isDefault: place === undefined,
  });
  const timeZone = flags.text("timezone") ?? "UTC";
  await checkTimeZone(timeZone);
  const { ingest } = await import("../pipeline/ingest.ts");
  const { USER_EVENTS } = await import("../schema/user_events.ts");
  const { targetFromFlags } = await import("./database_option.ts");
  const { openObservers } = await import("./ingest_observers.ts");
  const { holdTarget } = await import("../database/hold_target.ts");
  const target = targetFromFlags(flags);
  const pipeline = pipelineName(flags, isStream);
  const observers = await openObservers(context, { target, pipeline });
  // an embedded server stays up from one connection to the next
  const release = await holdTarget(target, { say: (text) => terminal.say(text) });
  await ingest({
    target,
    schema: USER_EVENTS,
    table: flags.text("table") ?? USER_EVENTS.table,
    pipelineName: pipeline,
    source,
    timeZone,
    maxRecordBytes: MAX_RECORD_BYTES,
    ...ingestLimits(flags),
    noWait: flags.switch("no-wait"),
    checkpointsDirectory: flags.text("checkpoints") ?? paths.checkpoints,
    signal,
    say: (text) => terminal.say(text),
  }, observers.all).finally(release).finally(() => observers.close());
  const { reporter } = observers;
  reporter.sayEnd();
  if (flags.switch("json")) await terminal.write(JSON.stringify(reporter.summary()) + "\n");
  const isOver = isStream || flags.switch("once");
  return isOver && reporter.hasTrouble ? EXIT.data : EXIT.done;
}

function streamSource(flags: FlagValues): IngestSource {
  refuseFolderFlags(flags);
  // without a name of its own every run is a new source, and nothing of it can be loaded twice
  const sourceId = flags.text("source-id") ?? `stdin ${new Date().toISOString()}`;
  return { kind: "stream", stream: Deno.stdin.readable, sourceId };
}

async function folderSource(
  flags: FlagValues,
  { directory, isDefault }: { directory: string; isDefault: boolean },
): Promise<IngestSource> {
  // one file may serve streams as well
  if (![undefined, "file"].includes(flags.givenBy("source-id")?.source)) {
    throw new PgsluiceError("usage", "--source-id names a stream, but the source is a folder", {
      hint: "leave it out, or read standard input: pgsluice ingest -",
      exitCode: EXIT.usage,
    });
  }
  try {
    if (isDefault) await Deno.mkdir(directory, { recursive: true });
    const real = await Deno.realPath(directory);
    const info = await Deno.stat(real);
    if (!info.isDirectory) throw new Deno.errors.NotADirectory(`${directory} is a file`);
    (await Deno.open(real)).close(); // may it be read?
    return {
      kind: "folder",
      directory: real,
      ...await folderChoices(flags, real),
    };
  } catch (error) {
    if (error instanceof PgsluiceError) throw error;
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : error instanceof Deno.errors.NotADirectory
      ? "it is not a folder"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new PgsluiceError("source-folder", `cannot watch ${directory}: ${why}`, {
      hint: error instanceof Deno.errors.NotADirectory
        ? `name the folder it is in, or pipe it: pgsluice ingest - < ${directory}`
        : "name a folder that is there and readable, as in: pgsluice ingest ./data/events",
      cause: error,
    });
  }
}

function pipelineName(flags: FlagValues, isStream: boolean): string {
  const name = flags.text("pipeline") ??
    (isStream ? DEFAULT_STREAM_PIPELINE : DEFAULT_FOLDER_PIPELINE);
  // it names a folder under the checkpoints
  if (!/^[\p{L}\p{N}_][\p{L}\p{N}_. -]{0,99}$/u.test(name)) {
    throw new PgsluiceError("usage", `--pipeline ${JSON.stringify(name)} is not a name`, {
      hint: "use up to 100 letters, digits, blanks, and . - _ , beginning with a letter or digit",
      exitCode: EXIT.usage,
    });
  }
  return name;
}

async function checkTimeZone(timeZone: string): Promise<void> {
  const { isTimeZone } = await import("../schema/time_zone.ts");
  if (isTimeZone(timeZone)) return;
  throw new PgsluiceError("usage", `--timezone ${timeZone}: no such time zone`, {
    hint: "use a name of the IANA database, as in Europe/Berlin, or UTC",
    exitCode: EXIT.usage,
  });
}
