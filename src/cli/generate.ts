import { resolve } from "@std/path";
import { startOfSpan } from "../generate/daily_rhythm.ts";
import type { GenerateProgress } from "../generate/generate_events.ts";
import type { Manifest } from "../generate/manifest.ts";
import { homePaths } from "../home.ts";
import { EXIT } from "../pgsluice_error.ts";
import { schemaHelp } from "../schema/schema_help.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import type { Command, CommandContext, FlagValues } from "./command.ts";
import { quietFlag } from "./common_flags.ts";
import { formatBytes, formatCount, formatRate } from "./number_format.ts";
import { usageError } from "./usage_error.ts";

const DEFAULT_EVENTS = 100_000;
const DEFAULT_ROWS_PER_FILE = 10_000;

/** An endless run has no span to go back by: it begins so long ago. */
const ENDLESS_SPAN_MS = 30 * 86_400_000;
/** Where timestamps of four-digit years end, with a lifetime to go. */
const MAX_START_MS = Date.UTC(9900, 0);

export const generateCommand: Command = {
  name: "generate",
  summary: "make events as CSV files, or as one stream",
  positionalsText: "[DIR|-]",
  maxPositionals: 1,
  positionalFlag: "out",
  flags: [
    {
      name: "out",
      kind: "text",
      placeholder: "DIR|-",
      summary: "the folder for the files, or - for one CSV on stdout",
      defaultText: "./data/events",
    },
    {
      name: "events",
      kind: "whole",
      placeholder: "N",
      summary: "how many records, duplicates and defective ones included",
      defaultText: "100k; endless with --rate",
    },
    {
      name: "rate",
      kind: "whole",
      placeholder: "N",
      summary: "records a second; a file then holds at most a second of them",
      defaultText: "as fast as possible",
    },
    {
      name: "rows-per-file",
      kind: "whole",
      placeholder: "N",
      summary: "records in a file",
      defaultText: "10k",
    },
    {
      name: "seed",
      kind: "whole",
      placeholder: "N",
      summary: "with --start it decides every byte",
      defaultText: "random",
    },
    {
      name: "start",
      kind: "instant",
      placeholder: "INSTANT",
      summary: "time before the first event",
      defaultText: "so that the last event was just now; 30 days ago if endless",
    },
    {
      name: "dirty",
      kind: "percent",
      placeholder: "P%",
      summary: "records that must be rejected, of every kind of defect",
      defaultText: "0%",
    },
    {
      name: "duplicates",
      kind: "percent",
      placeholder: "P%",
      summary: "records sent again, byte by byte the same",
      defaultText: "0%",
    },
    {
      name: "manifest",
      kind: "text",
      placeholder: "FILE",
      summary: "write the truth there, for `pgsluice verify --manifest FILE`",
    },
    quietFlag,
  ],
  details: `Users view products and buy some of them, more in the evening (UTC) than at night, about
86,400 events for each day of event time, whatever the rate. A file appears under its name
only when it is complete and on disk, and no file is ever overwritten.

The same seed and start make the same records again, whatever the other flags say of rate
and files; the valid ones among them do not depend on --dirty and --duplicates either.

  pgsluice generate --events 1M --dirty 1% --duplicates 2% --manifest truth.json
  pgsluice generate --rate 500
  pgsluice generate --events 100k - | pgsluice ingest -

${schemaHelp(USER_EVENTS)}`,
  run,
};

