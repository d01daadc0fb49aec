/** The rate into a table that holds 50 M rows, against the rate into one that holds 1 M. */
import { formatCount, formatDuration } from "../../src/cli/number_format.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { verifyPipeline } from "../../src/verify/verify_pipeline.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import { type Dataset, FIRST_EVENT, KEY_KINDS, type KeyKind } from "./datasets.ts";
import { describeSizes, makeFilledTable } from "./filled_table.ts";
import { ingestProcess } from "./ingest_process.ts";
import { costFigure, costOfLoad, type LoadCost } from "./load_cost.ts";
import { formatRatio, interleaved, ratioOf } from "./rounds.ts";
import { settle, tableContent } from "./target_table.ts";

const SMALL_ROWS = 1_000_000;
const LARGE_ROWS = 50_000_000;
const GOAL_RATIO = 0.8;
/** Each round's events are later than the ones before. */
const ROUND_EVENTS = 500_000;
const ROUND_MS = 10 * 24 * 3600 * 1000;

export async function growthBench(options: BenchOptions): Promise<BenchRow[]> {
  if (options.quick) {
    return [skippedRow({
      name: `rate with ${formatCount(LARGE_ROWS)} rows in the table`,
      goal: `${GOAL_RATIO}x of the rate with ${formatCount(SMALL_ROWS)} or more`,
      why: "filling the table takes minutes",
    })];
  }
  const rows: BenchRow[] = [];
  for (const keys of KEY_KINDS) rows.push(await growthRow(options, keys));
  return rows;
}

async function growthRow(
  { place, datasets, rounds, say }: BenchOptions,
  keys: KeyKind,
): Promise<BenchRow> {
  const { sql } = place.database;
  const dataOf = (round: number) =>
    datasets.get({
      events: ROUND_EVENTS,
      files: 25,
      keys,
      start: new Date(FIRST_EVENT.getTime() + round * ROUND_MS),
    });
  say(`filling ${formatCount(LARGE_ROWS)} rows with ${keys} keys`);
  await makeFilledTable(sql, { table: "large", rowCount: LARGE_ROWS, keys });
  const largeSizes = await describeSizes(sql, "large");
  let smallSizes = "";
  const { first, second } = await interleaved(rounds, {
    async first(round) {
      const run = await load(place, { data: await dataOf(round), table: "large", round });
      say(`${formatCount(LARGE_ROWS)} rows: took ${formatDuration(run.elapsedMs)}`);
      return run;
    },
    async second(round) {
      await makeFilledTable(sql, { table: "small", rowCount: SMALL_ROWS, keys });
      smallSizes = await describeSizes(sql, "small");
      const data = await dataOf(round);
      const run = await load(place, { data, table: "small", round });
      say(`${formatCount(SMALL_ROWS)} rows: took ${formatDuration(run.elapsedMs)}`);
      await check(place, { data, round });
      return run;
    },
  });
  await sql`drop table large, small`;
  const ratio = ratioOf(
    second.map(({ elapsedMs }) => elapsedMs),
    first.map(({ elapsedMs }) => elapsedMs),
  );
  const isGoal = keys === "random";
  const figure = (runs: readonly LoadCost[]) => costFigure(ROUND_EVENTS, runs);
  return {
    name: `${formatCount(ROUND_EVENTS)} rows into a table of ${formatCount(LARGE_ROWS)}, ` +
      `${keys} keys`,
    goal: isGoal ? `${GOAL_RATIO}x of ${formatCount(SMALL_ROWS)} rows or more` : "",
    figure: `${figure(first)} (${largeSizes})`,
    ratio: formatRatio(ratio),
    baseline: `${formatCount(SMALL_ROWS)} rows: ${figure(second)} (${smallSizes})`,
    met: !isGoal || ratio.median >= GOAL_RATIO,
  };
}

interface Load {
  readonly data: Dataset;
  readonly table: string;
  readonly round: number;
}

async function load(place: BenchPlace, { data, table, round }: Load): Promise<LoadCost> {
  await settle(place);
  const flags = [`--table=${table}`, `--pipeline=${pipelineName({ data, table, round })}`];
  return await costOfLoad(place, () => ingestProcess(place, data.directory, flags));
}

/** One of its own each time, for a pipeline is bound to its folder and its table. */
function pipelineName({ data, table, round }: Load): string {
  return `${table}-${data.keys}-${round}`;
}

/**
 * What was loaded into the small table is verified; into the large one the same must have come.
 * @throws if it did not
 */
async function check(
  place: BenchPlace,
  { data, round }: Omit<Load, "table">,
): Promise<void> {
  const report = await verifyPipeline({
    sql: place.database.sql,
    schema: USER_EVENTS,
    pipeline: pipelineName({ data, table: "small", round }),
  });
  // the rows that the table was filled with are of no file
  const isExact = report.differenceCount === report.strayCount &&
    report.loaded === data.manifest.valid;
  if (!isExact) throw new Error(report.summary);
  const [large, small] = await Promise.all(["large", "small"].map((table) =>
    tableContent(place, {
      table,
      condition: `file_id in (
        select file_id
        from pgsluice.files
        join pgsluice.pipelines using (pipeline_id)
        where name = '${pipelineName({ data, table, round })}'
      )`,
    })
  ));
  if (JSON.stringify(large) !== JSON.stringify(small) || small!.rows !== data.manifest.valid) {
    throw new Error(`the large table has ${JSON.stringify(large)}, not ${JSON.stringify(small)}`);
  }
}
