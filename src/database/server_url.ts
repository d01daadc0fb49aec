import { EXIT, PgsluiceError } from "../pgsluice_error.ts";

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
  readonly database: string | undefined;
  /** `disable` on a unix socket and on this machine, else `prefer`, unless given. */
  readonly sslMode: SslMode | undefined;
  /** Path of a file of certificate authorities in PEM. */
  readonly sslRootCertificate: string | undefined;
  /** Settings for the session, as in `-c statement_timeout=0`. */
  readonly options: string | undefined;
}

const SSL_MODES: readonly string[] = ["disable", "prefer", "require", "verify-ca", "verify-full"];
const DEFAULT_PORT = 5432;

/** Parameters of libpq that people's URLs carry and that change nothing here. */
const IGNORED_PARAMETERS: ReadonlySet<string> = new Set([
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
 * Reads a `postgresql://` URL as libpq does: several hosts, percent-encoding, and `host`, `port`,
 * `user`, `password` and `dbname` as parameters too.
 *
 * @param origin Where the URL came from, for messages: `--database`.
 * @throws {PgsluiceError} `database-url`; no message contains any part of the password.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function parseServerUrl(url: string, origin: string): ServerAddress {
  const match = /^postgres(?:ql)?:\/\/([^?]*)(?:\?(.*))?$/is.exec(url.trim());
  if (match === null) throw urlError(origin, "it does not begin with postgresql://");
  const body = match[1] ?? "";
  // A raw `/` or `@` in a password is against the rules but meant well: the last `@` ends it.
  const at = body.lastIndexOf("@");
  const login = at === -1 ? "" : body.slice(0, at);
  const place = body.slice(at + 1);
  const slash = place.indexOf("/");
  const hostList = slash === -1 ? place : place.slice(0, slash);
  const colon = login.indexOf(":");
  const decode = (text: string, what: string): string => decodePart(text, what, origin);

  const parameters = new Map<string, string>();
  for (const pair of (match[2] ?? "").split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    parameters.set(name, decode(equals === -1 ? "" : pair.slice(equals + 1), `parameter ${name}`));
  }
  const take = (name: string): string | undefined => {
    const value = parameters.get(name);
    parameters.delete(name);
    return value === "" ? undefined : value;
  };

  const user = take("user") ?? decode(colon === -1 ? login : login.slice(0, colon), "the user");
  const password = take("password") ??
    decode(colon === -1 ? "" : login.slice(colon + 1), "the password");
  const database = take("dbname") ??
    decode(slash === -1 ? "" : place.slice(slash + 1), "the database");
  const hosts = readHosts(hostList, take("host") ?? take("hostaddr"), take("port"), origin);
  const sslMode = take("sslmode");
  if (sslMode !== undefined && !SSL_MODES.includes(sslMode)) {
    throw urlError(origin, `sslmode ${sslMode} is not one of ${SSL_MODES.join(", ")}`);
  }
  const address: ServerAddress = {
    hosts,
    user: user || undefined,
    password: password || undefined,
    database: database || undefined,
    sslMode: sslMode as SslMode | undefined,
    sslRootCertificate: take("sslrootcert"),
    options: take("options"),
  };
  for (const name of parameters.keys()) {
    if (IGNORED_PARAMETERS.has(name)) continue;
    throw urlError(origin, `its parameter ${JSON.stringify(name)} is not known`);
  }
  return address;
}

/** The URL of an address, which psql and `--database` take. */
export function formatServerUrl(
  address: ServerAddress,
  options: { password: boolean },
): string {
  const encode = encodeURIComponent;
  const password = options.password && address.password !== undefined
    ? `:${encode(address.password)}`
    : "";
  const login = address.user === undefined && password === ""
    ? ""
    : `${encode(address.user ?? "")}${password}@`;
  const parameters: string[] = [];
  let hostList: string;
  if (address.hosts.some(({ host }) => host.startsWith("/"))) {
    hostList = "";
    parameters.push(`host=${address.hosts.map(({ host }) => encode(host)).join(",")}`);
    if (address.hosts.some(({ port }) => port !== DEFAULT_PORT)) {
      parameters.push(`port=${address.hosts.map(({ port }) => port).join(",")}`);
    }
  } else {
    hostList = address.hosts.map(({ host, port }) => {
      const name = host.includes(":") ? `[${host}]` : encode(host);
      return port === DEFAULT_PORT ? name : `${name}:${port}`;
    }).join(",");
  }
  if (address.sslMode !== undefined) parameters.push(`sslmode=${address.sslMode}`);
  if (address.sslRootCertificate !== undefined) {
    parameters.push(`sslrootcert=${encode(address.sslRootCertificate)}`);
  }
  if (address.options !== undefined) parameters.push(`options=${encode(address.options)}`);
  const database = address.database === undefined ? "" : encode(address.database);
  const query = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  return `postgresql://${login}${hostList}/${database}${query}`;
}

function readHosts(
  hostList: string,
  hostParameter: string | undefined,
  portParameter: string | undefined,
  origin: string,
): ServerAddress["hosts"] {
  const ports = (portParameter ?? "").split(",");
  const portAt = (index: number): string => (ports.length > 1 ? ports[index] : ports[0]) || "";
  if (hostParameter !== undefined) {
    return hostParameter.split(",").map((host, index) => ({
      host: host || "localhost",
      port: readPort(portAt(index), origin),
    }));
  }
  if (hostList === "" && portParameter === undefined) return [];
  return hostList.split(",").map((entry, index) => {
    const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(entry);
    if (match === null) throw urlError(origin, "its host is not NAME, NAME:PORT or [IPV6]:PORT");
    return {
      host: decodePart(match[1] ?? match[2] ?? "", "the host", origin) || "localhost",
      port: readPort(match[3] || portAt(index), origin),
    };
  });
}

function readPort(text: string, origin: string): number {
  if (text === "") return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65535) return port;
  // The text is not shown: behind a stray colon it can be a piece of a password.
  throw urlError(origin, "its port is not a number from 1 to 65535");
}

function decodePart(text: string, what: string, origin: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw urlError(origin, `${what} holds a % that does not begin a percent-encoded byte`);
  }
}

function urlError(origin: string, reason: string): PgsluiceError {
  return new PgsluiceError("database-url", `${origin} is not a usable database URL: ${reason}`, {
    hint: "postgresql://USER:PASSWORD@HOST:5432/DATABASE, with odd characters of the password " +
      "percent-encoded (@ is %40, / is %2F, ? is %3F, # is %23)",
    exitCode: EXIT.usage,
  });
}
