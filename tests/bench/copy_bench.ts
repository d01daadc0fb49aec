/** End to end into the built-in table with its indexes, against `psql \copy` of the same files. */
import type { BenchOptions } from "./bench_options.ts";
import type { BenchRow } from "./bench_row.ts";
import { compareLoads } from "./compare_loads.ts";
import { psqlCopy } from "./psql_copy.ts";

export async function copyBench(options: BenchOptions): Promise<BenchRow[]> {
  return await compareLoads(options, {
    data: options.quick ? { events: 200_000, files: 10 } : { events: 2_000_000, files: 100 },
    indexes: "built-in",
    baseline: psqlCopy,
    goalRatio: 2,
  });
}
