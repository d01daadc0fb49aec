/** Tables that hold millions of rows already, made by the server itself. */
import { formatBytes } from "../../src/cli/number_format.ts";
import { createIndexSql, createTableSql } from "../../src/schema/ddl.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { Sql } from "../../src/database/connect.ts";
import { FIRST_EVENT, type KeyKind } from "./datasets.ts";

/** As many as the machine has cores here; more would only share them. */
const FILLERS = 2;
/** Memory to sort for an index, and processes that help. */
export const BUILD_SETTINGS = "set local maintenance_work_mem = '1GB'";

/** With the built-in table's indexes. */
export async function makeFilledTable(
  sql: Sql,
  { table, rowCount, keys }: { table: string; rowCount: number; keys: KeyKind },
): Promise<void> {
  await sql.unsafe(`drop table if exists ${table}`);
  // without indexes first: built at the end they take a fraction of the time
  await sql.unsafe(createTableSql({ ...USER_EVENTS, indexes: [] }, { table }));
  await sql.unsafe(`alter table ${table} drop constraint ${table}_pkey`);
  await fillTable(sql, { table, rowCount, keys });
  await sql.begin(async (transaction) => {
    await transaction.unsafe(BUILD_SETTINGS);
    await transaction.unsafe(`alter table ${table} add primary key (${USER_EVENTS.key})`);
    for (const index of USER_EVENTS.indexes) {
      await transaction.unsafe(createIndexSql(index, { table }));
    }
  });
  // or the server would do so by itself, while something is measured
  await sql.unsafe(`vacuum analyze ${table}`);
  await sql`checkpoint`;
}

/** An event a second, the last just before the first of the datasets, of no file: `file_id` < 0. */
export async function fillTable(
  sql: Sql,
  { table, rowCount, keys }: { table: string; rowCount: number; keys: KeyKind },
): Promise<void> {
  const share = Math.ceil(rowCount / FILLERS);
  await Promise.all(Array.from({ length: FILLERS }, (_, filler) =>
    sql.unsafe(fillSql({
      table,
      keys,
      rowCount,
      from: filler * share + 1,
      to: Math.min((filler + 1) * share, rowCount),
    }))));
}

/** As in `table 7.4 GiB; user_events_pkey 1.9 GiB, …`. */
export async function describeSizes(sql: Sql, table: string): Promise<string> {
  const [sizes] = await sql<{ tableBytes: number }[]>`
    select pg_table_size(${table}::regclass)::float8 as "tableBytes"`;
  const indexes = await sql<{ name: string; sizeBytes: number }[]>`
    select indexrelid::regclass::text as name, pg_relation_size(indexrelid)::float8 as "sizeBytes"
    from pg_index
    where indrelid = ${table}::regclass
    order by 1`;
  const texts = indexes.map(({ name, sizeBytes }) =>
    `${name.replace(`${table}_`, "")} ${formatBytes(sizeBytes)}`
  );
  return `table ${formatBytes(sizes!.tableBytes)}, ${texts.join(", ")}`;
}

function fillSql(
  { table, keys, rowCount, from, to }: {
    table: string;
    keys: KeyKind;
    rowCount: number;
    from: number;
    to: number;
  },
): string {
  // version 7 is the time in ms, 48 bits of it, and then whatever
  const key = keys === "random"
    ? "md5(i::text)::uuid"
    : "(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || " +
      "substr(md5(i::text), 1, 3) || '8' || substr(md5(i::text), 4, 15))::uuid";
  return `
    insert into ${table} (event_id, event_timestamp, event_type, user_id, product_id, product_name,
      category, price, quantity, event_date, event_hour, file_id, line_number)
    select ${key}, at, case when i % 20 = 0 then 'purchase' else 'view' end,
      1 + i * 7919 % 2000000, 1 + i * 104729 % 9000000, 'Handmade Bronze Keyboard',
      'Electronics', (i % 50000)::numeric / 100, 1 + i % 3, (at at time zone 'UTC')::date,
      extract(hour from at at time zone 'UTC'),
      -- of no pipeline, and in the order of the rows, as a pipeline's are
      (i - ${rowCount}) / 20000 - 1, 2 + i % 20000
    from generate_series(${from}::bigint, ${to}::bigint) as i,
      lateral (select '${FIRST_EVENT.toISOString()}'::timestamptz
        - make_interval(secs => ${rowCount} - i + 1) as at) as time`;
}
