/** Against pgloader, which reads, checks and rejects as well. */
import { dirname, join } from "@std/path";
import { csvHeader } from "../../src/schema/schema_help.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import type { BenchRow } from "./bench_row.ts";
import { compareLoads } from "./compare_loads.ts";
import type { Dataset } from "./datasets.ts";
import type { Loader } from "./loader.ts";
import { TABLE } from "./target_table.ts";
import { runProcess } from "./watched_process.ts";
import { whyNotInstalled } from "./why_not_installed.ts";

const pgloader: Loader = {
  name: "pgloader",
  missing: async ({ tcpUrl }) =>
    tcpUrl === null
      ? "the server has no TCP port, which pgloader is given"
      : await whyNotInstalled("pgloader", ["--version"]),
  async load(place, data) {
    const commands = join(place.home, "user_events.load");
    await Deno.writeTextFile(commands, loadCommand(place, data));
    return await runProcess("pgloader", {
      args: ["--no-ssl-cert-verification", "--on-error-stop", commands],
      cwd: place.home,
    });
  },
};

export async function pgloaderBench(options: BenchOptions): Promise<BenchRow[]> {
  return await compareLoads(options, {
    data: options.quick ? { events: 50_000, files: 5 } : { events: 500_000, files: 25 },
    indexes: "built-in",
    baseline: pgloader,
    goalRatio: 5,
  });
}

/** @see pgloader's manual, "Loading CSV data" */
function loadCommand({ tcpUrl }: BenchPlace, { files }: Dataset): string {
  const columns = csvHeader(USER_EVENTS);
  return `load csv
    from all filenames matching ~/csv$/ in directory '${dirname(files[0]!)}'
      having fields (${columns.map((name) => `${name} [null if blanks]`).join(", ")})
    into ${tcpUrl}
      target table ${TABLE}
      target columns (${columns.join(", ")})
    with skip header = 1,
      fields terminated by ',',
      fields optionally enclosed by '"',
      fields escaped by double-quote;
`;
}
