/**
 * What each index, the key's order and partitions cost: plain COPY of ready-made tuples on one
 * connection, 20,000 rows a transaction, into one table after the other. Without goals; the ratio is
 * to the built-in table of the same round. On a busy machine the server's CPU time says more.
 */
import { formatBytes, formatCount, formatDuration } from "../../src/cli/number_format.ts";
import { createIndexSql, createTableSql } from "../../src/schema/ddl.ts";
import type { TableIndex } from "../../src/schema/schema.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import { onServer } from "./bench_server.ts";
import { copyBatch } from "./copy_batch.ts";
import { type Dataset, FIRST_EVENT, KEY_KINDS } from "./datasets.ts";
import { encodeFile } from "./encode_file.ts";
import { costFigure, costOfLoad, type LoadCost } from "./load_cost.ts";
import { formatRatio, ratioOf } from "./rounds.ts";
import { sortedTuples } from "./sorted_tuples.ts";
import { settle, TABLE, tableContent } from "./target_table.ts";

const BUILT_IN = createTableSql(USER_EVENTS, { table: TABLE });

const EVENTS = 1_000_000;
const HASH_PARTITIONS = 4;
const DAY_MS = 24 * 3600 * 1000;
/** The generator makes about 86,400 events a day. */
const DAY_PARTITIONS = Math.ceil(EVENTS / 86_400) + 3;

interface TableVariant {
  readonly name: string;
  /** Statements that make the table. */
  readonly sql: string;
  /** Each batch's rows come in the order of their keys, as pgsluice sends them. */
  readonly isSorted?: boolean;
}

const ON_FILE: TableIndex = { method: "brin", column: "file_id" };
const ON_TIME: TableIndex = { method: "btree", column: "event_timestamp" };
const ON_USER: TableIndex = { method: "btree", column: "user_id" };
const ON_PRODUCT: TableIndex = { method: "btree", column: "product_id" };

/** The first is what the others are compared with. */
const VARIANTS: readonly TableVariant[] = [
  { name: "built-in", sql: BUILT_IN },
  { name: "built-in, each batch in the order of its keys", sql: BUILT_IN, isSorted: true },
  {
    name: "no index at all",
    sql: `${withIndexes()}alter table ${TABLE} drop constraint ${TABLE}_pkey;`,
  },
  { name: "key alone", sql: withIndexes() },
  { name: "key alone, each batch in the order of its keys", sql: withIndexes(), isSorted: true },
  { name: "key, brin (file_id)", sql: withIndexes(ON_FILE) },
  { name: "key, brin (file_id), btree (event_timestamp)", sql: withIndexes(ON_FILE, ON_TIME) },
  {
    name: "key, brin (file_id), btree (event_timestamp), each batch in the order of its keys",
    sql: withIndexes(ON_FILE, ON_TIME),
    isSorted: true,
  },
  {
    name: "built-in, btree (user_id), btree (product_id)",
    sql: withIndexes(...USER_EVENTS.indexes, ON_USER, ON_PRODUCT),
  },
  ...[70, 100].map((percent) => ({
    name: `built-in, key's fillfactor ${percent}`,
    sql: `${BUILT_IN}
      alter index ${TABLE}_pkey set (fillfactor = ${percent});`,
  })),
  { name: `built-in, ${HASH_PARTITIONS} partitions by hash of the key`, sql: hashPartitioned() },
  { name: "built-in, partitions by day, key (event_id, event_timestamp)", sql: dayPartitioned() },
];

export async function tableBench(options: BenchOptions): Promise<BenchRow[]> {
  const name = `plain COPY of ${formatCount(EVENTS)} rows into other tables`;
  if (options.quick) {
    return [skippedRow({ name, goal: "", why: "indexes that fit in memory cost nothing" })];
  }
  const rows: BenchRow[] = [];
  for (const keys of KEY_KINDS) {
    const data = await options.datasets.get({ events: EVENTS, files: 50, keys });
    rows.push(...await measureVariants(options, data));
  }
  return rows;
}

async function measureVariants(
  { place, rounds, say }: BenchOptions,
  data: Dataset,
): Promise<BenchRow[]> {
  const batches = await encodedBatches(data);
  const sortedBatches = data.keys === "random" ? batches.map(sortedTuples) : null;
  // ordered keys are in order
  const variants = VARIANTS.filter(({ isSorted }) => !isSorted || sortedBatches !== null);
  const costs = variants.map((): LoadCost[] => []);
  const sizes: string[] = [];
  const contents = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    for (const [index, { name, sql, isSorted }] of variants.entries()) {
      await place.database.sql.unsafe(`drop table if exists ${TABLE}; ${sql}`);
      await settle(place);
      const cost = await copyAll(place, isSorted ? sortedBatches! : batches);
      costs[index]!.push(cost);
      say(`${data.keys} keys, ${name}: ${formatDuration(cost.elapsedMs)}`);
      contents.add(JSON.stringify(await tableContent(place)));
      if (contents.size > 1) throw new Error(`${name}: tables differ: ${[...contents].join(", ")}`);
      sizes[index] = await describeSize(place);
    }
  }
  const elapsedMs = (index: number) => costs[index]!.map((cost) => cost.elapsedMs);
  const figure = (index: number) => costFigure(data.manifest.valid, costs[index]!);
  return variants.map(({ name }, index) => ({
    name: `COPY of ${data.name}: ${name}`,
    goal: "",
    figure: `${figure(index)}; ${sizes[index]}`,
    ...(index === 0 ? {} : {
      ratio: formatRatio(ratioOf(elapsedMs(0), elapsedMs(index))),
      baseline: `built-in: ${figure(0)}`,
    }),
    met: true,
  }));
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

/** The built-in table with its key and these indexes. */
function withIndexes(...indexes: readonly TableIndex[]): string {
  const table = createTableSql({ ...USER_EVENTS, indexes: [] }, { table: TABLE });
  return table + indexes.map(indexSql).join("");
}

function indexSql(index: TableIndex): string {
  return `${createIndexSql(index, { table: TABLE })};\n`;
}

function hashPartitioned(): string {
  const partitions = Array.from(
    { length: HASH_PARTITIONS },
    (_, remainder) =>
      `create table ${TABLE}_${remainder} partition of ${TABLE}
      for values with (modulus ${HASH_PARTITIONS}, remainder ${remainder});\n`,
  );
  return partitioned("primary key (event_id)", "hash (event_id)") + partitions.join("");
}

function dayPartitioned(): string {
  const day = (index: number) => new Date(FIRST_EVENT.getTime() + index * DAY_MS).toISOString();
  const partitions = Array.from(
    { length: DAY_PARTITIONS },
    (_, index) =>
      `create table ${TABLE}_${index} partition of ${TABLE}
      for values from ('${day(index)}') to ('${day(index + 1)}');\n`,
  );
  return partitioned("primary key (event_id, event_timestamp)", "range (event_timestamp)") +
    partitions.join("");
}

function partitioned(key: string, by: string): string {
  return `
    ${createTableSql({ ...USER_EVENTS, indexes: [] }, { table: "shape" })}
    create table ${TABLE} (like shape including defaults, ${key}) partition by ${by};
    drop table shape;\n` + USER_EVENTS.indexes.map(indexSql).join("");
}
