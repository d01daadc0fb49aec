/** Against the pipeline that pgsluice replaces: `pyspark/job.py`. */
import { fromFileUrl } from "@std/path";
import { formatBytes, formatDuration } from "../../src/cli/number_format.ts";
import { parseServerUrl } from "../../src/database/server_url.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import { type Dataset, KEY_KINDS } from "./datasets.ts";
import { watchingProcess } from "./ingest_process.ts";
import type { Loader } from "./loader.ts";
import { costFigure, known } from "./load_cost.ts";
import { measureLoads } from "./measure_loads.ts";
import { type PysparkEnvironment, pysparkEnvironment } from "./pyspark_environment.ts";
import { formatRatio, interleaved, median, ratioOf } from "./rounds.ts";
import { freshTable, TABLE, tableContent, takeNulls } from "./target_table.ts";
import { runProcess, type WatchedProcess, watchProcess } from "./watched_process.ts";

const JOB = fromFileUrl(new URL("pyspark/job.py", import.meta.url));
const RATE_GOAL = 10;
const START_GOAL = 20;
/** Memory: a sixth or less. */
const MEMORY_GOAL = 6;
const START_ROWS = 1_000;
/** Between two looks for the first row. */
const LOOK_MS = 2;

export async function pysparkBench(options: BenchOptions): Promise<BenchRow[]> {
  const why = options.quick
    ? "its start alone takes longer than a quick run may"
    : options.place.tcpUrl === null
    ? "the server has no TCP port, which JDBC needs"
    : null;
  const environment = why ?? await pysparkEnvironment(options.say);
  if (typeof environment === "string") {
    const goal = `${RATE_GOAL}x rows/s, start to first row ${START_GOAL}x, ` +
      `memory 1/${MEMORY_GOAL} or less`;
    return [
      skippedRow({ name: "PySpark file stream, foreachBatch, JDBC", goal, why: environment }),
    ];
  }
  return [
    ...await loadRows(options, environment),
    await startRow(options, environment),
  ];
}

/** Rate and memory, with the trigger that loads what is there and ends. */
async function loadRows(
  options: BenchOptions,
  environment: PysparkEnvironment,
): Promise<BenchRow[]> {
  const baseline: Loader = {
    name: "PySpark",
    missing: () => Promise.resolve(null),
    load: async (place, { directory }) =>
      await runProcess(environment.python, {
        args: [...await jobArguments(place, directory, environment), "--once"],
        cwd: place.home,
      }),
  };
  const rows: BenchRow[] = [];
  for (const keys of KEY_KINDS) {
    const data = await options.datasets.get({ events: 500_000, files: 25, keys });
    const isGoal = keys === "random";
    const { first, second } = await measureLoads(options, { data, indexes: "built-in", baseline });
    const rate = ratioOf(
      second.map(({ elapsedMs }) => elapsedMs),
      first.map(({ elapsedMs }) => elapsedMs),
    );
    rows.push({
      name: `${data.name}, built-in table`,
      goal: isGoal ? `${RATE_GOAL}x PySpark or more` : "",
      figure: costFigure(data.manifest.events, first),
      ratio: formatRatio(rate),
      baseline: `PySpark: ${costFigure(data.manifest.events, second)}`,
      met: !isGoal || rate.median >= RATE_GOAL,
    });
    const ours = known(first, "peakBytes");
    const theirs = known(second, "peakBytes");
    if (!isGoal || ours === null || theirs === null) continue;
    const memory = ratioOf(theirs, ours);
    rows.push({
      name: "the same: resident memory at its largest, PySpark to pgsluice",
      goal: `${MEMORY_GOAL}x or more`,
      figure: formatBytes(median(ours)),
      ratio: formatRatio(memory),
      baseline: `PySpark (Python and Java): ${formatBytes(median(theirs))}`,
      met: memory.median >= MEMORY_GOAL,
    });
  }
  return rows;
}

/** Both watch a folder in which a file waits, as after a restart. */
async function startRow(
  { place, datasets, rounds, say }: BenchOptions,
  environment: PysparkEnvironment,
): Promise<BenchRow> {
  const data = await datasets.get({ events: START_ROWS, files: 1, keys: "random" });
  const { first: ours, second: theirs } = await interleaved(rounds, {
    async first() {
      await freshTable(place, "built-in");
      return await firstRowMs(place, data, watchingProcess(place, data.directory));
    },
    async second() {
      await freshTable(place, "built-in");
      await takeNulls(place);
      const args = await jobArguments(place, data.directory, environment);
      const job = watchProcess(environment.python, { args, cwd: place.home });
      const elapsedMs = await firstRowMs(place, data, job);
      say(`PySpark: first row after ${formatDuration(elapsedMs)}`);
      return elapsedMs;
    },
  });
  const ratio = ratioOf(theirs, ours);
  return {
    name: `start to first row, a file of ${START_ROWS} waiting in the folder`,
    goal: `${START_GOAL}x PySpark or more`,
    figure: formatDuration(median(ours)),
    ratio: formatRatio(ratio),
    baseline: `PySpark: ${formatDuration(median(theirs))}`,
    met: ratio.median >= START_GOAL,
  };
}

/** Until a row is visible; then the process is stopped. */
async function firstRowMs(
  place: BenchPlace,
  data: Dataset,
  process: WatchedProcess,
): Promise<number> {
  const startedMs = performance.now();
  let failure: string | null = null;
  process.done.then(({ stderr }) => failure = stderr);
  const { sql } = place.database;
  try {
    for (;;) {
      const [row] = await sql<{ isThere: boolean }[]>`
        select exists (select from ${sql(TABLE)}) as "isThere"`;
      if (row!.isThere) break;
      if (failure !== null) throw new Error(`it ended before its first row: ${failure}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    const elapsedMs = performance.now() - startedMs;
    const { rows } = await tableContent(place);
    if (rows !== data.manifest.valid) throw new Error(`${rows} rows of ${data.manifest.valid}`);
    return elapsedMs;
  } finally {
    process.kill("SIGTERM");
    await process.done;
  }
}

async function jobArguments(
  place: BenchPlace,
  directory: string,
  environment: PysparkEnvironment,
): Promise<string[]> {
  const { hosts, user, password, database } = parseServerUrl(place.tcpUrl!, "the database URL");
  const checkpoint = await Deno.makeTempDir({ dir: place.home, prefix: "spark-" });
  return [
    JOB,
    directory,
    `--url=jdbc:postgresql://${hosts[0]!.host}:${hosts[0]!.port}/${database}`,
    `--user=${user}`,
    `--password=${password ?? ""}`,
    `--table=${TABLE}`,
    `--checkpoint=${checkpoint}`,
    `--driver=${environment.driver}`,
  ];
}
