/** Finds out what a report is about: `[since, until)`. */
import type { TransactionSql } from "postgres";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { ReportPipeline } from "./find_report_pipeline.ts";
import { type Report, type ReportWindow, TIME_GROUPINGS } from "./report.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Of a grouping by time, at its shortest. */
const BUCKET_MS: Readonly<Record<string, number>> = {
  minute: MINUTE_MS,
  hour: 60 * MINUTE_MS,
  day: DAY_MS - 60 * MINUTE_MS,
};
/** Rows of a grouping by time: bounds what is made, sent and drawn. Two months by minute. */
export const MAX_BUCKETS = 100_000;

export interface WindowRequest {
  readonly pipeline: ReportPipeline;
  readonly report: Pick<Report, "name" | "clock" | "windowMs" | "inWholeMinutes" | "maxEvents">;
  readonly by: string | null;
  readonly sinceMs?: number;
  readonly sinceAgoMs?: number;
  readonly untilMs?: number;
}

/** What there is to be about. ms since 1970. */
interface Extent {
  readonly nowMs: number;
  /** Null: there is nothing. */
  readonly oldestMs: number | null;
  /** Just after the newest that is not later than the latest asked for. */
  readonly endMs: number | null;
}

/**
 * The window ends at `untilMs`, else just after what is newest, but not later than now: events are
 * often history. It begins at `sinceMs`, else `sinceAgoMs` or the report's own length before its
 * end, but not before the oldest event. It is rounded outwards to what the report can tell apart:
 * to whole minutes where it reads the minutes' sums; where it groups by time and no exact beginning
 * was asked for, the first hour or day is a whole one.
 *
 * @throws PgsluiceError `no-minutes`, `empty-window` or `window-too-long`
 */
export async function resolveWindow(
  snapshot: TransactionSql,
  request: WindowRequest,
): Promise<ReportWindow> {
  const { pipeline, report, by } = request;
  // first of all: a report on sums that are not there would be empty without a word
  const rollupId = report.clock === "event" ? await findRollup(snapshot, pipeline) : null;
  const lengthMs = request.sinceAgoMs ?? report.windowMs;
  if (lengthMs === null && request.sinceMs === undefined && request.untilMs === undefined) {
    return { sinceMs: null, untilMs: null };
  }
  const extent = rollupId === null
    ? await commitExtent(snapshot, pipeline)
    : await eventExtent(snapshot, { rollupId, pipeline, limitMs: request.untilMs ?? null });
  const endMs = request.untilMs ?? Math.min(extent.nowMs, extent.endMs ?? extent.nowMs);
  const untilMs = report.inWholeMinutes ? Math.ceil(endMs / MINUTE_MS) * MINUTE_MS : endMs;
  const askedMs = request.sinceMs ?? (lengthMs === null ? -Infinity : endMs - lengthMs);
  if (askedMs >= untilMs) throw emptyWindow(request, { sinceMs: askedMs, untilMs });
  const oldestMs = Math.min(extent.oldestMs ?? -Infinity, untilMs);
  let sinceMs = oldestMs < untilMs ? Math.max(askedMs, oldestMs) : askedMs;
  if (sinceMs === -Infinity) return { sinceMs: null, untilMs };
  const isOfTime = by !== null && TIME_GROUPINGS.includes(by);
  if (isOfTime && request.sinceMs === undefined) {
    sinceMs = await bucketStart(snapshot, { sinceMs, by, timeZone: pipeline.timeZone });
  } else if (report.inWholeMinutes) {
    sinceMs = Math.floor(sinceMs / MINUTE_MS) * MINUTE_MS;
  }
  if (isOfTime && (untilMs - sinceMs) / BUCKET_MS[by]! > MAX_BUCKETS) {
    throw windowTooLong(request, { sinceMs, untilMs });
  }
  const isAsked = request.sinceMs !== undefined || request.sinceAgoMs !== undefined;
  if (report.maxEvents !== null && rollupId !== null && !isAsked) {
    const { maxEvents } = report;
    sinceMs = await shorten(snapshot, { pipeline, sinceMs, untilMs, maxEvents });
  }
  return { sinceMs, untilMs };
}

async function findRollup(
  snapshot: TransactionSql,
  { name, targetTable }: ReportPipeline,
): Promise<number> {
  const [rollup] = await snapshot<{ id: number }[]>`
    select rollup_id as id from pgsluice.rollups where target_table = ${targetTable}`;
  if (rollup !== undefined) return rollup.id;
  throw new PgsluiceError(
    "no-minutes",
    `the events of table ${targetTable} are not summed up by minute yet`,
    {
      hint:
        `\`pgsluice ingest --pipeline ${name}\` does it when it starts: let it run once, with ` +
        "--once if need be",
    },
  );
}

