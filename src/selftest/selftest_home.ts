/**
 * The folder of a self-test. A living one holds a lock in it, so that the next self-test can remove
 * what a killed one left, with the server that ran in it.
 */
import { dirname, join } from "@std/path";
import { embeddedServerStatus, stopEmbeddedServer } from "../database/embedded_server.ts";
import { openLockFile } from "../database/file_lock.ts";

const PREFIX = "pgsluice-selftest-";
const LOCK_NAME = "lock";

export interface SelftestHome {
  /** Real path. */
  readonly path: string;
  /** For an embedded server, if there is none yet. */
  readonly postgresDirectory: string;
  /** Removes all of it. */
  remove(): Promise<void>;
}

/** Makes a folder, after removing those of self-tests that were killed. */
export async function makeSelftestHome(): Promise<SelftestHome> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: PREFIX }));
  // the lock is held before its file has the name that others look for
  const unnamed = join(path, `.${LOCK_NAME}`);
  const lock = await openLockFile({ path: unnamed, owner: null });
  await lock.lock(true);
  await Deno.rename(unnamed, join(path, LOCK_NAME));
  // a server that root runs as somebody else has to pass through here
  await Deno.chmod(path, 0o711);
  await removeAbandoned(dirname(path));
  return {
    path,
    postgresDirectory: postgresDirectory(path),
    remove: async () => {
      await removeHome(path);
      lock.close();
    },
  };
}

function postgresDirectory(home: string): string {
  return join(home, "postgres");
}

async function removeAbandoned(parent: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(parent)) {
    if (!isDirectory || !name.startsWith(PREFIX)) continue;
    const home = join(parent, name);
    try {
      // without `create`: a folder without a lock is being made, or removed
      const lock = await Deno.open(join(home, LOCK_NAME), { read: true, write: true });
      try {
        if (await lock.tryLock(true)) await removeHome(home);
      } finally {
        lock.close();
      }
    } catch {
      // it is another user's, or gone by now
    }
  }
}

async function removeHome(home: string): Promise<void> {
  const dataDirectory = postgresDirectory(home);
  const { version, dataDirectory: cluster, socketDirectory } = await embeddedServerStatus(
    dataDirectory,
  );
  if (version !== null) {
    await stopEmbeddedServer(dataDirectory);
    // for root's server they may lie elsewhere
    for (const folder of [socketDirectory, dirname(cluster)]) {
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  }
  await Deno.remove(home, { recursive: true });
}
