import { readCredential } from "./credentials_directory.ts";
import { addressOf, DEFAULT_PORT, mergeSettings, type ServerSettings } from "./server_settings.ts";
import { formatServerUrl, parseServerUrl, readServerUrl } from "./server_url.ts";
import { findService } from "./service_file.ts";

/** Where the tables are. A `server` URL is complete and may hold a password: never print it. */
export type DatabaseTarget =
  | { readonly kind: "server"; readonly url: string }
  | { readonly kind: "embedded"; readonly dataDirectory: string; readonly database: string };

/** The database unless a URL or `PGDATABASE` names another one. */
export const DEFAULT_DATABASE = "spark_db";

/** libpq's variables, by the setting that each stands for. */
const VARIABLES: readonly (readonly [setting: string, variable: string])[] = [
  ["host", "PGHOST"],
  ["hostaddr", "PGHOSTADDR"],
  ["port", "PGPORT"],
  ["user", "PGUSER"],
  ["password", "PGPASSWORD"],
  ["passfile", "PGPASSFILE"],
  ["dbname", "PGDATABASE"],
  ["sslmode", "PGSSLMODE"],
  ["sslrootcert", "PGSSLROOTCERT"],
  ["sslcert", "PGSSLCERT"],
  ["sslkey", "PGSSLKEY"],
  ["options", "PGOPTIONS"],
  ["service", "PGSERVICE"],
];

/** Those that mean a server when they stand alone, and not the embedded one. */
const NAMING_A_SERVER: ReadonlySet<string> = new Set([
  "host",
  "hostaddr",
  "port",
  "dbname",
  "user",
  "password",
  "service",
]);

type Environment = (name: string) => string | undefined;

/**
 * Decides which database is meant: `--database`, else `DATABASE_URL`, else the credential
 * `database-url`, else libpq's `PG*` variables, else the embedded server. As with libpq, what a URL
 * leaves out comes from the service that it or `PGSERVICE` names, then from `PG*`, so that a
 * password need not stand in a command line; a password that is still missing then is the
 * credential `database-password`.
 *
 * @throws {PgsluiceError} `database-url`, `database-service` or `credential`, without the password.
 */
export function databaseTarget(options: {
  databaseFlag: string | undefined;
  /** Where it was written, for messages; `--database` unless given. */
  databaseFlagOrigin?: string | undefined;
  environment: Environment;
  /** Absolute path of the embedded server's folder. */
  postgresDirectory: string;
}): DatabaseTarget {
  const { databaseFlag, databaseFlagOrigin = "--database", environment } = options;
  if (databaseFlag) return serverTarget(databaseFlag, databaseFlagOrigin, environment);
  const url = environment("DATABASE_URL");
  if (url) return serverTarget(url, "DATABASE_URL", environment);
  const credential = readCredential("database-url", environment);
  if (credential !== undefined) {
    return serverTarget(credential, "the credential database-url", environment);
  }
  if (VARIABLES.some(([name, variable]) => NAMING_A_SERVER.has(name) && environment(variable))) {
    return serverTarget("postgresql://", ORIGIN_OF_VARIABLES, environment);
  }
  return {
    kind: "embedded",
    dataDirectory: options.postgresDirectory,
    database: DEFAULT_DATABASE,
  };
}

/** Names a target to people: everything of it but the password. */
export function describeTarget(target: DatabaseTarget): string {
  if (target.kind === "embedded") {
    return `database ${target.database} of the embedded server in ${target.dataDirectory}`;
  }
  return formatServerUrl(parseServerUrl(target.url, "the URL"), { password: false });
}

/** Name of the target's database. */
export function targetDatabase(target: DatabaseTarget): string {
  if (target.kind === "embedded") return target.database;
  return parseServerUrl(target.url, "the URL").database ?? DEFAULT_DATABASE;
}

/** The same server, another database. */
export function withDatabase(target: DatabaseTarget, database: string): DatabaseTarget {
  if (target.kind === "embedded") return { ...target, database };
  const address = parseServerUrl(target.url, "the URL");
  return { kind: "server", url: formatServerUrl({ ...address, database }, { password: true }) };
}

const ORIGIN_OF_VARIABLES = "the URL made of the PG* variables";

function serverTarget(url: string, origin: string, environment: Environment): DatabaseTarget {
  const given = checked(readServerUrl(url, origin), origin);
  const variables = checked(
    new Map(VARIABLES.map(([name, variable]) => [name, environment(variable) ?? ""])),
    ORIGIN_OF_VARIABLES,
  );
  const name = given.get("service") || variables.get("service");
  const service = name ? findService(name, environment) : null;
  const merged = mergeSettings([
    given,
    ...(service === null ? [] : [checked(service.settings, service.origin)]),
    variables,
  ]);
  const address = addressOf(merged, origin);
  return {
    kind: "server",
    url: formatServerUrl({
      ...address,
      hosts: address.hosts.length > 0 ? address.hosts : [{ host: "localhost", port: DEFAULT_PORT }],
      password: address.password ?? readCredential("database-password", environment),
      database: address.database ?? DEFAULT_DATABASE,
      service: undefined, // what it says is in the others now
    }, { password: true }),
  };
}

/** @throws {PgsluiceError} `database-url` that blames what is wrong, and not all of them together */
function checked(settings: ServerSettings, origin: string): ServerSettings {
  addressOf(settings, origin);
  return settings;
}

/** Password of a server's URL, for programs that take it in `PGPASSWORD`. */
export function serverPassword(target: DatabaseTarget): string | undefined {
  if (target.kind === "embedded") return undefined;
  return parseServerUrl(target.url, "the URL").password;
}