async function run({ flags, terminal, signal }: CommandContext): Promise<number> {
  const plan = planOf(flags, Date.now());
  const { generateEvents } = await import("../generate/generate_events.ts");
  const { ManifestFile } = await import("../generate/manifest_file.ts");
  const manifestPath = flags.text("manifest");
  const manifestFile = manifestPath === undefined ? null : await ManifestFile.open(manifestPath);
  const startedMs = performance.now();
  let progress: GenerateProgress = { events: 0, files: 0, sizeBytes: 0 };
  try {
    const manifest = await generateEvents({
      ...plan,
      schema: USER_EVENTS,
      output: plan.directory === null
        ? { kind: "stream", write: (bytes) => terminal.write(bytes) }
        : { kind: "folder", directory: plan.directory },
      signal,
      onProgress(now) {
        progress = now;
        terminal.live(progressLine(now, performance.now() - startedMs));
      },
    });
    await manifestFile?.commit(manifest);
    terminal.live(null);
    terminal.say(summaryLine(manifest, progress, plan.directory));
  } catch (error) {
    terminal.live(null);
    if (manifestFile !== null && error instanceof Deno.errors.BrokenPipe) {
      terminal.say("no manifest written: the reader went away, having read nobody knows how much");
    }
    throw error;
  } finally {
    await manifestFile?.close();
  }
  return EXIT.done;
}

interface Plan {
  readonly events: number;
  readonly rate: number | undefined;
  readonly rowsPerFile: number;
  readonly seed: number;
  readonly start: Date;
  readonly dirtyPercent: number;
  readonly duplicatesPercent: number;
  /** Null: stdout. */
  readonly directory: string | null;
}

/** What the flags ask for, defaults filled in. @throws {PgsluiceError} `usage` */
function planOf(flags: FlagValues, nowMs: number): Plan {
  const out = flags.text("out") ?? homePaths().events;
  const rate = atLeastOne(flags, "rate");
  const events = flags.number("events") ?? (rate === undefined ? DEFAULT_EVENTS : Infinity);
  const dirtyPercent = flags.number("dirty") ?? 0;
  const duplicatesPercent = flags.number("duplicates") ?? 0;
  if (dirtyPercent + duplicatesPercent > 100) {
    throw usageError(
      `--dirty ${dirtyPercent}% and --duplicates ${duplicatesPercent}% are more than all records`,
      "choose percentages that add up to at most 100%",
    );
  }
  const validEvents = events * (1 - (dirtyPercent + duplicatesPercent) / 100);
  const startMs = flags.number("start") ??
    (events === Infinity ? nowMs - ENDLESS_SPAN_MS : startOfSpan(nowMs, validEvents));
  if (startMs < 0 || startMs > MAX_START_MS) {
    throw usageError(
      `--start ${new Date(startMs).toISOString()} is out of range`,
      "choose a time from the years 1970 to 9899",
    );
  }
  return {
    events,
    rate,
    rowsPerFile: atLeastOne(flags, "rows-per-file") ?? DEFAULT_ROWS_PER_FILE,
    seed: flags.number("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0]!,
    start: new Date(startMs),
    dirtyPercent,
    duplicatesPercent,
    directory: out === "-" ? null : resolve(out),
  };
}

function atLeastOne(flags: FlagValues, name: string): number | undefined {
  const value = flags.number(name);
  if (value === 0) throw usageError(`--${name}: expected 1 or more, got 0`, `--${name} 1`);
  return value;
}

function progressLine({ events, files, sizeBytes }: GenerateProgress, elapsedMs: number): string {
  const speed = formatRate(events / (elapsedMs / 1000), "events");
  const inFiles = files === 0 ? "" : `, ${fileCount(files)}`;
  return `generating: ${formatCount(events)} events${inFiles}, ${formatBytes(sizeBytes)}, ${speed}`;
}

function summaryLine(
  manifest: Manifest,
  { sizeBytes }: GenerateProgress,
  directory: string | null,
): string {
  const { events, rejected, duplicates, files, seed, start } = manifest;
  const odd = rejected + duplicates === 0
    ? ""
    : `, ${formatCount(rejected)} of them defective and ${formatCount(duplicates)} sent again`;
  const where = directory === null ? "" : ` in ${fileCount(files)} in ${directory}`;
  return `generated ${formatCount(events)} events (${formatBytes(sizeBytes)})${where}${odd}; ` +
    `made again by --seed ${seed} --start ${start}`;
}

function fileCount(files: number): string {
  return files === 1 ? "1 file" : `${formatCount(files)} files`;
}