/** @param limitMs only events before it, else before now */
async function eventExtent(
  snapshot: TransactionSql,
  { rollupId, pipeline, limitMs }: {
    rollupId: number;
    pipeline: ReportPipeline;
    limitMs: number | null;
  },
): Promise<Extent> {
  // The ends by their index, of what may since have come to nothing: the view, which knows, adds up
  // all that it is asked about.
  const [ends] = await snapshot<{ nowMs: number; oldestMs: number | null; newestMs: number }[]>`
    with limits as (
      select coalesce(to_timestamp(${limitMs}::float8 / 1000), now()) as latest
    ), ends as (
      (
        select minute
        from pgsluice.minutes
        where rollup_id = ${rollupId}
        order by minute
        limit 1
      )
      union all
      (
        select minute
        from pgsluice.minutes
        where rollup_id = ${rollupId} and minute < (select latest from limits)
        order by minute desc
        limit 1
      )
      union all
      select unnest(array[min(minute), max(minute) filter (where minute < latest)])
      from limits, (
        select to_timestamp(60 * unnest(minutes)) as minute
        from pgsluice.minute_deltas
        where rollup_id = ${rollupId}
      ) changed
    )
    select
      ceil(extract(epoch from now()) * 1000)::float8 as "nowMs",
      (extract(epoch from min(minute)) * 1000)::float8 as "oldestMs",
      (extract(epoch from max(minute)) * 1000)::float8 as "newestMs"
    from ends`;
  const { nowMs, oldestMs, newestMs } = ends!;
  const latestMs = limitMs ?? nowMs;
  if (oldestMs === null || oldestMs >= latestMs) return { nowMs, oldestMs, endMs: null };
  const newest = (fromMs: number) => newestMinute(snapshot, { pipeline, fromMs, latestMs });
  const lastMs = await newest(newestMs - DAY_MS) ?? await newest(oldestMs);
  return { nowMs, oldestMs, endMs: lastMs === null ? null : lastMs + MINUTE_MS };
}

/** Start of the newest minute in `[fromMs, latestMs)` that has events. */
async function newestMinute(
  snapshot: TransactionSql,
  { pipeline, fromMs, latestMs }: { pipeline: ReportPipeline; fromMs: number; latestMs: number },
): Promise<number | null> {
  const [newest] = await snapshot<{ ms: number | null }[]>`
    select (extract(epoch from max(minute)) * 1000)::float8 as ms
    from pgsluice.events_by_minute
    where target_table = ${pipeline.targetTable}
      and minute >= to_timestamp(${fromMs}::float8 / 1000)
      and minute < to_timestamp(${latestMs}::float8 / 1000)`;
  return newest!.ms;
}

async function commitExtent(
  snapshot: TransactionSql,
  { pipelineId }: ReportPipeline,
): Promise<Extent> {
  const [extent] = await snapshot<Extent[]>`
    select
      ceil(extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs",
      (extract(epoch from created_at) * 1000)::float8 as "oldestMs",
      -- commands that mend write no batch; the end is not part of the window
      floor(extract(epoch from greatest(
        (
          select committed_at
          from pgsluice.batches
          where batches.pipeline_id = pipelines.pipeline_id
          order by batch_id desc
          limit 1
        ),
        (
          select max(updated_at)
          from pgsluice.files
          where files.pipeline_id = pipelines.pipeline_id
        )
      )) * 1000 + 1)::float8 as "endMs"
    from pgsluice.pipelines
    where pipeline_id = ${pipelineId}`;
  if (extent === undefined) throw new TypeError(`there is no pipeline of id ${pipelineId}`);
  return extent;
}

async function bucketStart(
  snapshot: TransactionSql,
  { sinceMs, by, timeZone }: { sinceMs: number; by: string; timeZone: string },
): Promise<number> {
  const [bucket] = await snapshot<{ ms: number }[]>`
    select (extract(epoch from date_trunc(
      ${by}, to_timestamp(${sinceMs}::float8 / 1000), ${timeZone}
    )) * 1000)::float8 as ms`;
  return bucket!.ms;
}

/** The earliest whole minute from which on there are no more than so many events; the last at least. */
async function shorten(
  snapshot: TransactionSql,
  { pipeline, sinceMs, untilMs, maxEvents }: {
    pipeline: ReportPipeline;
    sinceMs: number;
    untilMs: number;
    maxEvents: number;
  },
): Promise<number> {
  const [earliest] = await snapshot<{ ms: number | null; isAll: boolean }[]>`
    select
      (extract(epoch from coalesce(min(minute) filter (where events_from <= ${maxEvents}),
        max(minute))) * 1000)::float8 as ms,
      coalesce(max(events_from) <= ${maxEvents}, true) as "isAll"
    from (
      select minute, sum(sum(events)) over (order by minute desc) as events_from
      from pgsluice.events_by_minute
      where target_table = ${pipeline.targetTable}
        and minute > to_timestamp(${sinceMs}::float8 / 1000) - interval '1 minute'
        and minute < to_timestamp(${untilMs}::float8 / 1000)
      group by minute
    ) counted`;
  const { ms, isAll } = earliest!;
  return isAll || ms === null ? sinceMs : Math.max(sinceMs, ms);
}

function emptyWindow(
  { report, untilMs }: WindowRequest,
  window: { readonly sinceMs: number; readonly untilMs: number },
): PgsluiceError {
  const end = untilMs === undefined
    ? `just after the newest ${report.clock}, at ${isoTime(window.untilMs)}`
    : `at ${isoTime(window.untilMs)}`;
  return new PgsluiceError(
    "empty-window",
    `report ${report.name}: its window would begin at ${isoTime(window.sinceMs)} and end ${end}`,
    { hint: "say an earlier --since, or leave it out", exitCode: EXIT.usage },
  );
}

function windowTooLong(
  { report, by }: WindowRequest,
  { sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number },
): PgsluiceError {
  return new PgsluiceError(
    "window-too-long",
    `report ${report.name} by ${by} from ${isoTime(sinceMs)} to ${isoTime(untilMs)} would have ` +
      `more than ${MAX_BUCKETS} rows`,
    { hint: "say a later --since, or --by something longer", exitCode: EXIT.usage },
  );
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
