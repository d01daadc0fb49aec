import {
  addressOf,
  DEFAULT_PORT,
  type ServerAddress,
  type ServerSettings,
  urlError,
} from "./server_settings.ts";

/**
 * Reads a `postgresql://` URL as libpq does: several hosts, percent-encoding, and `host`, `port`,
 * `user`, `password` and `dbname` as parameters too.
 *
 * @param origin Where the URL came from, for messages: `--database`.
 * @throws {PgsluiceError} `database-url`; no message contains any part of the password.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function parseServerUrl(url: string, origin: string): ServerAddress {
  return addressOf(readServerUrl(url, origin), origin);
}

/** The settings that a URL holds, by libpq's names, not checked yet. */
export function readServerUrl(url: string, origin: string): ServerSettings {
  const match = /^postgres(?:ql)?:\/\/([^?]*)(?:\?(.*))?$/is.exec(url.trim());
  if (match === null) throw urlError(origin, "it does not begin with postgresql://");
  const body = match[1] ?? "";
  // A raw `/` or `@` in a password is against the rules but meant well: the last `@` ends it.
  const at = body.lastIndexOf("@");
  const login = at === -1 ? "" : body.slice(0, at);
  const place = body.slice(at + 1);
  const slash = place.indexOf("/");
  const colon = login.indexOf(":");
  const decode = (text: string, what: string): string => decodePart(text, what, origin);
  const settings = new Map<string, string>([
    ...readPlaces(slash === -1 ? place : place.slice(0, slash), origin),
    ["user", decode(colon === -1 ? login : login.slice(0, colon), "the user")],
    ["password", decode(colon === -1 ? "" : login.slice(colon + 1), "the password")],
    ["dbname", decode(slash === -1 ? "" : place.slice(slash + 1), "the database")],
  ]);
  for (const pair of (match[2] ?? "").split("&")) {
    const equals = pair.indexOf("=");
    const value = equals === -1 ? "" : decode(pair.slice(equals + 1), "a parameter");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    // Without a value it says nothing, but a name that nobody knows is to be told.
    if (name !== "" && (value !== "" || !settings.has(name))) settings.set(name, value);
  }
  return settings;
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
  const { hostList, parameters } = formatHosts(address.hosts);
  const more: readonly (readonly [string, string | undefined])[] = [
    ["service", address.service],
    ["passfile", address.passwordFile],
    ["sslmode", address.sslMode],
    ["sslrootcert", address.sslRootCertificate],
    ["sslcert", address.sslCertificate],
    ["sslkey", address.sslKey],
    ["options", address.options],
  ];
  for (const [name, value] of more) {
    if (value !== undefined) parameters.push(`${name}=${encode(value)}`);
  }
  const database = address.database === undefined ? "" : encode(address.database);
  const query = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  return `postgresql://${login}${hostList}/${database}${query}`;
}

/** Folders of unix sockets are parameters, names and addresses stand before the database. */
function formatHosts(hosts: ServerAddress["hosts"]): { hostList: string; parameters: string[] } {
  const encode = encodeURIComponent;
  if (!hosts.some(({ host }) => host.startsWith("/"))) {
    const hostList = hosts.map(({ host, port }) => {
      const name = host.includes(":") ? `[${host}]` : encode(host);
      return port === DEFAULT_PORT ? name : `${name}:${port}`;
    }).join(",");
    return { hostList, parameters: [] };
  }
  const parameters = [`host=${hosts.map(({ host }) => encode(host)).join(",")}`];
  if (hosts.some(({ port }) => port !== DEFAULT_PORT)) {
    parameters.push(`port=${hosts.map(({ port }) => port).join(",")}`);
  }
  return { hostList: "", parameters };
}

/** `host` and `port` of `one:1,two,[::1]:3`: lists of the same length, or nothing. */
function readPlaces(hostList: string, origin: string): [string, string][] {
  const places = hostList.split(",").map((entry) => {
    const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(entry);
    if (match === null) throw urlError(origin, "its host is not NAME, NAME:PORT or [IPV6]:PORT");
    const host = decodePart(match[1] ?? match[2] ?? "", "the host", origin);
    return { host, port: match[3] ?? "" };
  });
  const listOf = (values: string[]): string => values.some((value) => value) ? `${values}` : "";
  return [
    ["host", listOf(places.map(({ host }) => host))],
    ["port", listOf(places.map(({ port }) => port))],
  ];
}

function decodePart(text: string, what: string, origin: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw urlError(origin, `${what} holds a % that does not begin a percent-encoded byte`);
  }
}
