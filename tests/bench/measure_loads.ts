/**
 * pgsluice against another way to load the same rows, round by round, each time into a fresh table.
 * No run counts before its table is known to hold the rows of the files: the first of pgsluice's is
 * verified, all others have to have the same content.
 */
import { formatDuration } from "../../src/cli/number_format.ts";
import { verifyExact } from "../support/ingest_fixture.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { Dataset } from "./datasets.ts";
import { ingestProcess } from "./ingest_process.ts";
import { costOfLoad, type LoadCost } from "./load_cost.ts";
import type { Loader } from "./loader.ts";
import { type Comparison, interleaved } from "./rounds.ts";
import { freshTable, type Indexes, tableContent, takeNulls } from "./target_table.ts";

/** `first` is pgsluice's. @throws if a table is not what it should be */
export async function measureLoads(
  { place, rounds, say }: Pick<BenchOptions, "place" | "rounds" | "say">,
  { data, indexes, baseline }: { data: Dataset; indexes: Indexes; baseline: Loader },
): Promise<Comparison<LoadCost, LoadCost>> {
  let expected: string | null = null;
  const check = async (who: string, { elapsedMs }: LoadCost) => {
    say(`${data.name}, indexes ${indexes}: ${who} took ${formatDuration(elapsedMs)}`);
    if (expected === null) await verifyExact(place);
    const content = await tableContent(place);
    const found = JSON.stringify(content);
    expected ??= found;
    if (found !== expected || content.rows !== data.manifest.valid) {
      throw new Error(`${who} loaded ${found}, expected ${expected}`);
    }
  };
  return await interleaved(rounds, {
    async first() {
      await freshTable(place, indexes);
      const run = await costOfLoad(place, () => ingestProcess(place, data.directory));
      await check("pgsluice", run);
      return run;
    },
    async second() {
      await freshTable(place, indexes);
      await takeNulls(place);
      const run = await costOfLoad(place, () => baseline.load(place, data));
      await check(baseline.name, run);
      return run;
    },
  });
}
