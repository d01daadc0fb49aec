/** What the demo asks of its database. */
import type { Sql } from "../database/connect.ts";

export interface DemoProgress {
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  /** From the rename of a file into the folder to its last row's commit, in ms. */
  readonly medianLatencyMs: number | null;
}

/** How far pipeline `default` is; null before its ledger is there. */
export async function readProgress(sql: Sql): Promise<DemoProgress | null> {
  const [there] = await sql<{ isThere: boolean }[]>`
    select to_regclass('pgsluice.files') is not null as "isThere"`;
  if (!there?.isThere) return null;
  const [row] = await sql<DemoProgress[]>`
    select
      coalesce(sum(loaded), 0)::float8 as loaded,
      coalesce(sum(rejected), 0)::float8 as rejected,
      coalesce(sum(duplicate), 0)::float8 as duplicate,
      percentile_cont(0.5) within group (
        order by extract(epoch from updated_at)::float8 * 1000 - modified_ms
      ) filter (where state = 'done') as "medianLatencyMs"
    from pgsluice.files`;
  return row ?? null;
}

export interface LatencyPercentiles {
  readonly files: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly slowest: number;
}

/** From the rename of each file into the folder to its commit, in ms. */
export async function readLatencies(sql: Sql): Promise<LatencyPercentiles> {
  const [row] = await sql<LatencyPercentiles[]>`
    with latencies as (
      select extract(epoch from updated_at)::float8 * 1000 - modified_ms as ms
      from pgsluice.files
      where state = 'done'
    )
    select
      count(*)::float8 as files,
      percentile_cont(0.5) within group (order by ms) as p50,
      percentile_cont(0.95) within group (order by ms) as p95,
      percentile_cont(0.99) within group (order by ms) as p99,
      max(ms) as slowest
    from latencies`;
  return row!;
}

export interface HourOfEvents {
  readonly hour: number;
  readonly views: number;
  readonly purchases: number;
  readonly revenue: string;
}

/** Events by hour of the day, and what the purchases came to. */
export async function readHours(sql: Sql): Promise<HourOfEvents[]> {
  return await sql<HourOfEvents[]>`
    select
      event_hour::int as hour,
      count(*) filter (where event_type = 'view')::float8 as views,
      count(*) filter (where event_type = 'purchase')::float8 as purchases,
      coalesce(sum(price * quantity) filter (where event_type = 'purchase'), 0)::text as revenue
    from user_events
    group by event_hour
    order by event_hour`;
}

export interface RejectsOfCode {
  readonly code: string;
  readonly count: number;
  readonly example: string;
}

/** Rejects by reason, the most frequent first, with the first one's place and sentence. */
export async function readRejects(sql: Sql): Promise<RejectsOfCode[]> {
  return await sql<RejectsOfCode[]>`
    select
      code,
      count(*)::float8 as count,
      (array_agg(
        files.path || ' line ' || line_number || ': ' || rejects.reason order by reject_id
      ))[1] as example
    from pgsluice.rejects
    join pgsluice.files using (file_id)
    group by code
    order by count(*) desc, code`;
}
