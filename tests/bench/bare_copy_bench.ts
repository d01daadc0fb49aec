/**
 * Below the ingester: scanner, decoder and COPY on two connections, in this process, into a table
 * that has no index at all, which no ingest takes. No ledger, no batches in order, no provenance
 * but a number: it shows what is left once all that is away, and is no way to load anything.
 */
import { formatDuration, formatRate } from "../../src/cli/number_format.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import { copyBatch } from "./copy_batch.ts";
import { type Dataset, KEY_KINDS } from "./datasets.ts";
import { encodeFile } from "./encode_file.ts";
import { psqlCopy } from "./psql_copy.ts";
import { formatRatio, interleaved, median, ratioOf } from "./rounds.ts";
import { freshTable, tableContent, takeNulls } from "./target_table.ts";

const GOAL_RATIO = 2.5;
const CONNECTIONS = 2;

export async function bareCopyBench(options: BenchOptions): Promise<BenchRow[]> {
  const { place, datasets, quick, rounds, say } = options;
  const why = await psqlCopy.missing(place);
  const rows: BenchRow[] = [];
  for (const keys of KEY_KINDS) {
    const data = await datasets.get(
      quick ? { events: 200_000, files: 10, keys } : { events: 2_000_000, files: 100, keys },
    );
    const name = `below the ingester: scanner, decoder, COPY on ${CONNECTIONS} connections: ` +
      `${data.name}, table without any index, vs psql \\copy`;
    const goal = keys === "random" ? `${GOAL_RATIO}x psql \\copy or more` : "";
    if (why !== null) {
      rows.push(skippedRow({ name, goal, why }));
      continue;
    }
    const contents = new Set<string>();
    const timed = async (who: string, load: () => Promise<unknown>) => {
      const startedMs = performance.now();
      await load();
      const elapsedMs = performance.now() - startedMs;
      say(`${data.name}, no index: ${who} took ${formatDuration(elapsedMs)}`);
      const content = await tableContent(place);
      contents.add(JSON.stringify(content));
      if (contents.size > 1 || content.rows !== data.manifest.valid) {
        throw new Error(`${who}: the tables differ: ${[...contents].join(", ")}`);
      }
      return elapsedMs;
    };
    const { first: ours, second: theirs } = await interleaved(rounds, {
      async first() {
        await freshTable(place, "none");
        return await timed("pgsluice's path", () => copyBare(place, data));
      },
      async second() {
        await freshTable(place, "none");
        await takeNulls(place);
        return await timed("psql \\copy", () => psqlCopy.load(place, data));
      },
    });
    const ratio = ratioOf(theirs, ours);
    const rate = (elapsedMs: readonly number[]) =>
      formatRate(data.manifest.valid / median(elapsedMs) * 1000, "rows");
    rows.push({
      name,
      goal,
      figure: rate(ours),
      ratio: formatRatio(ratio),
      baseline: `psql \\copy: ${rate(theirs)}`,
      met: goal === "" || ratio.median >= GOAL_RATIO,
    });
  }
  return rows;
}

/** While one connection waits for its batch, the other one's is decoded. */
async function copyBare({ database: { sql } }: BenchPlace, data: Dataset): Promise<void> {
  const files = data.files.entries();
  const carry = async () => {
    for (const [index, path] of files) {
      await encodeFile(path, {
        fileId: index + 1,
        onBatch: (bytes) => copyBatch(sql, bytes),
      });
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, carry));
}
