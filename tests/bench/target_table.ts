/** The table that both sides of a comparison load into, made anew for each run. */
import { join } from "@std/path";
import { setUp } from "../../src/database/set_up.ts";
import { csvHeader } from "../../src/schema/schema_help.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { BenchPlace } from "./bench_place.ts";

/** `built-in`: as pgsluice makes it. */
export type Indexes = "built-in" | "key alone" | "none";

export const TABLE = USER_EVENTS.table;

/** An empty table, an empty ledger, no journal, and nothing left for the server to write. */
export async function freshTable(place: BenchPlace, indexes: Indexes): Promise<void> {
  const { sql } = place.database;
  await sql.unsafe(`drop schema if exists pgsluice cascade; drop table if exists ${TABLE}`);
  await Deno.remove(join(place.home, "checkpoints"), { recursive: true }).catch(() => {});
  await setUp(place.database.target, { schema: USER_EVENTS, table: TABLE });
  if (indexes !== "built-in") await dropIndexes(place);
  if (indexes === "none") {
    await sql.unsafe(`alter table ${TABLE} drop constraint ${TABLE}_pkey`);
  }
  await settle(place);
}

/** Only pgsluice fills these; for the others they stay null, which is less work for them. */
export async function takeNulls(place: BenchPlace): Promise<void> {
  await place.database.sql.unsafe(
    `alter table ${TABLE} alter event_date drop not null, alter event_hour drop not null,
      alter file_id drop not null, alter line_number drop not null`,
  );
}

/** Writes out what earlier runs left, so that no other run pays for it. */
export async function settle(place: BenchPlace): Promise<void> {
  await place.database.sql`checkpoint`;
}

/** What the CSV holds of the rows, in any order. */
export interface TableContent {
  readonly rows: number;
  readonly checksum: string;
}

/** Of all rows of the table, unless given otherwise. */
export async function tableContent(
  { database: { sql } }: BenchPlace,
  { table = TABLE, condition = "true" }: { table?: string; condition?: string } = {},
): Promise<TableContent> {
  const columns = csvHeader(USER_EVENTS).join(", ");
  const [content] = await sql.unsafe<TableContent[]>(
    `select count(*)::int as rows,
      coalesce(sum(hash_record_extended(row(${columns}), 0)::numeric), 0)::text as checksum
    from ${table}
    where ${condition}`,
  );
  return content!;
}

async function dropIndexes({ database: { sql } }: BenchPlace): Promise<void> {
  const indexes = await sql<{ name: string }[]>`
    select indexrelid::regclass::text as name
    from pg_index
    where indrelid = ${TABLE}::regclass and not indisprimary`;
  for (const { name } of indexes) await sql.unsafe(`drop index ${name}`);
}
