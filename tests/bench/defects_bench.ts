/** What repeated and bad records cost, in records a second: pgsluice against itself without them. */
import { formatDuration } from "../../src/cli/number_format.ts";
import { verifyExact } from "../support/ingest_fixture.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import type { BenchRow } from "./bench_row.ts";
import { type Dataset, KEY_KINDS } from "./datasets.ts";
import { ingestProcess } from "./ingest_process.ts";
import { costFigure, costOfLoad, type LoadCost } from "./load_cost.ts";
import { formatRatio, interleaved, ratioOf } from "./rounds.ts";
import { freshTable } from "./target_table.ts";

interface Defects {
  readonly name: string;
  readonly goalRatio: number;
  readonly dirtyPercent: number;
  readonly duplicatesPercent: number;
}

/** Records that the table has already, byte by byte the same. */
export async function duplicatesBench(options: BenchOptions): Promise<BenchRow[]> {
  return await compareWithClean(options, {
    name: "10 % repeated keys",
    goalRatio: 0.6,
    dirtyPercent: 0,
    duplicatesPercent: 10,
  });
}

/** Records that cannot be loaded, of every kind that the generator knows. */
export async function rejectsBench(options: BenchOptions): Promise<BenchRow[]> {
  return await compareWithClean(options, {
    name: "10 % bad rows",
    goalRatio: 0.8,
    dirtyPercent: 10,
    duplicatesPercent: 0,
  });
}

async function compareWithClean(
  { place, datasets, quick, rounds, say }: BenchOptions,
  { name, goalRatio, dirtyPercent, duplicatesPercent }: Defects,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const keys of KEY_KINDS) {
    const size = quick ? { events: 100_000, files: 5, keys } : {
      events: 1_000_000,
      files: 50,
      keys,
    };
    const clean = await datasets.get(size);
    const spoilt = await datasets.get({ ...size, dirtyPercent, duplicatesPercent });
    const { first, second } = await interleaved(rounds, {
      async first(round) {
        const run = await load(place, spoilt, { verify: round === 0 });
        say(`${clean.name}, ${name}: took ${formatDuration(run.elapsedMs)}`);
        return run;
      },
      async second(round) {
        const run = await load(place, clean, { verify: round === 0 });
        say(`${clean.name}: took ${formatDuration(run.elapsedMs)}`);
        return run;
      },
    });
    // the same number of records on both sides
    const ratio = ratioOf(
      second.map(({ elapsedMs }) => elapsedMs),
      first.map(({ elapsedMs }) => elapsedMs),
    );
    const isGoal = keys === "random";
    rows.push({
      name: `${clean.name}, ${name}`,
      goal: isGoal ? `${goalRatio}x of none or more` : "",
      figure: costFigure(size.events, first),
      ratio: formatRatio(ratio),
      baseline: `none: ${costFigure(size.events, second)}`,
      met: !isGoal || ratio.median >= goalRatio,
    });
  }
  return rows;
}

/** @throws if the ledger does not count what the generator's manifest does */
async function load(
  place: BenchPlace,
  { directory, manifest }: Dataset,
  { verify }: { verify: boolean },
): Promise<LoadCost> {
  await freshTable(place, "built-in");
  const run = await costOfLoad(place, () => ingestProcess(place, directory));
  if (verify) await verifyExact(place);
  const [ledger] = await place.database.sql<
    { loaded: number; rejected: number; duplicate: number }[]
  >`
    select sum(loaded)::int as loaded, sum(rejected)::int as rejected,
      sum(duplicate)::int as duplicate
    from pgsluice.files`;
  const { loaded, rejected, duplicate } = ledger!;
  if (
    loaded !== manifest.valid || rejected !== manifest.rejected || duplicate !== manifest.duplicates
  ) {
    throw new Error(`the ledger counts ${JSON.stringify(ledger)} of ${JSON.stringify(manifest)}`);
  }
  return run;
}
