import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import { quoteIdentifier, type TableName, tableName } from "./quote_identifier.ts";

/** What the two kinds of roles may do, by table; of the ledger unless it is `TARGET`. */
interface Rights {
  readonly [table: string]: string;
}

const TARGET = "the table that events are loaded into";

/**
 * Each is needed by something: `tests/database/roles_test.ts` takes them away one by one. Where
 * rows are locked for a while (`for update`, `for share`) PostgreSQL asks for `update`.
 */
const LOADER: Rights = {
  migrations: "select",
  pipelines: "select, insert, update",
  files: "select, insert, update",
  batches: "select, insert, delete",
  rejects: "select, insert, update, delete",
  duplicates: "select, insert, update, delete",
  rollups: "select, insert, update",
  minutes: "select, insert, update, delete",
  minute_deltas: "select, insert, delete",
  events_by_minute: "select",
  [TARGET]: "select, insert, delete",
};

/** `status`, `verify` and every command that only lists or shows. */
const READER: Rights = Object.fromEntries(Object.keys(LOADER).map((name) => [name, "select"]));

/** Of the loader, on each table of the ledger and on the target. */
export const LOADER_RIGHTS: {
  readonly ledger: Readonly<Record<string, readonly string[]>>;
  readonly target: readonly string[];
} = {
  ledger: Object.fromEntries(
    Object.entries(LOADER).filter(([name]) => name !== TARGET)
      .map(([name, rights]) => [name, rights.split(", ")]),
  ),
  target: LOADER[TARGET]!.split(", "),
};

/**
 * The statements, without semicolons, that give a role the least rights with which the ingester and
 * the commands that mend its work run, after an owner has set up.
 *
 * @param options.role In the database's own letters, not quoted.
 * @param options.table As `--table` names it.
 */
export function loaderGrants(options: GrantOptions): string[] {
  // Repeated keys are sorted out in temporary tables.
  return grants(options, { rights: LOADER, ofDatabase: "connect, temporary" });
}

/** The same for a role that only looks: `status`, `verify`, `rejects list`, SQL of its own. */
export function readerGrants(options: GrantOptions): string[] {
  return grants(options, { rights: READER, ofDatabase: "connect" });
}

export interface GrantOptions {
  readonly role: string;
  readonly database: string;
  readonly table: string;
}

/**
 * The SQL of both roles, for an owner to run: they are made where they are missing, without a
 * password. Running it again changes nothing.
 *
 * @param options.role Of the ingester; the reader's ends in `_reader`.
 * @throws {PgsluiceError} `role-name`, `table-name`.
 */
export function rolesSql(options: GrantOptions): string {
  const reader = `${options.role}_reader`;
  requireRoleName(options.role, reader);
  return [
    `-- ${quoteIdentifier(options.role)} loads and mends, ${quoteIdentifier(reader)} looks.`,
    "-- To be run after `pgsluice setup` by the owner of its tables, who may make roles;",
    "-- they have no password yet: \\password ROLE in psql gives them one.",
    "begin;",
    ...[options.role, reader].map(createRoleSql),
    "",
    ...loaderGrants(options).map((statement) => `${statement};`),
    "",
    ...readerGrants({ ...options, role: reader }).map((statement) => `${statement};`),
    "commit;",
    "",
  ].join("\n");
}

function grants(
  { role, database, table }: GrantOptions,
  { rights, ofDatabase }: { rights: Rights; ofDatabase: string },
): string[] {
  const target = tableName(table);
  const to = `to ${quoteIdentifier(role)}`;
  return [
    `grant ${ofDatabase} on database ${quoteIdentifier(database)} ${to}`,
    `grant usage on schema ${schemasOf(target)} ${to}`,
    ...Object.entries(rights).map(([name, granted]) =>
      `grant ${granted} on ${name === TARGET ? target.quoted : `pgsluice.${name}`} ${to}`
    ),
  ];
}

/** A table without a schema is one of `public`, which not everybody may use. */
function schemasOf({ schema }: TableName): string {
  return ["pgsluice", quoteIdentifier(schema ?? "public")].join(", ");
}

function createRoleSql(role: string): string {
  const [name, literal] = [quoteIdentifier(role), `'${role.replaceAll("'", "''")}'`];
  return [
    "do $pgsluice$ begin",
    `  if not exists (select from pg_roles where rolname = ${literal}) then`,
    `    create role ${name} login;`,
    "  end if;",
    "end $pgsluice$;",
  ].join("\n");
}

function requireRoleName(role: string, reader: string): void {
  const bytes = new TextEncoder().encode(reader).length;
  // deno-lint-ignore no-control-regex
  if (role !== "" && bytes <= 63 && !/[\0-\x1f$]|^pg_/.test(role)) return;
  throw new PgsluiceError("role-name", `${JSON.stringify(role)} cannot be the name of a role`, {
    hint: "a name of at most 56 bytes that does not begin with pg_ and holds no $, as in " +
      "pgsluice setup --roles shop",
    exitCode: EXIT.usage,
  });
}
