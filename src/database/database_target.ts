import { formatServerUrl, parseServerUrl } from "./server_url.ts";

/** Where the tables are. A `server` URL is complete and may hold a password: never print it. */
export type DatabaseTarget =
  | { readonly kind: "server"; readonly url: string }
  | { readonly kind: "embedded"; readonly dataDirectory: string; readonly database: string };

/** The database unless a URL or `PGDATABASE` names another one. */
export const DEFAULT_DATABASE = "spark_db";

const SERVER_VARIABLES = ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"];

/**
 * Decides which database is meant: `--database`, else `DATABASE_URL`, else libpq's `PG*`
 * variables, else the embedded server. As with libpq, what a URL leaves out comes from `PG*`, so
 * that a password need not stand in a command line.
 *
 * @throws {PgsluiceError} `database-url`, without the password.
 */
export function databaseTarget(options: {
  databaseFlag: string | undefined;
  environment: (name: string) => string | undefined;
  /** Absolute path of the embedded server's folder. */
  postgresDirectory: string;
}): DatabaseTarget {
  const { environment } = options;
  if (options.databaseFlag !== undefined && options.databaseFlag !== "") {
    return serverTarget(options.databaseFlag, "--database", environment);
  }
  const url = environment("DATABASE_URL");
  if (url) return serverTarget(url, "DATABASE_URL", environment);
  if (SERVER_VARIABLES.some((name) => environment(name))) {
    return serverTarget("postgresql://", "the URL made of the PG* variables", environment);
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

function serverTarget(
  url: string,
  origin: string,
  environment: (name: string) => string | undefined,
): DatabaseTarget {
  const given = parseServerUrl(url, origin);
  // The variables go through the same reader, so that they are checked by the same rules.
  const defaults = parseServerUrl(
    "postgresql://?" + ([
      ["host", environment("PGHOST") || environment("PGHOSTADDR")],
      ["port", environment("PGPORT")],
      ["user", environment("PGUSER")],
      ["password", environment("PGPASSWORD")],
      ["dbname", environment("PGDATABASE")],
      ["sslmode", environment("PGSSLMODE")],
      ["sslrootcert", environment("PGSSLROOTCERT")],
      ["options", environment("PGOPTIONS")],
    ] as const)
      .map(([name, value]) => `${name}=${encodeURIComponent(value ?? "")}`).join("&"),
    "the URL made of the PG* variables",
  );
  const hosts = [given.hosts, defaults.hosts].find((list) => list.length > 0) ??
    [{ host: "localhost", port: 5432 }];
  return {
    kind: "server",
    url: formatServerUrl({
      hosts,
      user: given.user ?? defaults.user,
      password: given.password ?? defaults.password,
      database: given.database ?? defaults.database ?? DEFAULT_DATABASE,
      sslMode: given.sslMode ?? defaults.sslMode,
      sslRootCertificate: given.sslRootCertificate ?? defaults.sslRootCertificate,
      options: given.options ?? defaults.options,
    }, { password: true }),
  };
}

/** Password of a server's URL, for programs that take it in `PGPASSWORD`. */
export function serverPassword(target: DatabaseTarget): string | undefined {
  if (target.kind === "embedded") return undefined;
  return parseServerUrl(target.url, "the URL").password;
}
