/** Against multi-row INSERTs, as people write them. */
import { fromFileUrl } from "@std/path";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchRow } from "./bench_row.ts";
import { compareLoads } from "./compare_loads.ts";
import { libpqEnvironment } from "./libpq_environment.ts";
import type { Loader } from "./loader.ts";
import { runProcess } from "./watched_process.ts";

const PROGRAM = fromFileUrl(new URL("postgres_inserts.ts", import.meta.url));

const postgresInserts: Loader = {
  name: "INSERTs of 1,000",
  missing: () => Promise.resolve(null),
  load: async (place, data) =>
    await runProcess(Deno.execPath(), {
      args: ["run", "--quiet", "-A", PROGRAM, ...data.files],
      env: libpqEnvironment(place.database.url),
    }),
};

export async function insertsBench(options: BenchOptions): Promise<BenchRow[]> {
  return await compareLoads(options, {
    data: options.quick ? { events: 50_000, files: 5 } : { events: 500_000, files: 25 },
    indexes: "built-in",
    baseline: postgresInserts,
    goalRatio: 4,
  });
}
