/** The target table as SQL, all of it made from the schema value. */
import {
  copyColumnNames,
  PROVENANCE_COLUMNS,
  type Schema,
  type SourceColumn,
  type TableIndex,
} from "./schema.ts";

/**
 * Stretches of 256 KiB, of which a search reads whole ones; autovacuum takes in each that is full,
 * and the one that is not is always read.
 */
const BRIN_OPTIONS = "pages_per_range = 32, autosummarize = on";

export interface ExpectedColumn {
  readonly name: string;
  /** As `format_type()` prints it, as in `numeric(12,2)`. */
  readonly type: string;
  readonly notNull: boolean;
}

/** Every column of the target table, in order, as the server's catalogue must show it. */
export function expectedColumns(schema: Schema): ExpectedColumn[] {
  return [
    ...schema.columns.map((column) => ({
      name: column.name,
      type: typeName(column),
      notNull: column.presence !== "optional" || hasDefault(column),
    })),
    ...schema.derived.map(({ name, type }) => ({ name, type, notNull: true })),
    ...PROVENANCE_COLUMNS.map(({ name, type }) => ({
      name,
      type: type === "timestamptz" ? "timestamp with time zone" : type,
      notNull: true,
    })),
  ];
}

/**
 * Statements that make the table with its key and indexes, for a table that is not there.
 * @param options.table quoted, and qualified where need be
 */
export function createTableSql(schema: Schema, options: { table: string }): string {
  const { table } = options;
  const columns = expectedColumns(schema).map(({ name, type, notNull }) => {
    // everything but the ingest time is sent with each row
    const extra = name === "ingested_at" ? " default now()" : "";
    return `  ${quote(name)} ${type}${notNull ? " not null" : ""}${extra}`;
  });
  const indexes = schema.indexes.map((index) => `${createIndexSql(index, { table })};\n`);
  return `create table ${table} (\n${columns.join(",\n")},\n` +
    `  primary key (${quote(schema.key)})\n);\n${indexes.join("")}`;
}

/** @param options.table as in `createTableSql` */
export function createIndexSql(
  { method, column, operatorClass }: TableIndex,
  { table }: { table: string },
): string {
  const columns = [quote(column), ...operatorClass === undefined ? [] : [operatorClass]].join(" ");
  const options = method === "brin" ? ` with (${BRIN_OPTIONS})` : "";
  return `create index on ${table} using ${method} (${columns})${options}`;
}

/** The COPY whose tuples `RecordDecoder` makes. @param table quoted */
export function copySql(schema: Schema, table: string): string {
  const columns = copyColumnNames(schema).map(quote).join(", ");
  return `copy ${table} (${columns}) from stdin (format binary)`;
}

function typeName(column: SourceColumn): string {
  switch (column.type) {
    case "numeric":
      return `numeric(${column.precision},${column.scale})`;
    case "timestamptz":
      return "timestamp with time zone";
    default:
      return column.type;
  }
}

function hasDefault(column: SourceColumn): boolean {
  return "default" in column && column.default !== undefined;
}

/** A column's name as an SQL identifier. */
function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
