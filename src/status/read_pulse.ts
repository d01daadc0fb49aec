/** What is asked of the database for every picture: small, whatever the ledger has grown to. */
import type { Sql } from "../database/connect.ts";
import { PIPELINE_COLUMNS } from "./pipeline_columns.ts";
import { PAST_SECONDS, type Second, type WatchedPipeline } from "./watch_picture.ts";

/** Of a pipeline, when no floor is known yet; beyond, the oldest seconds of a minute are missing. */
const MOST_BATCHES = 50_000;
/** Of other pipelines. */
const MOST_NAMES = 100;

export interface Pulse {
  /** ms since 1970, by the server's clock. */
  readonly atMs: number;
  readonly standbys: number;
  readonly pipelines: readonly (WatchedPipeline & { readonly past: readonly Second[] })[];
  /** If the one that was asked for is not there: those that are. Else empty. */
  readonly otherNames: readonly string[];
  /** The newest batch that is too old to be shown: the next question begins behind it. */
  readonly floor: number;
}

interface ClockRow {
  readonly atMs: number;
  readonly hasLedger: boolean;
  readonly standbys: number;
}

interface PulseRow extends WatchedPipeline {
  readonly floor: number | null;
  readonly seconds: readonly (Second & { readonly second: number })[] | null;
}

/**
 * @param options.pipeline only this one
 * @param options.floor of the pulse before, on the same connection; 0 for the first
 * @returns null if the database has no ledger
 */
export async function readPulse(
  sql: Sql,
  { pipeline, floor }: { pipeline: string | null; floor: number },
): Promise<Pulse | null> {
  // an ingester that stands by asks for the lock again and again, so that it never waits for it
  const [clock] = await sql<ClockRow[]>`
    select
      (extract(epoch from clock_timestamp()) * 1000)::float8 as "atMs",
      to_regclass('pgsluice.files') is not null as "hasLedger",
      (
        select count(*)::int
        from pg_stat_activity session
        where application_name = 'pgsluice owner'
          and datname = current_database()
          and not exists (
            select from pg_locks where locktype = 'advisory' and granted and pid = session.pid
          )
      ) as standbys`;
  if (!clock!.hasLedger) return null;
  const rows = await sql.unsafe<PulseRow[]>(PULSE, [pipeline, floor]);
  const { atMs, standbys } = clock!;
  return {
    atMs,
    standbys,
    pipelines: rows.map(({ floor: _, seconds, ...row }) => ({
      ...row,
      past: wholeSeconds(seconds ?? [], atMs),
    })),
    otherNames: pipeline !== null && rows.length === 0 ? await readNames(sql) : [],
    floor: Math.max(floor, ...rows.map((row) => row.floor ?? 0)),
  };
}

async function readNames(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    select name from pgsluice.pipelines order by name limit ${MOST_NAMES}`;
  return rows.map(({ name }) => name);
}

const PULSE = `
select
  ${PIPELINE_COLUMNS},
  recent.floor::float8 as floor,
  recent.seconds
from pgsluice.pipelines
cross join lateral (
  with newest as materialized (
    select batch_id, committed_at, bytes, loaded, rejected, duplicate
    from pgsluice.batches
    where batches.pipeline_id = pipelines.pipeline_id and batch_id > $2::bigint
    order by batch_id desc
    limit ${MOST_BATCHES}
  ),
  seconds as (
    select
      floor(extract(epoch from committed_at))::float8 as second,
      sum(loaded + rejected + duplicate)::float8 as records,
      sum(bytes)::float8 as "sizeBytes",
      sum(rejected)::float8 as rejected,
      sum(duplicate)::float8 as duplicate,
      count(*)::float8 as batches
    from newest
    where committed_at > statement_timestamp() - interval '${PAST_SECONDS + 2} s'
    group by 1
  )
  select
    (
      select max(batch_id)
      from newest
      where committed_at <= statement_timestamp() - interval '${PAST_SECONDS + 2} s'
    ) as floor,
    (select json_agg(seconds) from seconds) as seconds
) recent
where $1::text is null or name = $1
order by name`;

const NOTHING: Second = { records: 0, sizeBytes: 0, rejected: 0, duplicate: 0, batches: 0 };

/** The second that is not over is left out, so that what is shown does not change any more. */
function wholeSeconds(
  seconds: readonly (Second & { readonly second: number })[],
  atMs: number,
): readonly Second[] {
  const found = new Map(seconds.map(({ second, ...facts }) => [second, facts]));
  const first = Math.floor(atMs / 1000) - PAST_SECONDS;
  return Array.from({ length: PAST_SECONDS }, (_, index) => found.get(first + index) ?? NOTHING);
}
