/**
 * The way of a batch that the table may not take as it is: by way of a temporary table, to tell new
 * rows from duplicates (same key, same content), key conflicts (same key, other content), and what
 * the database refuses.
 */
import type { TransactionSql } from "postgres";
import { faultKind } from "../database/fault.ts";
import { quoteIdentifier } from "../database/quote_identifier.ts";
import { copyColumnNames, type Schema } from "../schema/schema.ts";

/** A staged row that did not enter the table. */
export interface RepeatedRow {
  readonly fileId: number;
  readonly lineNumber: number;
  readonly key: string;
  /**
   * True if all columns that come from the CSV equal the row that has its key; null if there is
   * no such row, so that the key is not what kept it out.
   */
  readonly sameContent: boolean | null;
  /** Where the row that is there came from; nulls if pgsluice did not load it. */
  readonly otherPath: string | null;
  readonly otherLineNumber: number | null;
}

/** A staged row that a constraint, trigger or type of the table refused. */
export interface RefusedRow {
  readonly fileId: number;
  readonly lineNumber: number;
  /** SQLSTATE. */
  readonly state: string;
  readonly message: string;
  readonly columnName: string | null;
}

export interface StagingSql {
  readonly table: string;
  readonly create: string;
  readonly empty: string;
  readonly insert: string;
  /** Prepares `isolate`, which inserts by halves; then the refused rows are read and all of it goes. */
  readonly prepareIsolation: string;
  readonly isolate: string;
  readonly refused: string;
  readonly endIsolation: string;
  readonly repeated: string;
}

export const STAGING_TABLE = "pg_temp.pgsluice_staging";

/** @param table the target, quoted */
export function stagingSql(schema: Schema, table: string): StagingSql {
  const columns = copyColumnNames(schema).map(quoteIdentifier).join(", ");
  const key = quoteIdentifier(schema.key);
  const sameContent = schema.columns
    .map(({ name }) => quoteIdentifier(name))
    .map((name) => `there.${name} is not distinct from staged.${name}`)
    .join("\n    and ");
  // the conflict names the key: another unique index is the table's own affair and refuses the row
  const intoTable = (from: string, order: string) => `
insert into ${table} (${columns})
select ${columns}
from ${from}
order by ${order}
on conflict (${key}) do nothing`;
  return {
    table: STAGING_TABLE,
    create: `
create temporary table if not exists pgsluice_staging on commit delete rows as
select ${columns} from ${table} with no data`,
    empty: `truncate ${STAGING_TABLE}`,
    // keys in sorted order, so that connections that carry the same keys wait for each other
    // in one order; of equal keys in the batch the first one in the file enters
    insert: intoTable(STAGING_TABLE, `${key}, file_id, line_number`),
    // The halving runs in the server, one savepoint a step: a stretch that is refused is cut in
    // two, down to the single row. With r refused of n that is at most 2 r (log2(n / r) + 2) steps,
    // and no round trip for any of them.
    prepareIsolation: `
create temporary table pgsluice_ordered on commit drop as
select row_number() over (order by ${key}, file_id, line_number) as ordinal, staged.*
from ${STAGING_TABLE} staged;
alter table pg_temp.pgsluice_ordered add primary key (ordinal);
create temporary table pgsluice_refused (
  ordinal bigint, state text, message text, column_name text
) on commit drop;
create or replace function pg_temp.pgsluice_isolate(first_row bigint, last_row bigint)
returns void
language plpgsql
as $isolate$
#variable_conflict use_column
declare
  refused_state text;
  refused_message text;
  refused_column text;
  middle_row bigint := (first_row + last_row) / 2;
begin
  ${
      intoTable(
        "pg_temp.pgsluice_ordered\nwhere ordinal between first_row and last_row",
        "ordinal",
      )
    };
exception when others then
  get stacked diagnostics
    refused_state = returned_sqlstate,
    refused_message = message_text,
    refused_column = column_name;
  if refused_state !~ '${REFUSED_STATES}' then
    raise;
  elsif first_row = last_row then
    insert into pg_temp.pgsluice_refused
    values (first_row, refused_state, refused_message, nullif(refused_column, ''));
  else
    perform pg_temp.pgsluice_isolate(first_row, middle_row);
    perform pg_temp.pgsluice_isolate(middle_row + 1, last_row);
  end if;
end
$isolate$`,
    isolate: `
select pg_temp.pgsluice_isolate(1, max(ordinal)) from pg_temp.pgsluice_ordered`,
    refused: `
select
  file_id::float8 as "fileId",
  line_number::float8 as "lineNumber",
  state,
  message,
  column_name as "columnName"
from pg_temp.pgsluice_refused
join pg_temp.pgsluice_ordered using (ordinal)`,
    endIsolation: `
drop table pg_temp.pgsluice_ordered, pg_temp.pgsluice_refused`,
    // as one value: a row of a result costs both sides more than one of an array
    repeated: `
select coalesce(json_agg(json_build_object(
  'fileId', staged.file_id,
  'lineNumber', staged.line_number,
  'key', staged.${key}::text,
  'sameContent', case when there.${key} is not null then ${sameContent} end,
  'otherPath', files.path,
  'otherLineNumber', there.line_number
)), '[]')::text as rows
from ${STAGING_TABLE} staged
left join lateral (
  -- the offset keeps it from becoming a join that reads the whole table
  select * from ${table} there where there.${key} = staged.${key} offset 0
) there on true
left join pgsluice.files files on files.file_id = there.file_id
where (there.file_id, there.line_number) is distinct from (staged.file_id, staged.line_number)`,
  };
}

/** The classes of SQLSTATE that are about the row, as `faultKind` has them. */
const REFUSED_STATES = "^(22(?!P0[34])|23|P0)";

/** Moves the staged rows into the table. @returns those that did not enter, and why */
export async function insertStaged(
  transaction: TransactionSql,
  staging: StagingSql,
): Promise<{ repeated: readonly RepeatedRow[]; refused: readonly RefusedRow[] }> {
  let refused: readonly RefusedRow[] = [];
  try {
    await transaction.savepoint((savepoint) => savepoint.unsafe(staging.insert));
  } catch (error) {
    if (faultKind(error) !== "reject") throw error;
    refused = await isolateRefused(transaction, staging);
  }
  const [row] = await transaction.unsafe<{ rows: string }[]>(staging.repeated);
  return { repeated: JSON.parse(row!.rows) as RepeatedRow[], refused };
}

async function isolateRefused(
  transaction: TransactionSql,
  staging: StagingSql,
): Promise<readonly RefusedRow[]> {
  await transaction.unsafe(staging.prepareIsolation);
  await transaction.unsafe(staging.isolate);
  const refused = await transaction.unsafe<RefusedRow[]>(staging.refused);
  await transaction.unsafe(staging.endIsolation);
  return refused;
}
