/** A watched folder that holds many done files, against one that is empty. */
import { basename, join } from "@std/path";
import { formatCount, formatDuration, formatRate } from "../../src/cli/number_format.ts";
import { verifyExact } from "../support/ingest_fixture.ts";
import type { BenchOptions } from "./bench_options.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import type { Dataset } from "./datasets.ts";
import { ingestProcess } from "./ingest_process.ts";
import { type Arrivals, arrive, latencyAt, latencyFigure } from "./paced_arrivals.ts";
import { writeSmallFiles } from "./small_files.ts";
import { freshTable, tableContent } from "./target_table.ts";
import { lastKey, VisibleRows } from "./visible_rows.ts";
import { emptyFolder, whileIngesting } from "./watched_folder.ts";

const DONE_FILES = 100_000;
/** Under `--quick`. */
const QUICK_DONE_FILES = 2_000;
const FILES_PER_SECOND = 20;
const ROWS_PER_FILE = 1_000;
const SECONDS = 30;
/** Under `--quick`. */
const QUICK_SECONDS = 3;
const RESTART_GOAL_MS = 1_000;
const RESTART_TIMEOUT_MS = 120_000;
const P99_GOAL_MS = 100;
/** Of one core, beyond what an empty folder takes. */
const CPU_GOAL_PERCENT = 10;

export async function folderBench(options: BenchOptions): Promise<BenchRow[]> {
  const { quick, place, datasets, say } = options;
  const doneFiles = quick ? QUICK_DONE_FILES : DONE_FILES;
  const files = FILES_PER_SECOND * (quick ? QUICK_SECONDS : SECONDS);
  const data = await datasets.get({ events: files * ROWS_PER_FILE, files, keys: "random" });
  const restarting = await datasets.get({
    events: 10,
    files: 1,
    keys: "random",
    start: new Date("2026-02-01T00:00:00Z"),
  });
  const done = await datasets.get({
    events: doneFiles,
    files: 1,
    keys: "random",
    start: new Date("2026-01-01T00:00:00Z"),
  });

  await freshTable(place, "built-in");
  const empty = await arrivals(options, data);
  say(`empty folder: ${latencyFigure(empty)}`);

  await freshTable(place, "built-in");
  await emptyFolder(place.events);
  await writeSmallFiles(done, place.events);
  const load = await ingestProcess(place, place.events);
  const perSecond = doneFiles / load.elapsedMs * 1000;
  say(`${formatCount(doneFiles)} files loaded: ${formatRate(perSecond, "files")}`);
  const restartMs = await restart(options, restarting);
  const full = await arrivals(options, data);
  say(`full folder: ${latencyFigure(full)}`);

  await verifyExact(place);
  const { rows } = await tableContent(place);
  const expected = [done, restarting, data].reduce((sum, { manifest }) => sum + manifest.valid, 0);
  if (rows !== expected) throw new Error(`${rows} rows of ${expected}`);

  const beside = `with ${formatCount(doneFiles)} done files in the folder`;
  return [
    {
      name: `${formatCount(doneFiles)} files of one event, all there at the start`,
      goal: "",
      figure: formatRate(perSecond, "files"),
      met: true,
    },
    {
      name: `restart to first new row visible, ${beside}`,
      goal: `${formatDuration(RESTART_GOAL_MS)} or less`,
      figure: formatDuration(restartMs),
      met: restartMs <= RESTART_GOAL_MS,
    },
    {
      name: `rename to rows visible, ${FILES_PER_SECOND} files a second of ` +
        `${formatCount(ROWS_PER_FILE)} rows, ${beside}`,
      goal: `p99 ${P99_GOAL_MS} ms or less`,
      figure: latencyFigure(full),
      baseline: `empty folder: ${latencyFigure(empty)}`,
      met: latencyAt(full, 0.99) <= P99_GOAL_MS,
    },
    cpuRow({ full, empty, beside }),
  ];
}

function cpuRow(
  { full, empty, beside }: { full: Arrivals; empty: Arrivals; beside: string },
): BenchRow {
  const name = `CPU while they arrive, ${beside}`;
  const goal = `under ${CPU_GOAL_PERCENT} % of a core more than with an empty folder`;
  const fullPercent = cpuPercent(full);
  const emptyPercent = cpuPercent(empty);
  if (fullPercent === null || emptyPercent === null) {
    return skippedRow({ name, goal, why: "the system does not tell what a process takes" });
  }
  const morePercent = fullPercent - emptyPercent;
  return {
    name,
    goal,
    figure: `${morePercent.toFixed(1)} % more: ${fullPercent.toFixed(1)} %`,
    baseline: `empty folder: ${emptyPercent.toFixed(1)} %`,
    met: morePercent < CPU_GOAL_PERCENT,
  };
}

/** Of one core. */
function cpuPercent({ cpuMs, spanMs }: Arrivals): number | null {
  return cpuMs === null ? null : cpuMs / spanMs * 100;
}

async function arrivals({ place }: BenchOptions, data: Dataset): Promise<Arrivals> {
  return await whileIngesting(
    place,
    (ingester) => arrive(place, { data, filesPerSecond: FILES_PER_SECOND, ingester }),
  );
}

/** The new file came while no ingester ran. */
async function restart({ place }: BenchOptions, { files: [file] }: Dataset): Promise<number> {
  await Deno.copyFile(file!, join(place.events, `new-${basename(file!)}`));
  const rows = new VisibleRows(place.database.sql);
  rows.expect(await lastKey(file!), performance.now());
  await whileIngesting(
    place,
    () => rows.watch({ isOver: () => true, timeoutMs: RESTART_TIMEOUT_MS }),
  );
  return rows.latenciesMs[0]!;
}
