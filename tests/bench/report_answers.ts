/** Whether what the reports say by the sums by minute is what the table's rows say. */
import type { Sql } from "../../src/database/connect.ts";
import type { ReportPipeline } from "../../src/query/find_report_pipeline.ts";
import type { Report } from "../../src/query/report.ts";
import { REPORTS } from "../../src/query/reports.ts";
import { runReport } from "../../src/query/run_report.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { sumMinutes } from "../../src/sink/minute_deltas.ts";
import { TABLE } from "./target_table.ts";

const SUMS = "from pgsluice.events_by_minute";
/** Read from the sums whatever they group by. */
const OF_SUMS: readonly string[] = ["traffic", "hours"];

/** @throws if the sums by minute are not those of the table */
export async function expectSums(sql: Sql): Promise<void> {
  const [differences] = await sql.unsafe<{ count: number }[]>(`
    with summed as (
      select minute, event_type, events, units, amount
      from pgsluice.events_by_minute
      where target_table = (select target_table from pgsluice.pipelines)
    ), counted as (${sumMinutes({ minutes: USER_EVENTS.minutes!, source: TABLE })})
    select count(*)::int as count
    from (
      (select * from summed except select * from counted)
      union all
      (select * from counted except select * from summed)
    ) as differences`);
  if (differences!.count > 0) throw new Error(`${differences!.count} sums are not the table's`);
}

/**
 * Asks the reports that read the sums, and then asks the same of the table's rows.
 * @returns ms that these take with the report's first grouping, by the report's name
 * @throws if an answer is another one
 */
export async function expectPlainAnswers(
  sql: Sql,
  pipeline: ReportPipeline,
): Promise<ReadonlyMap<string, number>> {
  const tookMs = new Map<string, number>();
  for (const report of REPORTS.values()) {
    if (!report.text.includes(SUMS)) continue;
    const groupings = report.groupings.length === 0 ? [undefined] : report.groupings;
    for (const by of groupings) {
      const request = { pipeline, ...(by !== undefined && { by }) };
      const { rows } = await runReport(sql, { ...request, report });
      const plain = await runReport(sql, { ...request, report: withoutSums(report) });
      if (JSON.stringify(plain.rows) !== JSON.stringify(rows)) {
        throw new Error(`${report.name} by ${by} is not what the table says`);
      }
      if (by === groupings[0] && OF_SUMS.includes(report.name)) {
        tookMs.set(report.name, plain.tookMs);
      }
    }
  }
  return tookMs;
}

/** The same question to the table's rows. */
function withoutSums(report: Report): Report {
  const counted = `from (
    select
      :'table'::text as target_table,
      date_trunc('minute', event_timestamp, 'UTC') as minute,
      event_type,
      count(*) as events,
      sum(quantity) as units,
      sum(price * quantity) as amount
    from :table
    where event_timestamp >= :'since'::timestamptz
      and event_timestamp < :'until'::timestamptz
    group by minute, event_type
  ) as counted_now`;
  return { ...report, text: report.text.replaceAll(SUMS, counted) };
}
