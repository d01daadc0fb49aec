/** What changes of a table's rows leave for the sums by minute, in the same transaction. */
import type { ISql, PendingQuery, Row } from "postgres";
import { quoteIdentifier } from "../database/quote_identifier.ts";
import type { MinuteSums } from "../schema/schema.ts";
import type { MinuteCounts } from "./minute_counts.ts";

/**
 * An `insert` of what has come, to stand alone or as a part of a statement. It enters nothing if the
 * table's sums were not begun: whoever begins them counts what is there.
 * @param from.table as in `pgsluice.pipelines`
 */
export function insertMinutes(
  sql: ISql,
  { minutes, table }: { minutes: readonly MinuteCounts[]; table: string },
): PendingQuery<Row[]> {
  const arrays = (of: (counts: MinuteCounts) => string) => sql.array(minutes.map(of));
  return sql`
    insert into pgsluice.minute_deltas (rollup_id, event_type, minutes, events, units, amounts)
    select
      rollups.rollup_id, event_type, minutes::bigint[], events::bigint[], units::bigint[],
      amounts::numeric[]
    from unnest(
      ${arrays(({ eventType }) => eventType)}::text[],
      ${arrays((counts) => counts.minutes)}::text[],
      ${arrays(({ events }) => events)}::text[],
      ${arrays(({ units }) => units)}::text[],
      ${arrays(({ amounts }) => amounts)}::text[]
    ) as come (event_type, minutes, events, units, amounts)
    cross join pgsluice.rollups
    where rollups.target_table = ${table}`;
}

/** The sums of `source`, which has the table's columns, by minute and type. */
export function sumMinutes({ minutes, source }: { minutes: MinuteSums; source: string }): string {
  const [time, type, price, quantity] = [
    quoteIdentifier(minutes.time),
    quoteIdentifier(minutes.type),
    quoteIdentifier(minutes.price),
    quoteIdentifier(minutes.quantity),
  ];
  return `
select
  date_trunc('minute', ${time}, 'UTC'),
  ${type},
  count(*),
  sum(${quantity}),
  sum(${price} * ${quantity})
from ${source}
group by 1, 2`;
}
