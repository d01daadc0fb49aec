import { parseServerUrl } from "../../src/database/server_url.ts";

/** A URL as the variables that libpq, and those who follow it, read. */
export function libpqEnvironment(url: string): Record<string, string> {
  const { hosts, user, password, database } = parseServerUrl(url, "the database URL");
  const variables = {
    PGHOST: hosts[0]?.host,
    PGPORT: hosts[0]?.port.toString(),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
