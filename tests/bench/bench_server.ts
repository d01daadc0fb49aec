/**
 * The server that all rows share: an embedded one on disk, with the settings that `pgsluice` gives
 * it, and a port for those who cannot take a unix socket; or the one that
 * PGSLUICE_BENCH_DATABASE_URL names.
 */
import { join } from "@std/path";
import { type Cluster, createCluster, stopCluster } from "../../src/database/cluster.ts";
import { connect, type Sql } from "../../src/database/connect.ts";
import { type DatabaseTarget, withDatabase } from "../../src/database/database_target.ts";
import { serverAccount } from "../../src/database/server_account.ts";
import { CLUSTER_USER, clusterDirectory } from "../../src/database/server_home.ts";
import { serverCacheDirectory, unpackServer } from "../../src/database/server_package.ts";
import { formatServerUrl } from "../../src/database/server_url.ts";
import { ensureSocketDirectory, socketDirectory } from "../../src/database/socket_directory.ts";

const HOST = "127.0.0.1";
/** Who can reach the port of this machine may know it: the data is nobody's. */
const PASSWORD = "bench";
const START_TIMEOUT_S = 60;

export interface BenchServer extends AsyncDisposable {
  /** A database for maintenance. */
  readonly target: DatabaseTarget & { kind: "server" };
  /** The same over TCP; null where there is only a socket. */
  readonly tcp: DatabaseTarget & { kind: "server" } | null;
}

/** @param home an absolute folder, which the server's user can pass. */
export async function benchServer(home: string): Promise<BenchServer> {
  const url = Deno.env.get("PGSLUICE_BENCH_DATABASE_URL");
  if (url) {
    const target = { kind: "server", url } as const;
    const isTcp = new URL(url).hostname !== "";
    return { target, tcp: isTcp ? target : null, [Symbol.asyncDispose]: async () => {} };
  }
  const environment = (name: string) => Deno.env.get(name);
  const cluster: Cluster = {
    home,
    socketDirectory: await socketDirectory(home, environment),
    account: await serverAccount(clusterDirectory(home)),
    programs: await unpackServer(serverCacheDirectory(environment)),
  };
  await createCluster(cluster, { sync: true });
  await ensureSocketDirectory(cluster.socketDirectory, cluster.account);
  const port = freePort();
  await start(cluster, port);
  const urlOf = (host: string, password: string | undefined) =>
    formatServerUrl({
      hosts: [{ host, port }],
      user: CLUSTER_USER,
      password,
      database: "postgres",
      sslMode: undefined,
      sslRootCertificate: undefined,
      options: undefined,
    }, { password: true });
  const target = { kind: "server", url: urlOf(cluster.socketDirectory, undefined) } as const;
  await onServer(target, (sql) => sql.unsafe(`alter role ${CLUSTER_USER} password '${PASSWORD}'`));
  return {
    target,
    tcp: { kind: "server", url: urlOf(HOST, PASSWORD) },
    [Symbol.asyncDispose]: () => stopCluster(cluster),
  };
}

/** As `startCluster`, with a port on TCP. */
async function start(cluster: Cluster, port: number): Promise<void> {
  const { code, stdout } = await new Deno.Command(join(cluster.programs.directory, "bin/pg_ctl"), {
    args: [
      "start",
      "--pgdata=.",
      "--log=server.log",
      "--wait",
      `--timeout=${START_TIMEOUT_S}`,
      `--options=-c unix_socket_directories=${cluster.socketDirectory} ` +
      `-c listen_addresses=${HOST} -c port=${port}`,
    ],
    cwd: clusterDirectory(cluster.home),
    clearEnv: true,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    ...cluster.account,
  }).output();
  if (code !== 0) throw new Error(`pg_ctl start: ${new TextDecoder().decode(stdout)}`);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  return listener.addr.port;
}

/** Connects for as long as the work takes. */
export async function onServer<T>(
  target: DatabaseTarget,
  work: (sql: Sql) => PromiseLike<T>,
): Promise<T> {
  const client = await connect(target, { applicationName: "bench" });
  try {
    return await work(client.sql);
  } finally {
    await client.close();
  }
}

/** The URL of another database of the server. */
export function databaseUrl(server: DatabaseTarget & { kind: "server" }, name: string): string {
  const target = withDatabase(server, name);
  if (target.kind !== "server") throw new TypeError("a server's database has a URL");
  return target.url;
}
