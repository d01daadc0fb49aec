import { EXIT, PgsluiceError } from "../pgsluice_error.ts";

/**
 * What a URL, a service file or the environment says, by libpq's names: `host`, `port`, `dbname`,
 * `sslmode`, … An empty one is as if it were not given.
 */
export type ServerSettings = ReadonlyMap<string, string>;

/** How much TLS is asked for; the names and their meaning are libpq's. */
export type SslMode = "disable" | "prefer" | "require" | "verify-ca" | "verify-full";

/** What a connection URL says. */
export interface ServerAddress {
  /**
   * Tried in order; empty if neither a host nor a port is given. A host that begins with `/` is
   * the folder of a unix socket.
   */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** The operating system's user unless given. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Path of a password file; `~/.pgpass` unless given. */
  readonly passwordFile?: string | undefined;
  readonly database: string | undefined;
  /** `disable` on a unix socket and on this machine, else `prefer`, unless given. */
  readonly sslMode: SslMode | undefined;
  /**
   * Path of a file of certificate authorities in PEM, or `system`; `~/.postgresql/root.crt` unless
   * given.
   */
  readonly sslRootCertificate: string | undefined;
  /** Paths in PEM of what the client proves itself with; `~/.postgresql/postgresql.crt`, `.key`. */
  readonly sslCertificate?: string | undefined;
  readonly sslKey?: string | undefined;
  /** Settings for the session, as in `-c statement_timeout=0`. */
  readonly options: string | undefined;
  /** A section of a service file, whose settings are not in this address yet. */
  readonly service?: string | undefined;
}

export const DEFAULT_PORT = 5432;

const SSL_MODES: readonly string[] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

const READ: ReadonlySet<string> = new Set([
  "host",
  "hostaddr",
  "port",
  "user",
  "password",
  "passfile",
  "dbname",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "options",
  "service",
]);

/** Settings of libpq that people's URLs carry and that change nothing here. */
const IGNORED: ReadonlySet<string> = new Set([
  "application_name",
  "channel_binding",
  "client_encoding",
  "connect_timeout",
  "fallback_application_name",
  "gssencmode",
  "keepalives",
  "keepalives_count",
  "keepalives_idle",
  "keepalives_interval",
  "sslcompression",
  "target_session_attrs",
  "tcp_user_timeout",
]);

/**
 * Checks settings and makes an address of them.
 *
 * @param origin Where they came from, for messages: `--database`.
 * @throws {PgsluiceError} `database-url`; no message contains any part of the password.
 */
export function addressOf(settings: ServerSettings, origin: string): ServerAddress {
  const get = (name: string): string | undefined => settings.get(name) || undefined;
  const mayShow = !mayHoldPassword(settings);
  for (const name of settings.keys()) {
    if (READ.has(name) || IGNORED.has(name)) continue;
    throw urlError(
      origin,
      mayShow
        ? `its parameter ${JSON.stringify(name)} is not known`
        : "a parameter after its ? is not known, which may be a piece of the password",
    );
  }
  const sslRootCertificate = get("sslrootcert");
  return {
    hosts: readHosts(settings, origin),
    user: get("user"),
    password: get("password"),
    passwordFile: get("passfile"),
    database: get("dbname"),
    sslMode: readSslMode(get("sslmode"), { origin, sslRootCertificate, mayShow }),
    sslRootCertificate,
    sslCertificate: get("sslcert"),
    sslKey: get("sslkey"),
    options: get("options"),
    service: get("service"),
  };
}

/**
 * Puts together what was said in several places.
 *
 * @param levels The ones that win first.
 */
export function mergeSettings(levels: readonly ServerSettings[]): ServerSettings {
  const merged = new Map<string, string>();
  for (const level of levels) {
    const hasHost = Boolean(merged.get("host") || merged.get("hostaddr"));
    for (const [name, value] of level) {
      // an address is another way to say which host
      if (value === "" || merged.has(name) || (hasHost && name === "hostaddr")) continue;
      merged.set(name, value);
    }
  }
  return merged;
}

/** An unescaped `?` in a password makes the rest of it look like parameters, up to an `@`. */
function mayHoldPassword(settings: ServerSettings): boolean {
  return [...settings].some(([name, value]) =>
    name !== "user" && name !== "password" && `${name}=${value}`.includes("@")
  );
}

function readHosts(settings: ServerSettings, origin: string): ServerAddress["hosts"] {
  const hostList = settings.get("host") || settings.get("hostaddr") || undefined;
  const portList = settings.get("port") || undefined;
  if (hostList === undefined && portList === undefined) return [];
  const ports = (portList ?? "").split(",").map((text) => readPort(text, origin));
  return (hostList ?? "").split(",").map((host, index) => ({
    host: host || "localhost",
    port: (ports.length > 1 ? ports[index] : ports[0]) ?? DEFAULT_PORT,
  }));
}

function readPort(text: string, origin: string): number {
  if (text === "") return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65535) return port;
  // The text is not shown: behind a stray colon it can be a piece of a password.
  throw urlError(origin, "its port is not a number from 1 to 65535");
}

function readSslMode(
  mode: string | undefined,
  options: { origin: string; sslRootCertificate: string | undefined; mayShow: boolean },
): SslMode | undefined {
  const { origin, sslRootCertificate, mayShow } = options;
  if (mode === "allow") {
    throw urlError(
      origin,
      "sslmode=allow, which tries without TLS first, is not supported: prefer tries TLS first, " +
        "require insists on it",
    );
  }
  if (mode !== undefined && !SSL_MODES.includes(mode)) {
    throw urlError(
      origin,
      `sslmode${mayShow ? ` ${mode}` : ""} is not one of ${SSL_MODES.join(", ")}`,
    );
  }
  if (sslRootCertificate !== "system") return mode as SslMode | undefined;
  if (mode === undefined || mode === "verify-full") return "verify-full";
  // Anyone can have a certificate of some name from a public authority.
  throw urlError(origin, `sslrootcert=system needs sslmode=verify-full, and it has ${mode}`);
}

export function urlError(origin: string, reason: string): PgsluiceError {
  return new PgsluiceError("database-url", `${origin} is not a usable database URL: ${reason}`, {
    hint: "postgresql://USER:PASSWORD@HOST:5432/DATABASE, with odd characters of the password " +
      "percent-encoded (@ is %40, / is %2F, ? is %3F, # is %23)",
    exitCode: EXIT.usage,
  });
}
