/** How a pipeline's last batches went, and where their time was spent. */
import type { TransactionSql } from "postgres";
import { type BatchStages, STAGE_NAMES, type StageName } from "../sink/batch_stages.ts";

/** So many of the last batches are looked at. */
const RECENT_BATCHES = 100;

export interface StageShare {
  /** As in `BatchStages`, without the unit. */
  readonly stage: string;
  /** ms in one batch. */
  readonly meanMs: number;
  /** Of the sum of all stages; 0 to 1. */
  readonly share: number;
}

export interface RecentBatches {
  readonly batches: number;
  /** Loaded, rejected and duplicates, in one batch. */
  readonly meanRecords: number;
  /** How many carried the last batch and those beside it. */
  readonly connections: number;
  /** In the order in which a batch passes them. */
  readonly stages: readonly StageShare[];
}

interface MeansRow extends Omit<RecentBatches, "stages">, BatchStages {}

/** @returns null if there is none with its stages: not yet, or all are of an older version. */
export async function readRecentBatches(
  sql: TransactionSql,
  pipelineId: number,
): Promise<RecentBatches | null> {
  if (!await hasStages(sql)) return null;
  // ledger_ms and commit_ms are null for the first batch of each connection
  const [means] = await sql<MeansRow[]>`
    select
      count(*)::int as batches,
      avg(loaded + rejected + duplicate)::float8 as "meanRecords",
      (array_agg(connections order by batch_id desc))[1] as connections,
      coalesce(avg(read_ms), 0) as "readMs",
      coalesce(avg(decode_ms), 0) as "decodeMs",
      coalesce(avg(queue_ms), 0) as "queueMs",
      coalesce(avg(copy_ms), 0) as "copyMs",
      coalesce(avg(turn_ms), 0) as "turnMs",
      coalesce(avg(ledger_ms), 0) as "ledgerMs",
      coalesce(avg(commit_ms), 0) as "commitMs"
    from (
      select *
      from pgsluice.batches
      where pipeline_id = ${pipelineId}
      order by batch_id desc
      limit ${RECENT_BATCHES}
    ) recent
    where connections is not null`;
  if (means!.batches === 0) return null;
  const { batches, meanRecords, connections } = means!;
  return { batches, meanRecords, connections, stages: shares(means!) };
}

function shares(means: BatchStages): StageShare[] {
  const sumMs = STAGE_NAMES.reduce((sum, name) => sum + means[name], 0);
  return STAGE_NAMES.map((name) => ({
    stage: withoutUnit(name),
    meanMs: means[name],
    share: sumMs === 0 ? 0 : means[name] / sumMs,
  }));
}

function withoutUnit(name: StageName): string {
  return name.replace(/Ms$/, "");
}

/** Reading a database changes nothing in it: its ledger may be of an older version. */
async function hasStages(sql: TransactionSql): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (
      select
      from pg_attribute
      where attrelid = to_regclass('pgsluice.batches') and attname = 'commit_ms'
    ) as found`;
  return row!.found;
}
