import type { Sql } from "../database/connect.ts";
import { tableName } from "../database/quote_identifier.ts";
import { LOADER_RIGHTS } from "../database/role_grants.ts";
import { type Check, type Finding, ok, problem, together } from "./check.ts";
import { askDatabase } from "./reach_database.ts";

interface Names {
  /** Quoted where needed. */
  readonly role: string;
  readonly database: string;
  /** Where a table without a schema goes; null if there is no such place. */
  readonly currentSchema: string | null;
  readonly mayTemporary: boolean;
  readonly mayCreateSchema: boolean;
}

interface SchemaRights {
  readonly mayUse: boolean;
  readonly mayCreate: boolean;
}

/** This user may do what an ingest does. */
export const grantsCheck: Check = {
  name: "grants",
  async look(ground) {
    const sql = await askDatabase(ground);
    const [names] = await sql<Names[]>`
      select
        quote_ident(current_user) as role,
        quote_ident(current_database()) as database,
        current_schema() as "currentSchema",
        has_database_privilege(current_database(), 'temporary') as "mayTemporary",
        has_database_privilege(current_database(), 'create') as "mayCreateSchema"`;
    const findings = [
      ...temporaryRights(names!),
      ...await ledgerRights(sql, names!),
      ...await tableRights(sql, names!, ground.table),
    ];
    if (findings.length === 0) return ok(`role ${names!.role} may do what an ingest does`);
    return together(findings);
  },
};

function temporaryRights({ role, database, mayTemporary }: Names): Finding[] {
  if (mayTemporary) return [];
  return [problem(
    `role ${role} may not make temporary tables in database ${database}`,
    `grant temporary on database ${database} to ${role}`,
  )];
}

async function ledgerRights(sql: Sql, names: Names): Promise<Finding[]> {
  const { role } = names;
  const rights = await schemaRights(sql, "pgsluice");
  if (rights === null) {
    if (names.mayCreateSchema) return [];
    return [problem(
      `role ${role} may not make the ledger (schema pgsluice)`,
      "let an owner of the database run `pgsluice setup` once, then grant what this check names",
    )];
  }
  const missing = await missingRights(sql, "pgsluice", LOADER_RIGHTS.ledger);
  return [
    ...(rights.mayUse ? [] : [problem(
      `role ${role} may not use schema pgsluice`,
      `grant usage on schema pgsluice to ${role}`,
    )]),
    ...missing.map(({ table, privileges }) =>
      problem(
        `role ${role} may not ${privileges} on pgsluice.${table}`,
        `grant ${privileges} on pgsluice.${table} to ${role}`,
      )
    ),
  ];
}

async function tableRights(sql: Sql, names: Names, table: string): Promise<Finding[]> {
  const { role, currentSchema } = names;
  const { schema, name, quoted } = tableName(table);
  const place = schema ?? await schemaOf(sql, quoted) ?? currentSchema;
  const rights = place === null ? null : await schemaRights(sql, place);
  if (place === null || rights === null) {
    return [problem(
      `there is no schema ${place ?? "in the search_path"} for table ${table}`,
      `create schema ${place ?? role}, or name the table as --table SCHEMA.NAME`,
    )];
  }
  if (!rights.mayUse) {
    return [problem(
      `role ${role} may not use schema ${place}`,
      `grant usage on schema ${place} to ${role}`,
    )];
  }
  const isThere = await hasTable(sql, place, name);
  if (!isThere) {
    if (rights.mayCreate) return [];
    return [problem(
      `role ${role} may not make table ${table} in schema ${place}`,
      `let an owner run \`pgsluice setup --table ${table}\`, or: grant create on schema ${place} ` +
        `to ${role}`,
    )];
  }
  const missing = await missingRights(sql, place, { [name]: LOADER_RIGHTS.target });
  return missing.map(({ privileges }) =>
    problem(
      `role ${role} may not ${privileges} on table ${table}`,
      `grant ${privileges} on ${quoted} to ${role}`,
    )
  );
}

/** The schema in the search path that has such a table. */
async function schemaOf(sql: Sql, quoted: string): Promise<string | null> {
  const [row] = await sql<{ schema: string }[]>`
    select nspname as schema
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = to_regclass(${quoted})`;
  return row?.schema ?? null;
}

async function hasTable(sql: Sql, schema: string, name: string): Promise<boolean> {
  const rows = await sql`
    select
    from pg_class
    where relname = ${name}
      and relnamespace = (select oid from pg_namespace where nspname = ${schema})`;
  return rows.length > 0;
}

/** Null if there is no such schema. */
async function schemaRights(sql: Sql, schema: string): Promise<SchemaRights | null> {
  const [row] = await sql<SchemaRights[]>`
    select
      has_schema_privilege(oid, 'usage') as "mayUse",
      has_schema_privilege(oid, 'create') as "mayCreate"
    from pg_namespace
    where nspname = ${schema}`;
  return row ?? null;
}

/** Of tables that are there. */
async function missingRights(
  sql: Sql,
  schema: string,
  wanted: Readonly<Record<string, readonly string[]>>,
): Promise<{ table: string; privileges: string }[]> {
  const missing: { table: string; privileges: string }[] = [];
  for (const [table, privileges] of Object.entries(wanted)) {
    const rows = await sql<{ privilege: string }[]>`
      select privilege
      from pg_class, unnest(string_to_array(${privileges.join(",")}, ',')) as privilege
      where relname = ${table}
        and relnamespace = (select oid from pg_namespace where nspname = ${schema})
        and not has_table_privilege(pg_class.oid, privilege)`;
    if (rows.length === 0) continue;
    missing.push({ table, privileges: rows.map(({ privilege }) => privilege).join(", ") });
  }
  return missing;
}
