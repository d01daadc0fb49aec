import type { TransactionSql } from "postgres";
import type { Schema } from "../schema/schema.ts";
import { sumMinutes } from "../sink/minute_deltas.ts";
import type { Differences } from "./verify_report.ts";

interface DifferingRow {
  readonly minute: string;
  readonly eventType: string;
  readonly kept: string;
  readonly stored: string;
  readonly count: number;
}

/** So many are told of. */
const MOST_TOLD = 10;

/**
 * Compares the sums by minute with the table's rows, whichever pipeline brought them.
 * @param sql a transaction of isolation level repeatable read
 */
export async function compareMinutes(
  sql: TransactionSql,
  { schema, table, differences }: { schema: Schema; table: string; differences: Differences },
): Promise<void> {
  const { minutes } = schema;
  if (minutes === undefined) return;
  const rows = await sql.unsafe<DifferingRow[]>(
    `
with kept as (
  select minute, event_type, events, units, amount
  from pgsluice.events_by_minute
  where target_table = $1
), stored (minute, event_type, events, units, amount) as (
  ${sumMinutes({ minutes, source: table })}
)
select
  to_char(minute at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') as minute,
  event_type as "eventType",
  format('%s of %s units and %s', coalesce(kept.events, 0), coalesce(kept.units, 0), coalesce(kept.amount, 0)) as kept,
  format('%s of %s units and %s', coalesce(stored.events, 0), coalesce(stored.units, 0), coalesce(stored.amount, 0)) as stored,
  count(*) over ()::float8 as count
from kept
full join stored using (minute, event_type)
where exists (select from pgsluice.rollups where target_table = $1)
  and (kept.events, kept.units, kept.amount)
    is distinct from (stored.events, stored.units, stored.amount)
order by minute, event_type
limit ${MOST_TOLD}`,
    [table],
  );
  for (const { minute, eventType, kept, stored } of rows) {
    differences.addFact({
      expected: `${stored} by the rows of ${minute}, ${eventType}`,
      found: kept,
    });
  }
  differences.count += (rows[0]?.count ?? 0) - rows.length;
}
