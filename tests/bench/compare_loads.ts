import type { BenchOptions } from "./bench_options.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import { type DatasetOptions, KEY_KINDS } from "./datasets.ts";
import type { Loader } from "./loader.ts";
import { costFigure } from "./load_cost.ts";
import { measureLoads } from "./measure_loads.ts";
import { formatRatio, ratioOf } from "./rounds.ts";
import type { Indexes } from "./target_table.ts";

export interface ComparedLoads {
  readonly data: Omit<DatasetOptions, "keys">;
  readonly indexes: Indexes;
  readonly baseline: Loader;
  /** pgsluice's rate to the baseline's, with random keys. */
  readonly goalRatio: number;
}

/** Rates: a row for random keys, for which the goal is, and one for ordered keys. */
export async function compareLoads(
  options: BenchOptions,
  { data: wanted, indexes, baseline, goalRatio }: ComparedLoads,
): Promise<BenchRow[]> {
  const tableName = indexes === "built-in" ? "built-in table" : "table with the key alone";
  const why = await baseline.missing(options.place);
  const rows: BenchRow[] = [];
  for (const keys of KEY_KINDS) {
    const data = await options.datasets.get({ ...wanted, keys });
    const name = `${data.name}, ${tableName}`;
    const goal = keys === "random" ? `${goalRatio.toFixed(1)}x ${baseline.name} or more` : "";
    if (why !== null) {
      rows.push(skippedRow({ name, goal, why: `${baseline.name}: ${why}` }));
      continue;
    }
    const { first, second } = await measureLoads(options, { data, indexes, baseline });
    const ratio = ratioOf(
      second.map(({ elapsedMs }) => elapsedMs),
      first.map(({ elapsedMs }) => elapsedMs),
    );
    rows.push({
      name,
      goal,
      figure: costFigure(data.manifest.events, first),
      ratio: formatRatio(ratio),
      baseline: `${baseline.name}: ${costFigure(data.manifest.events, second)}`,
      met: goal === "" || ratio.median >= goalRatio,
    });
  }
  return rows;
}
