/**
 * Into a table without indexes besides the key's, which exactly-once needs and pgsluice insists on,
 * so both sides have it.
 */
import type { BenchOptions } from "./bench_options.ts";
import type { BenchRow } from "./bench_row.ts";
import { compareLoads } from "./compare_loads.ts";
import { psqlCopy } from "./psql_copy.ts";

export async function keyAloneBench(options: BenchOptions): Promise<BenchRow[]> {
  return await compareLoads(options, {
    data: options.quick ? { events: 200_000, files: 10 } : { events: 2_000_000, files: 100 },
    indexes: "key alone",
    baseline: psqlCopy,
    goalRatio: 2.5,
  });
}
