/** What open pages cost an ingest that has all it can load. */
import { formatRate } from "../../src/cli/number_format.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchRow } from "./bench_row.ts";
import { measureLoads } from "./measure_loads.ts";
import { formatRatio, median, ratioOf } from "./rounds.ts";
import { ViewedIngest } from "./viewed_ingest.ts";

const VIEWERS = [1, 50];
/** The page may take so much of the rate. */
const MOST_COST = 0.02;

export async function dashboardBench(options: BenchOptions): Promise<BenchRow[]> {
  const size = options.quick ? { events: 200_000, files: 10 } : { events: 2_000_000, files: 100 };
  const data = await options.datasets.get({ ...size, keys: "random" });
  const rows: BenchRow[] = [];
  for (const viewers of VIEWERS) {
    const viewed = new ViewedIngest(viewers);
    const { first, second } = await measureLoads(options, {
      data,
      indexes: "built-in",
      baseline: viewed,
    });
    const elapsedMs = (costs: typeof first) => costs.map((cost) => cost.elapsedMs);
    const rate = (costs: typeof first) =>
      formatRate(data.manifest.events / median(elapsedMs(costs)) * 1000, "rows");
    const share = median(viewed.shares);
    rows.push({
      name: `${data.name}, ${viewed.name}`,
      goal: viewers === 1 ? `the page takes less than ${MOST_COST * 100} % of the cores` : "",
      figure: `${rate(second)}; dashboard and its sessions ${
        (share * 100).toFixed(2)
      } % of the cores`,
      ratio: formatRatio(ratioOf(elapsedMs(first), elapsedMs(second))),
      baseline: `no page open: ${rate(first)}`,
      met: viewers > 1 || share < MOST_COST,
    });
  }
  return rows;
}
