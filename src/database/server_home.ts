import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { pathExists } from "./path_exists.ts";
import { type ServerAccount, serverAccount } from "./server_account.ts";
import { shortHash, socketDirectory } from "./socket_directory.ts";

/** Where the embedded server of a data folder lives, and who runs it. */
export interface ServerHome {
  /** Absolute, without links. The files in it are listed in `embedded_server.ts`. */
  readonly home: string;
  /** Where a server that is started now puts its socket; its letters need no quoting. */
  readonly socketDirectory: string;
  /** Null: the user of this process. */
  readonly account: ServerAccount | null;
}

/** The only user in a new cluster, and its owner. */
export const CLUSTER_USER = "postgres";

/** Data of root's servers goes here when the server's user cannot pass to where it should be. */
const ROOT_HOMES = "/var/lib/pgsluice";

/** PostgreSQL's data directory. */
export function clusterDirectory(home: string): string {
  return join(home, "cluster");
}

/**
 * Root's server runs as another user, which has to pass every folder above the data. Where it
 * cannot (a home of mode 700), the home is `/var/lib/pgsluice/<hash of the folder's path>`.
 *
 * @param options.create Make the folder, and say if it is elsewhere. Otherwise nothing is changed.
 * @throws {PgsluiceError} `embedded-owner`, `embedded-data`, `embedded-folder`.
 */
export async function findServerHome(
  dataDirectory: string,
  options: { create: boolean; say: (text: string) => void },
): Promise<ServerHome> {
  if (options.create) await makeDirectory(dataDirectory);
  let home = await Deno.realPath(dataDirectory).catch(() => dataDirectory);
  if (Deno.uid() === 0 && !await pathExists(clusterDirectory(home))) {
    const elsewhere = join(ROOT_HOMES, await shortHash(home));
    if (await pathExists(clusterDirectory(elsewhere))) {
      home = elsewhere;
    } else if (options.create && !await canEnter(home, await serverAccount(home))) {
      options.say(
        `the server's user cannot pass the folders above ${home}; the data goes to ${elsewhere}`,
      );
      await makeDirectory(elsewhere);
      // Whatever the umask: the server's user has to pass.
      for (const folder of [ROOT_HOMES, elsewhere]) await Deno.chmod(folder, 0o755);
      home = elsewhere;
    }
  }
  await refuseUnsuitable(home);
  return {
    home,
    socketDirectory: await socketDirectory(home, (name) => Deno.env.get(name)),
    account: await serverAccount(clusterDirectory(home)),
  };
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw new PgsluiceError("embedded-folder", `cannot make ${path}: ${(error as Error).message}`, {
      hint: "run pgsluice where you may write, set PGSLUICE_HOME, or name a server with --database",
      cause: error,
    });
  }
}

/** Whether a user can pass all folders down to this one; asked of the kernel by going there. */
async function canEnter(path: string, account: ServerAccount | null): Promise<boolean> {
  try {
    await new Deno.Command("/bin/sh", {
      args: ["-c", ":"],
      cwd: path,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      ...(account ?? {}),
    }).output();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

async function refuseUnsuitable(home: string): Promise<void> {
  if (await pathExists(join(home, "PG_VERSION"))) {
    throw new PgsluiceError("embedded-data", `${home} is the data of another PostgreSQL`, {
      hint: "name that server with --database, or set PGSLUICE_HOME to another folder",
    });
  }
  const cluster = clusterDirectory(home);
  if (Deno.uid() === 0 || !await pathExists(cluster)) return;
  const { uid } = await Deno.lstat(cluster);
  if (uid === Deno.uid()) return;
  throw new PgsluiceError(
    "embedded-owner",
    `the data in ${cluster} belongs to another user (uid ${uid})`,
    { hint: "run pgsluice as that user or as root, or set PGSLUICE_HOME to another folder" },
  );
}
