import type { ISql } from "postgres";
import { PgsluiceError } from "../pgsluice_error.ts";
import { expectedColumns } from "../schema/ddl.ts";
import type { Schema } from "../schema/schema.ts";
import { quoteIdentifier, tableName } from "./quote_identifier.ts";

interface FoundTable {
  readonly oid: number;
  readonly kind: string;
  readonly persistence: string;
  readonly row_security: boolean;
}

interface FoundColumn {
  readonly number: number;
  readonly name: string;
  readonly type: string;
  readonly not_null: boolean;
  readonly generated: boolean;
  readonly has_default: boolean;
}

const KINDS: Readonly<Record<string, string>> = {
  f: "a foreign table",
  i: "an index",
  m: "a materialized view",
  S: "a sequence",
  v: "a view",
};

/**
 * Compares a table with the schema: binary COPY into another type loads garbage without an error.
 * Columns of the table's owner beside ours are welcome if a row can be made without them.
 *
 * @param table As `--table` names it.
 * @returns A sentence for each difference, with what is expected and what is there; empty if none.
 */
export async function checkTable(sql: ISql, schema: Schema, table: string): Promise<string[]> {
  const { quoted } = tableName(table);
  const [found] = await sql<FoundTable[]>`
    select oid::int8::float8 as oid, relkind as kind, relpersistence as persistence,
      row_security_active(oid) as row_security
    from pg_catalog.pg_class
    where oid = to_regclass(${quoted})`;
  if (found === undefined) return ["the table does not exist"];
  if (found.kind !== "r" && found.kind !== "p") {
    return [`expected a table, found ${KINDS[found.kind] ?? "something else"}`];
  }
  return [
    ...tableDifferences(found),
    ...columnDifferences(schema, await readColumns(sql, found.oid)),
    ...await keyDifferences(sql, found.oid, schema.key),
  ];
}

/**
 * @throws {PgsluiceError} `table-missing`, or `table-differs` with every difference in its message.
 */
export async function requireTable(sql: ISql, schema: Schema, table: string): Promise<void> {
  const differences = await checkTable(sql, schema, table);
  if (differences.length === 0) return;
  const [first] = differences;
  if (differences.length === 1 && first === "the table does not exist") {
    throw new PgsluiceError("table-missing", `table ${table} does not exist`, {
      hint: "`pgsluice setup` makes it",
    });
  }
  throw new PgsluiceError(
    "table-differs",
    `table ${table} is not one that events can be loaded into: ` +
      differences.join("; "),
    {
      hint: "name another table with --table (`pgsluice setup` makes it), rename this one, or " +
        "alter it; `pgsluice setup --print` shows what is expected",
    },
  );
}

function tableDifferences(table: FoundTable): string[] {
  const differences: string[] = [];
  if (table.persistence !== "p") {
    differences.push(
      "expected a table that survives a crash of the server, found an unlogged or temporary one",
    );
  }
  if (table.row_security) {
    differences.push(
      "expected no row-level security for this user, found it active: COPY does not work then",
    );
  }
  return differences;
}

async function readColumns(sql: ISql, oid: number): Promise<Map<string, FoundColumn>> {
  const columns = await sql<FoundColumn[]>`
    select attnum as number, attname as name, format_type(atttypid, atttypmod) as type,
      attnotnull as not_null, attgenerated <> '' as generated,
      atthasdef or attidentity <> '' as has_default
    from pg_catalog.pg_attribute
    where attrelid = ${oid}::oid and attnum > 0 and not attisdropped
    order by attnum`;
  return new Map(columns.map((column) => [column.name, column]));
}

function columnDifferences(schema: Schema, found: Map<string, FoundColumn>): string[] {
  const differences: string[] = [];
  const expected = expectedColumns(schema);
  for (const { name, type, notNull } of expected) {
    const column = found.get(name);
    if (column === undefined) {
      differences.push(`column ${name}: expected type ${type}, found no such column`);
      continue;
    }
    if (column.type !== type) {
      differences.push(`column ${name}: expected type ${type}, found ${column.type}`);
    }
    if (column.generated) {
      differences.push(`column ${name}: expected one that takes values, found a generated one`);
    }
    if (column.not_null && !notNull) {
      differences.push(`column ${name}: expected one that may be null, found not null`);
    }
    if (name === "ingested_at" && !column.has_default) {
      differences.push(`column ${name}: expected default now(), found no default`);
    }
  }
  const ours = new Set(expected.map(({ name }) => name));
  for (const column of found.values()) {
    if (ours.has(column.name) || !column.not_null || column.has_default) continue;
    differences.push(
      `column ${quoteOdd(column.name)}: expected a default or no such column, ` +
        "found not null without a default",
    );
  }
  return differences;
}

async function keyDifferences(sql: ISql, oid: number, key: string): Promise<string[]> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (
      select from pg_catalog.pg_index
        join pg_catalog.pg_class on pg_class.oid = indexrelid
        join pg_catalog.pg_am on pg_am.oid = relam
        join pg_catalog.pg_attribute on attrelid = indrelid and attnum = indkey[0]
      where indrelid = ${oid}::oid and indisunique and indimmediate and indisvalid and indisready
        and indpred is null and indexprs is null and indnkeyatts = 1
        and amname = 'btree' and attname = ${key}
    ) as found`;
  if (row?.found === true) return [];
  return [
    `column ${key}: expected a primary key or a unique index on it alone (btree, not partial, ` +
    "not deferrable), found none",
  ];
}

function quoteOdd(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name);
}
