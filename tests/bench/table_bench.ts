/**
 * What each index, the key's order and partitions cost: plain COPY of ready-made tuples on one
 * connection, 20,000 rows a transaction, into one table after the other. Without goals; the ratio is
 * to the built-in table of the same round. On a busy machine the server's CPU time says more.
 */
import { formatBytes, formatCount, formatDuration } from "../../src/cli/number_format.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import { onServer } from "./bench_server.ts";
import { copyBatch } from "./copy_batch.ts";
import { type Dataset, KEY_KINDS } from "./datasets.ts";
import { encodeFile } from "./encode_file.ts";
import { BUILD_SETTINGS, fillTable } from "./filled_table.ts";
import { costFigure, costOfLoad, type LoadCost } from "./load_cost.ts";
import { formatRatio, ratioOf } from "./rounds.ts";
import { sortedTuples } from "./sorted_tuples.ts";
import {
  createBareTableSql,
  createIndexesSql,
  type TableVariant,
  VARIANTS,
} from "./table_variants.ts";
import { settle, TABLE, tableContent } from "./target_table.ts";

interface Size {
  /** In the table before. */
  readonly rowCount: number;
  readonly events: number;
}

const EMPTY: Size = { rowCount: 0, events: 1_000_000 };
const LARGE: Size = { rowCount: 50_000_000, events: 500_000 };
const EVENTS_PER_FILE = 20_000;
/** The generator makes about as many events a day, and the filled table has as many. */
const EVENTS_PER_DAY = 86_400;
/** Those that the generator makes are not quite as many each day. */
const SPARE_DAYS = 3;
/** What the table was filled with is of no file, which is below. */
const IS_LOADED = "file_id > 0";

/** Into a table that is empty at first: its indexes fit in memory. */
export function tableBench(options: BenchOptions): Promise<BenchRow[]> {
  return measure(options, EMPTY);
}

/** Into one whose indexes are larger than the server's buffers. Half an hour and more a round. */
export function largeTableBench(options: BenchOptions): Promise<BenchRow[]> {
  return measure(options, LARGE);
}

async function measure(options: BenchOptions, size: Size): Promise<BenchRow[]> {
  if (options.quick) {
    const before = size.rowCount === 0 ? "" : `, in which ${formatCount(size.rowCount)} are`;
    return [skippedRow({
      name: `plain COPY of ${formatCount(size.events)} rows into other tables${before}`,
      goal: "",
      why: "indexes that fit in memory cost nothing",
    })];
  }
  const rows: BenchRow[] = [];
  for (const keys of KEY_KINDS) {
    const data = await options.datasets.get({
      events: size.events,
      files: size.events / EVENTS_PER_FILE,
      keys,
    });
    rows.push(...await measureVariants(options, { data, size }));
  }
  return rows;
}

async function measureVariants(
  { place, rounds, say }: BenchOptions,
  { data, size }: { data: Dataset; size: Size },
): Promise<BenchRow[]> {
  const batches = await encodedBatches(data);
  const sortedBatches = data.keys === "random" ? batches.map(sortedTuples) : null;
  // ordered keys are in order
  const variants = VARIANTS.filter(({ isSorted }) => !isSorted || sortedBatches !== null);
  const costs = variants.map((): LoadCost[] => []);
  const sizes: string[] = [];
  const contents = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    let before: TableVariant | null = null;
    for (const [index, variant] of variants.entries()) {
      await prepare(place, { variant, before, data, size });
      before = variant;
      const cost = await copyAll(place, variant.isSorted ? sortedBatches! : batches);
      costs[index]!.push(cost);
      say(`${data.keys} keys, ${variant.name}: ${formatDuration(cost.elapsedMs)}`);
      contents.add(JSON.stringify(await tableContent(place, { condition: IS_LOADED })));
      if (contents.size > 1) {
        throw new Error(`${variant.name}: tables differ: ${[...contents].join(", ")}`);
      }
      sizes[index] = await describeSize(place);
    }
  }
  const elapsedMs = (index: number) => costs[index]!.map((cost) => cost.elapsedMs);
  const figure = (index: number) => costFigure(data.manifest.valid, costs[index]!);
  const into = size.rowCount === 0 ? "" : ` into ${formatCount(size.rowCount)}`;
  return variants.map(({ name }, index) => ({
    name: `COPY of ${data.name}${into}: ${name}`,
    goal: "",
    figure: `${figure(index)}; ${sizes[index]}`,
    ...(index === 0 ? {} : {
      ratio: formatRatio(ratioOf(elapsedMs(0), elapsedMs(index))),
      baseline: `built-in: ${figure(0)}`,
    }),
    met: true,
  }));
}

