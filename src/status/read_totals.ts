/** What costs more the more files the ledger has: asked for seldom. */
import type { TransactionSql } from "postgres";
import type { Sql } from "../database/connect.ts";
import type { FileState } from "../sink/ledger_file.ts";
import { readRecentBatches } from "./recent_batches.ts";
import { COUNTED_REJECTS, type Totals } from "./watch_picture.ts";

interface StateRow {
  readonly pipelineId: number;
  readonly state: FileState;
  readonly files: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly committedBytes: number;
}

interface CodeRow {
  readonly pipelineId: number;
  readonly code: string;
  readonly count: number;
}

interface LatencyRow {
  readonly pipelineId: number;
  readonly files: number;
  readonly ms: readonly [number, number, number];
}

/** One consistent look at all pipelines. By the pipeline's id. */
export async function readTotals(
  sql: Sql,
  pipelineIds: readonly number[],
): Promise<ReadonlyMap<number, Totals>> {
  return await sql.begin("isolation level repeatable read read only", async (snapshot) => {
    const states = await readStates(snapshot);
    const codes = await readCodes(snapshot);
    const latencies = await readLatencies(snapshot);
    const totals = new Map<number, Totals>();
    for (const pipelineId of pipelineIds) {
      const isOfIt = (row: { pipelineId: number }) => row.pipelineId === pipelineId;
      const latency = latencies.find(isOfIt);
      totals.set(pipelineId, {
        ...sums(states.filter(isOfIt)),
        rejectCodes: codes.filter(isOfIt).map(({ code, count }) => ({ code, count })),
        latency: latency === undefined ? null : {
          files: latency.files,
          medianMs: Math.max(0, latency.ms[0]),
          p95Ms: Math.max(0, latency.ms[1]),
          p99Ms: Math.max(0, latency.ms[2]),
        },
        recentBatches: await readRecentBatches(snapshot, pipelineId),
      });
    }
    return totals;
  });
}

function sums(
  rows: readonly StateRow[],
): Pick<Totals, "loaded" | "rejected" | "duplicate" | "committedBytes" | "filesByState"> {
  const sum = (name: "loaded" | "rejected" | "duplicate" | "committedBytes") =>
    rows.reduce((total, row) => total + row[name], 0);
  return {
    loaded: sum("loaded"),
    rejected: sum("rejected"),
    duplicate: sum("duplicate"),
    committedBytes: sum("committedBytes"),
    filesByState: Object.fromEntries(rows.map(({ state, files }) => [state, files])),
  };
}

async function readStates(snapshot: TransactionSql): Promise<readonly StateRow[]> {
  return await snapshot<StateRow[]>`
    select
      pipeline_id::float8 as "pipelineId",
      state,
      count(*)::float8 as files,
      sum(loaded)::float8 as loaded,
      sum(rejected)::float8 as rejected,
      sum(duplicate)::float8 as duplicate,
      sum(committed_byte)::float8 as "committedBytes"
    from pgsluice.files
    group by pipeline_id, state`;
}

async function readCodes(snapshot: TransactionSql): Promise<readonly CodeRow[]> {
  return await snapshot<CodeRow[]>`
    select pipeline_id::float8 as "pipelineId", code, count(*)::float8 as count
    from (
      select file_id, code
      from pgsluice.rejects
      order by reject_id desc
      limit ${COUNTED_REJECTS}
    ) newest
    join pgsluice.files using (file_id)
    group by pipeline_id, code
    order by count desc, code`;
}

async function readLatencies(snapshot: TransactionSql): Promise<readonly LatencyRow[]> {
  return await snapshot<LatencyRow[]>`
    select
      pipeline_id::float8 as "pipelineId",
      count(*)::float8 as files,
      percentile_cont(array[0.5, 0.95, 0.99]) within group (
        order by extract(epoch from updated_at)::float8 * 1000 - modified_ms
      ) as ms
    from pgsluice.files
    where updated_at > now() - interval '1 minute'
      and state in ('open', 'done')
      and committed_byte > 0
      and modified_ms is not null
    group by pipeline_id`;
}
