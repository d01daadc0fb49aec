/** The same rows in one single file: several connections carry it, and commit in its order. */
import type { BenchOptions } from "./bench_options.ts";
import type { BenchRow } from "./bench_row.ts";
import { compareLoads } from "./compare_loads.ts";
import { psqlCopy } from "./psql_copy.ts";

export async function singleFileBench(options: BenchOptions): Promise<BenchRow[]> {
  return await compareLoads(options, {
    data: { events: options.quick ? 200_000 : 2_000_000, files: 1 },
    indexes: "built-in",
    baseline: psqlCopy,
    goalRatio: 1.7,
  });
}
