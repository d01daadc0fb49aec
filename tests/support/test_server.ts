import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import {
  type Cluster,
  createCluster,
  startCluster,
  stopCluster,
} from "../../src/database/cluster.ts";
import type { DatabaseTarget } from "../../src/database/database_target.ts";
import { socketUrl } from "../../src/database/embedded_server.ts";
import { serverAccount } from "../../src/database/server_account.ts";
import { serverCacheDirectory, unpackServer } from "../../src/database/server_package.ts";
import { ensureSocketDirectory } from "../../src/database/socket_directory.ts";

const MEMORY_FILE_SYSTEM = "/dev/shm";
/** With less room there, tests use the disk; a container often has 64 MB. */
const MEMORY_NEEDED_BYTES = 2 * 1024 ** 3;

let started: Promise<{ target: DatabaseTarget; stop: () => Promise<void> }> | null = null;

Deno.test.afterAll(async () => {
  await (await started)?.stop();
  started = null;
});

/**
 * The server that tests use: the one that PGSLUICE_TEST_DATABASE_URL names (with the right to make
 * databases), else an embedded one of this test file's own, started by the first call and stopped
 * after the file's last test. Its target is a database for maintenance.
 */
export async function testServer(): Promise<DatabaseTarget> {
  const url = Deno.env.get("PGSLUICE_TEST_DATABASE_URL");
  if (url) return { kind: "server", url };
  return (await (started ??= startServer())).target;
}

/** A folder for a cluster, where a new database takes 15 ms and not 200: in memory if it fits. */
export async function fastDirectory(): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(MEMORY_FILE_SYSTEM);
    if (bavail * bsize > MEMORY_NEEDED_BYTES) return MEMORY_FILE_SYSTEM;
  } catch {
    // Not Linux, or not there.
  }
  return tmpdir();
}

async function startServer(): Promise<{ target: DatabaseTarget; stop: () => Promise<void> }> {
  const directory = await fastDirectory();
  await stopAbandoned(directory);
  const home = await Deno.makeTempDir({ dir: directory, prefix: `pgsluice-test-${Deno.pid}-` });
  // Root's server runs as somebody else, who has to pass through here.
  await Deno.chmod(home, 0o711);
  const cluster = await clusterIn(home);
  // Its data need not survive anything.
  const settings = { fsync: "off", full_page_writes: "off" };
  await createCluster(cluster, { sync: false, settings });
  await ensureSocketDirectory(cluster.socketDirectory, cluster.account);
  await startCluster(cluster);
  return {
    target: { kind: "server", url: socketUrl(cluster.socketDirectory, "postgres") },
    stop: () => stopAndRemove(cluster),
  };
}

/** Servers of test runs that were killed. */
async function stopAbandoned(directory: string): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    const pid = /^pgsluice-test-(\d+)-/.exec(name)?.[1];
    if (pid === undefined) continue;
    const home = join(directory, name);
    const isAlive = await Deno.lstat(`/proc/${pid}`).then(() => true, () => false);
    if (isAlive || (await Deno.lstat(home)).uid !== Deno.uid()) continue;
    await stopAndRemove(await clusterIn(home));
  }
}

async function clusterIn(home: string): Promise<Cluster> {
  return {
    home,
    socketDirectory: join(home, "socket"),
    account: await serverAccount(join(home, "cluster")),
    programs: await unpackServer(serverCacheDirectory((name) => Deno.env.get(name))),
  };
}

async function stopAndRemove(cluster: Cluster): Promise<void> {
  await stopCluster(cluster);
  await Deno.remove(cluster.home, { recursive: true });
}