/** The rows stay from one variant to the next where they may: to fill takes the longest. */
async function prepare(
  place: BenchPlace,
  { variant, before, data, size }: {
    variant: TableVariant;
    before: TableVariant | null;
    data: Dataset;
    size: Size;
  },
): Promise<void> {
  const { sql } = place.database;
  const { rowCount } = size;
  if (rowCount > 0 && before?.partitions === variant.partitions) {
    await dropIndexes(place);
    await sql.unsafe(`delete from ${TABLE} where ${IS_LOADED}`);
  } else {
    await sql.unsafe(createBareTableSql(variant, {
      daysBefore: Math.ceil(rowCount / EVENTS_PER_DAY),
      daysAfter: Math.ceil(size.events / EVENTS_PER_DAY) + SPARE_DAYS,
    }));
    if (rowCount > 0) await fillTable(sql, { table: TABLE, rowCount, keys: data.keys });
  }
  await sql.begin(async (transaction) => {
    await transaction.unsafe(BUILD_SETTINGS);
    await transaction.unsafe(createIndexesSql(variant));
  });
  // or the server would do so by itself, while something is measured
  if (rowCount > 0) await sql.unsafe(`vacuum analyze ${TABLE}`);
  await settle(place);
}

async function dropIndexes({ database: { sql } }: BenchPlace): Promise<void> {
  await sql.unsafe(`alter table ${TABLE} drop constraint if exists ${TABLE}_pkey`);
  const indexes = await sql<{ name: string }[]>`
    select indexrelid::regclass::text as name from pg_index where indrelid = ${TABLE}::regclass`;
  for (const { name } of indexes) await sql.unsafe(`drop index ${name}`);
}

async function encodedBatches({ files }: Dataset): Promise<Uint8Array[]> {
  const batches: Uint8Array[] = [];
  for (const [index, path] of files.entries()) {
    await encodeFile(path, {
      fileId: index + 1,
      onBatch: (bytes) => {
        batches.push(bytes.slice());
        return Promise.resolve();
      },
    });
  }
  return batches;
}

/** On one connection. */
async function copyAll(place: BenchPlace, batches: readonly Uint8Array[]): Promise<LoadCost> {
  return await onServer(place.database.target, (sql) =>
    costOfLoad(place, async () => {
      const startedMs = performance.now();
      for (const bytes of batches) await copyBatch(sql, bytes);
      return { elapsedMs: performance.now() - startedMs, cpuMs: null, peakBytes: null };
    }));
}

async function describeSize({ database: { sql } }: BenchPlace): Promise<string> {
  const [sizes] = await sql<{ tableBytes: number; indexBytes: number }[]>`
    select sum(pg_table_size(relid))::float8 as "tableBytes",
      sum(pg_indexes_size(relid))::float8 as "indexBytes"
    from (
      select ${TABLE}::regclass as relid
      union select relid from pg_partition_tree(${TABLE}::regclass)
    ) as tables`;
  return `table ${formatBytes(sizes!.tableBytes)}, indexes ${formatBytes(sizes!.indexBytes)}`;
}
