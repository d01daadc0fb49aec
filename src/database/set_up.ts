import type { ISql } from "postgres";
import { PgsluiceError } from "../pgsluice_error.ts";
import { createTableSql } from "../schema/ddl.ts";
import type { Schema } from "../schema/schema.ts";
import { requireTable } from "./check_table.ts";
import { connect, type Sql } from "./connect.ts";
import {
  type DatabaseTarget,
  describeTarget,
  targetDatabase,
  withDatabase,
} from "./database_target.ts";
import { databaseError, sqlState } from "./fault.ts";
import {
  migrate,
  type Migration,
  MIGRATIONS,
  MIGRATIONS_TABLE_SQL,
  STRUCTURE_LOCK,
} from "./migrate.ts";
import { quoteIdentifier, tableName } from "./quote_identifier.ts";

const APPLICATION_NAME = "pgsluice setup";
/** Databases that are always there, to ask for another one. */
const MAINTENANCE_DATABASES = ["postgres", "template1"];

/**
 * Makes what is missing: the database, the ledger, the table with its indexes; then compares the
 * table with the schema. Changes nothing that is there. Several may do so at once.
 *
 * @param options.table As `--table` names it.
 * @param options.say Hears of the embedded server's start.
 * @returns A sentence for each thing made; empty if nothing was missing.
 * @throws {PgsluiceError} `database-…`, `ledger-newer`, `table-differs`.
 */
export async function setUp(
  target: DatabaseTarget,
  options: { schema: Schema; table: string; say?: (text: string) => void },
): Promise<{ did: string[] }> {
  const did: string[] = [];
  const say = options.say ?? (() => {});
  const connectOptions = { applicationName: APPLICATION_NAME, say };
  let client;
  try {
    client = await connect(target, connectOptions);
  } catch (error) {
    did.push(...await createMissingDatabase(target, { error, say }));
    client = await connect(target, connectOptions);
  }
  try {
    did.push(...await completeDatabase(client.sql, options));
    return { did };
  } catch (error) {
    throw databaseError(error, `setting up ${describeTarget(target)}`);
  } finally {
    await client.close();
  }
}

/**
 * Makes the database if that is what a connection failed for.
 *
 * @param options.error Of the connection; thrown if it is about anything else.
 * @returns A sentence for what was made; none if somebody else was quicker.
 */
export async function createMissingDatabase(
  target: DatabaseTarget,
  options: { error: unknown; say: (text: string) => void },
): Promise<string[]> {
  if (sqlState(options.error) !== "3D000") throw options.error;
  const isMade = await createDatabase(target, options.say);
  return isMade ? [`made database ${targetDatabase(target)}`] : [];
}

/**
 * The part of `setUp` within a database that is there.
 *
 * @param options.migrations Those of this version unless given.
 * @returns A sentence for each thing made.
 */
export async function completeDatabase(
  sql: Sql,
  options: { schema: Schema; table: string; migrations?: readonly Migration[] },
): Promise<string[]> {
  const { schema, table, migrations = MIGRATIONS } = options;
  const did: string[] = [];
  for (const name of await migrate(sql, { migrations })) did.push(`applied migration ${name}`);
  if (await createTable(sql, schema, tableName(table).quoted)) {
    did.push(`made table ${table} with its indexes`);
  }
  await requireTable(sql, schema, table);
  return did;
}

/** The same as SQL, for people who run it themselves, in a new database of encoding UTF8. */
export function setUpSql(schema: Schema, table: string): string {
  return [
    "begin;\n",
    MIGRATIONS_TABLE_SQL,
    ...MIGRATIONS.flatMap(({ number, name, text }) => [
      text,
      `insert into pgsluice.migrations (number, name) values (${number}, '${name}');\n`,
    ]),
    createTableSql(schema, { table: tableName(table).quoted }),
    "commit;\n",
  ].join("\n");
}

/** @returns Whether this call made it, and not another one at the same time. */
async function createDatabase(
  target: DatabaseTarget,
  say: (text: string) => void,
): Promise<boolean> {
  const database = targetDatabase(target);
  const client = await connectForMaintenance(target, say);
  const create = `create database ${quoteIdentifier(database)} template template0 encoding 'UTF8'`;
  try {
    try {
      await client.sql.unsafe(create);
    } catch (error) {
      // The server's own locale is of another encoding: C goes with every one.
      if (sqlState(error) !== "22023") throw error;
      await client.sql.unsafe(`${create} lc_collate 'C' lc_ctype 'C'`);
    }
    return true;
  } catch (error) {
    const state = sqlState(error);
    if (state === "42P04" || state === "23505") return false; // somebody else was quicker
    if (state !== "42501") {
      throw databaseError(error, `making database ${database}`);
    }
    throw new PgsluiceError(
      "database-missing",
      `${describeTarget(target)}: the database does not exist, and this user may not make it`,
      { hint: `let an owner of the server run: ${create}`, cause: error },
    );
  } finally {
    await client.close();
  }
}

async function connectForMaintenance(target: DatabaseTarget, say: (text: string) => void) {
  let failure: unknown;
  for (const database of MAINTENANCE_DATABASES) {
    try {
      return await connect(withDatabase(target, database), {
        applicationName: APPLICATION_NAME,
        say,
      });
    } catch (error) {
      failure = error;
      if (!["3D000", "28000", "42501"].includes(sqlState(error) ?? "")) break;
    }
  }
  throw failure;
}

/** @returns Whether it was missing. */
async function createTable(sql: Sql, schema: Schema, quoted: string): Promise<boolean> {
  if (await isThere(sql, quoted)) return false;
  return await sql.begin(async (transaction) => {
    await transaction`select pg_advisory_xact_lock(${STRUCTURE_LOCK}::bigint)`;
    if (await isThere(transaction, quoted)) return false;
    await transaction.unsafe(createTableSql(schema, { table: quoted }));
    return true;
  });
}

/**
 * Whether there is a relation of that name. `to_regclass` alone may answer from a cache that has
 * not heard of what another session just committed; naming a table makes the session catch up.
 */
async function isThere(sql: ISql, quoted: string): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (
      select from pg_catalog.pg_class
      where oid = to_regclass(${quoted})
    ) as found`;
  return row?.found === true;
}
