/**
 * The way of a batch whose keys repeat: by way of a temporary table, to tell new rows from
 * duplicates (same key, same content) and key conflicts (same key, other content).
 */
import type { TransactionSql } from "postgres";
import { quoteIdentifier } from "../database/quote_identifier.ts";
import { copyColumnNames, type Schema } from "../schema/schema.ts";

/** A staged row that did not enter the table, because its key is there. */
export interface RepeatedRow {
  readonly fileId: number;
  readonly lineNumber: number;
  readonly key: string;
  /** True if all columns that come from the CSV equal the row that is there. */
  readonly sameContent: boolean;
  /** Where the row that is there came from; nulls if pgsluice did not load it. */
  readonly otherPath: string | null;
  readonly otherLineNumber: number | null;
}

export interface StagingSql {
  readonly table: string;
  readonly create: string;
  readonly insert: string;
  readonly repeated: string;
}

const STAGING_TABLE = "pg_temp.pgsluice_staging";

/** @param table the target, quoted */
export function stagingSql(schema: Schema, table: string): StagingSql {
  const columns = copyColumnNames(schema).map(quoteIdentifier).join(", ");
  const key = quoteIdentifier(schema.key);
  const sameContent = schema.columns
    .map(({ name }) => quoteIdentifier(name))
    .map((name) => `there.${name} is not distinct from staged.${name}`)
    .join("\n    and ");
  return {
    table: STAGING_TABLE,
    create: `
create temporary table if not exists pgsluice_staging on commit delete rows as
select ${columns} from ${table} with no data`,
    // keys in sorted order, so that connections that carry the same keys wait for each other
    // in one order; of equal keys in the batch the first one in the file enters
    insert: `
insert into ${table} (${columns})
select distinct on (${key}) ${columns}
from ${STAGING_TABLE}
order by ${key}, file_id, line_number
on conflict (${key}) do nothing`,
    repeated: `
select
  staged.file_id::float8 as "fileId",
  staged.line_number::float8 as "lineNumber",
  staged.${key}::text as key,
  (${sameContent}) as "sameContent",
  files.path as "otherPath",
  there.line_number::float8 as "otherLineNumber"
from ${STAGING_TABLE} staged
join ${table} there on there.${key} = staged.${key}
left join pgsluice.files files on files.file_id = there.file_id
where (there.file_id, there.line_number) is distinct from (staged.file_id, staged.line_number)`,
  };
}

/** Moves the staged rows into the table. @returns those that did not enter */
export async function insertStaged(
  transaction: TransactionSql,
  staging: StagingSql,
): Promise<RepeatedRow[]> {
  await transaction.unsafe(staging.insert);
  return await transaction.unsafe<RepeatedRow[]>(staging.repeated);
}
