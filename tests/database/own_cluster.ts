import { join } from "@std/path";
import {
  type Cluster,
  createCluster,
  startCluster,
  stopCluster,
} from "../../src/database/cluster.ts";
import { socketUrl } from "../../src/database/embedded_server.ts";
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
}

/** @param options.rules Lines of `pg_hba.conf` before the ones that let everybody in. */
export async function ownCluster(options: { rules?: string } = {}): Promise<OwnCluster> {
  const home = await Deno.makeTempDir({
    dir: await fastDirectory(),
    prefix: `pgsluice-test-${Deno.pid}-`,
  });
  await Deno.chmod(home, 0o711);
  const cluster: Cluster = {
    home,
    socketDirectory: join(home, "socket"),
    account: await serverAccount(clusterDirectory(home)),
    programs: await unpackServer(serverCacheDirectory((name) => Deno.env.get(name))),
  };
  await createCluster(cluster, { sync: false, settings: { fsync: "off" } });
  const rulesFile = join(clusterDirectory(home), "pg_hba.conf");
  await Deno.writeTextFile(
    rulesFile,
    `${options.rules ?? ""}\n${await Deno.readTextFile(rulesFile)}`,
  );
  await ensureSocketDirectory(cluster.socketDirectory, cluster.account);
  await startCluster(cluster);
  return {
    cluster,
    url: socketUrl(cluster.socketDirectory, "postgres"),
    [Symbol.asyncDispose]: async () => {
      await stopCluster(cluster);
      await Deno.remove(home, { recursive: true });
    },
  };
}
