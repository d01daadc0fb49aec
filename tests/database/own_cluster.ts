import { join } from "@std/path";
import {
  type Cluster,
  createCluster,
  startCluster,
  stopCluster,
} from "../../src/database/cluster.ts";
import { socketUrl } from "../../src/database/embedded_server.ts";
import { clearLeftovers, readPostmaster } from "../../src/database/postmaster.ts";
import { serverAccount } from "../../src/database/server_account.ts";
import { clusterDirectory } from "../../src/database/server_home.ts";
import { serverCacheDirectory, unpackServer } from "../../src/database/server_package.ts";
import { ensureSocketDirectory } from "../../src/database/socket_directory.ts";
import { fastDirectory } from "../support/test_server.ts";

/** A server of one test's own, which may stop it, or let only some in. */
export interface OwnCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  /** Of database `postgres`, as the server's owner. */
  readonly url: string;
  /** Starts it after it was stopped. */
  start(): Promise<void>;
  /**
   * Ends it, as `pg_ctl stop -m` does: `fast` in order, `immediate` as a crash. Resolves when it is
   * gone.
   */
  stop(mode: "fast" | "immediate"): Promise<void>;
}

/**
 * @param options.rules Lines of `pg_hba.conf` before the ones that let everybody in.
 * @param options.settings Of the server.
 */
export async function ownCluster(
  options: { rules?: string; settings?: Readonly<Record<string, string>> } = {},
): Promise<OwnCluster> {
  const cluster = await newCluster();
  await createCluster(cluster, { sync: false, settings: { fsync: "off", ...options.settings } });
  const rulesFile = join(clusterDirectory(cluster.home), "pg_hba.conf");
  await Deno.writeTextFile(
    rulesFile,
    `${options.rules ?? ""}\n${await Deno.readTextFile(rulesFile)}`,
  );
  return await startOwnCluster(cluster);
}

/** A folder for a cluster, without one yet. */
export async function newCluster(): Promise<Cluster> {
  const home = await Deno.makeTempDir({
    dir: await fastDirectory(),
    prefix: `pgsluice-test-${Deno.pid}-`,
  });
  await Deno.chmod(home, 0o711);
  return {
    home,
    socketDirectory: join(home, "socket"),
    account: await serverAccount(clusterDirectory(home)),
    programs: await unpackServer(serverCacheDirectory((name) => Deno.env.get(name))),
  };
}

/** Starts a cluster whose data is there; its folder goes with the object. */
export async function startOwnCluster(cluster: Cluster): Promise<OwnCluster> {
  await ensureSocketDirectory(cluster.socketDirectory, cluster.account);
  await startCluster(cluster);
  return {
    cluster,
    url: socketUrl(cluster.socketDirectory, "postgres"),
    start: () => startServer(cluster),
    stop: (mode) => stopServer(cluster, mode),
    [Symbol.asyncDispose]: async () => {
      await stopCluster(cluster);
      await Deno.remove(cluster.home, { recursive: true });
    },
  };
}

async function startServer(cluster: Cluster): Promise<void> {
  while (!await clearLeftovers(cluster)) await new Promise((resolve) => setTimeout(resolve, 5));
  await startCluster(cluster);
}

async function stopServer(cluster: Cluster, mode: "fast" | "immediate"): Promise<void> {
  const pid = (await readPostmaster(cluster.home))?.pid;
  if (pid == null) return;
  Deno.kill(pid, mode === "fast" ? "SIGINT" : "SIGQUIT");
  while (await readPostmaster(cluster.home) !== null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
