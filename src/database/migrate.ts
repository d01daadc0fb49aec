import ledger from "../../sql/migrations/0001_ledger.sql" with { type: "text" };
import repair from "../../sql/migrations/0002_repair.sql" with { type: "text" };
import stages from "../../sql/migrations/0003_stages.sql" with { type: "text" };
import minutes from "../../sql/migrations/0004_minutes.sql" with { type: "text" };
import reportTimes from "../../sql/migrations/0005_report_times.sql" with { type: "text" };
import type { ISql } from "postgres";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { Sql } from "./connect.ts";

export interface Migration {
  /** From 1, without gaps. */
  readonly number: number;
  /** Of the file in `sql/migrations`, without `.sql`. */
  readonly name: string;
  readonly text: string;
}

/** Forward only, in order. One that was released is never edited. */
export const MIGRATIONS: readonly Migration[] = [
  { number: 1, name: "0001_ledger", text: ledger },
  { number: 2, name: "0002_repair", text: repair },
  { number: 3, name: "0003_stages", text: stages },
  { number: 4, name: "0004_minutes", text: minutes },
  { number: 5, name: "0005_report_times", text: reportTimes },
];

/** The advisory lock of everything that changes the structure: "pgsluice" in ASCII. */
export const STRUCTURE_LOCK = "8099569364512629605"; // a string: postgres.js has no bigint

/** SQL of the table that remembers what was applied; it comes before the first migration. */
export const MIGRATIONS_TABLE_SQL = `create schema if not exists pgsluice;

create table if not exists pgsluice.migrations (
  number integer primary key,
  name text not null,
  applied_at timestamptz not null default now()
);
`;

/**
 * Brings the ledger, schema `pgsluice`, to the newest form this version knows. Each migration
 * commits together with its record; of several starters at once one applies it, the others wait.
 * Where nothing is to be done it only reads, so a user without rights to create may run it.
 *
 * @param sql Not within a transaction.
 * @returns Names of the migrations applied, oldest first.
 * @throws {PgsluiceError} `ledger-newer` if a newer pgsluice was here.
 */
export async function migrate(
  sql: Sql,
  options: { migrations?: readonly Migration[] } = {},
): Promise<string[]> {
  const migrations = options.migrations ?? MIGRATIONS;
  const newest = migrations.length;
  const applied: string[] = [];
  if (await appliedNumber(sql, newest) === newest) return applied;
  for (;;) {
    const name = await sql.begin(async (transaction) => {
      await transaction`select pg_advisory_xact_lock(${STRUCTURE_LOCK}::bigint)`;
      await transaction.unsafe(MIGRATIONS_TABLE_SQL);
      const next = migrations[await appliedNumber(transaction, newest)];
      if (next === undefined) return null;
      await transaction.unsafe(next.text);
      await transaction`
        insert into pgsluice.migrations (number, name) values (${next.number}, ${next.name})`;
      return next.name;
    });
    if (name === null) return applied;
    applied.push(name);
  }
}

/** Number of the newest migration in the database, 0 if there is none. */
async function appliedNumber(sql: ISql, newestKnown: number): Promise<number> {
  const [table] = await sql<{ exists: boolean }[]>`
    select to_regclass('pgsluice.migrations') is not null as exists`;
  if (table?.exists !== true) return 0;
  const [row] = await sql<{ number: number | null }[]>`
    select max(number) as number from pgsluice.migrations`;
  const number = row?.number ?? 0;
  if (number <= newestKnown) return number;
  throw new PgsluiceError(
    "ledger-newer",
    `the ledger in this database is of a newer pgsluice: its migration ${number} is not known ` +
      `here, the newest known is ${newestKnown}`,
    { hint: "use that pgsluice, or a newer one" },
  );
}
