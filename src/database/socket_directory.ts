import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { makePrivateDirectory } from "./private_directory.ts";
import type { ServerAccount } from "./server_account.ts";

/** The socket's name is made of it; nothing listens on TCP. */
export const SOCKET_PORT = 5432;

/** A unix socket's path is at most so long, by the kernel's `sun_path`. */
const LONGEST_PATH_BYTES = 107;

/**
 * Names the folder of a server's socket: within its home, or, where that path is too long for a
 * socket or has letters that need quoting, a short one in `XDG_RUNTIME_DIR` or `/tmp`, made of a
 * hash of the home.
 *
 * @param home Absolute.
 */
export async function socketDirectory(
  home: string,
  environment: (name: string) => string | undefined,
): Promise<string> {
  const near = join(home, "socket");
  const pathBytes = new TextEncoder().encode(`${near}/.s.PGSQL.${SOCKET_PORT}`).length;
  if (pathBytes <= LONGEST_PATH_BYTES && /^[A-Za-z0-9/._-]+$/.test(near)) return near;
  const runtime = Deno.uid() === 0 ? undefined : environment("XDG_RUNTIME_DIR");
  const folder = runtime !== undefined && /^\/[A-Za-z0-9/._-]{1,50}$/.test(runtime)
    ? runtime
    : "/tmp";
  return join(folder, `pgsluice-${await shortHash(home)}`);
}

/** The first 16 hexadecimal digits of the SHA-256 of a path. */
export async function shortHash(path: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(path));
  return new Uint8Array(hash, 0, 8).toHex();
}

/**
 * Makes the folder, which only the server's user (and root) can enter: who can reach the socket is
 * let in without a password. One made by somebody else beforehand, as in `/tmp`, is refused.
 *
 * @throws {PgsluiceError} `embedded-socket`.
 */
export async function ensureSocketDirectory(
  path: string,
  account: ServerAccount | null,
): Promise<void> {
  try {
    await makePrivateDirectory(path, account);
    return;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const { isDirectory, uid, mode } = await Deno.lstat(path);
  const owner = account?.uid ?? Deno.uid();
  if (isDirectory && uid === owner && mode !== null && (mode & 0o077) === 0) return;
  throw new PgsluiceError(
    "embedded-socket",
    `the folder ${path} is not a private one of the server's user`,
    { hint: "remove it, or set PGSLUICE_HOME to a folder with a shorter path" },
  );
}
