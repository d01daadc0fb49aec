import { userInfo } from "node:os";
import { join } from "@std/path";
import { DEFAULT_DATABASE } from "./database_target.ts";
import { sqlState } from "./fault.ts";
import { readPasswordFile } from "./password_file.ts";
import type { ServerAddress } from "./server_settings.ts";
import type { TlsSettings } from "./tls_files.ts";

/** Who logs in at one of the places of an address. */
export interface Login {
  readonly user: string;
  readonly database: string;
  readonly password: string | undefined;
  /** The file it was taken from; null if it was given, or there is none. */
  readonly passwordFile: string | null;
  /** Why a password file was not used, for a person; else null. */
  readonly trouble: string | null;
}

/**
 * Completes what an address says: a password that is not given is looked for in the password file.
 *
 * @param options.home The folder of the default file; undefined if there is none.
 */
export async function findLogin(
  address: ServerAddress,
  options: { place: { host: string; port: number }; home: string | undefined },
): Promise<Login> {
  const user = address.user ?? userInfo().username;
  const database = address.database ?? DEFAULT_DATABASE;
  const { password } = address;
  const path = address.passwordFile ??
    (options.home === undefined ? undefined : join(options.home, ".pgpass"));
  if (password !== undefined || path === undefined) {
    return { user, database, password, passwordFile: null, trouble: null };
  }
  const found = await readPasswordFile(path, { ...options.place, user, database });
  return {
    user,
    database,
    ...found,
    passwordFile: found.password === undefined ? null : path,
  };
}

/** What else a person should know of a login that was refused; empty if nothing. */
export function loginNotes(
  error: unknown,
  { login, tls }: { login: Login; tls: TlsSettings },
): string[] {
  if (!sqlState(error)?.startsWith("28")) return [];
  const notes: string[] = [];
  if (login.passwordFile !== null) notes.push(`the password came from ${login.passwordFile}`);
  if (login.trouble !== null) notes.push(login.trouble);
  if (tls.client === null && /client certificate/.test((error as Error).message)) {
    notes.push("sslcert and sslkey (PGSSLCERT, PGSSLKEY) name a certificate and its key");
  }
  return notes;
}
