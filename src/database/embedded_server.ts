import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { type Cluster, createCluster, startCluster, stopCluster } from "./cluster.ts";
import { openLockFile, withFileLock } from "./file_lock.ts";
import { pathExists } from "./path_exists.ts";
import { clearLeftovers, type Postmaster, readPostmaster, takesConnections } from "./postmaster.ts";
import { CLUSTER_USER, clusterDirectory, findServerHome, type ServerHome } from "./server_home.ts";
import { serverCacheDirectory, unpackServer } from "./server_package.ts";
import { formatServerUrl } from "./server_url.ts";
import { ensureSocketDirectory, SOCKET_PORT } from "./socket_directory.ts";

/*
 * A PostgreSQL of our own, shared by all pgsluice commands that use one data folder.
 *
 * Files in the home: `cluster` (the data), `server.log`, `socket` (a folder), `start.lock`,
 * `users.lock`, `keep` (made by `db start`: stay up), `stopped` (made by `db stop`: went down on
 * purpose).
 *
 * - Whoever changes whether the server runs holds `start.lock`.
 * - Every process that uses the server holds a shared lock on `users.lock`, from before it looks
 *   whether the server runs until it has no more use for it. The kernel drops it on death.
 * - The last user, who is the one that gets that lock exclusively, stops the server unless `keep`
 *   exists. One that is killed leaves the server up, until the next command ends.
 */

/** A process's use of the embedded server. */
export interface ServerHold {
  /** For `--database`, psql and everything else that speaks libpq's URLs. */
  url(database: string): string;
  /** Stops the server if nobody else uses it. Twice is safe. */
  release(): Promise<void>;
}

export interface ServerStatus {
  readonly isUp: boolean;
  /** Null if it is not up, or in another container. */
  readonly pid: number | null;
  /** It stays up when no command uses it. */
  readonly isKept: boolean;
  /** PostgreSQL's major version, as in `18`; null if there is no data yet. */
  readonly version: string | null;
  /** The server's own data directory. */
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly logFile: string;
}

/** What this process holds, by home. One lock serves all holds of a process. */
const held = new Map<string, { readonly users: Deno.FsFile; count: number }>();

/** Homes whose server this process has used. */
const used = new Set<string>();

/** How often a server that somebody else starts or stops is looked at. */
const POLL_MS = 20;
/** It may have to read much of its log after a crash. */
const UNDECIDED_TIMEOUT_MS = 300_000;
/** Processes of a killed server end within moments; after so many looks the start is tried anyway. */
const LEFTOVER_LOOKS = 100;
const LEFTOVER_DELAY_MS = 50;

/**
 * Starts the server if it is not up, and keeps it up until `release()`.
 *
 * @throws {PgsluiceError} `embedded-…`; `embedded-stopped` if `pgsluice db stop` ended the server
 * that this process was using.
 */
export async function holdEmbeddedServer(
  dataDirectory: string,
  options: { say: (text: string) => void },
): Promise<ServerHold> {
  const cluster = await openCluster(dataDirectory, options);
  const { home } = cluster;
  const postmaster = await withStartLock(cluster, async () => {
    const mine = held.get(home);
    if (mine !== undefined) {
      mine.count++;
    } else {
      const users = await openLockFile({ path: join(home, "users.lock"), owner: cluster.account });
      await users.lock(false);
      held.set(home, { users, count: 1 });
    }
    try {
      if (used.has(home)) await refuseStopped(home);
      const running = await ensureRunning(cluster, options.say);
      used.add(home);
      return running;
    } catch (error) {
      await letGo(cluster);
      throw error;
    }
  });
  let released: Promise<void> | null = null;
  return {
    url: (database) => socketUrl(postmaster.socketDirectory, database),
    release: () => released ??= withStartLock(cluster, () => letGo(cluster)),
  };
}

/** Starts the server and leaves it up until `stopEmbeddedServer()`. False if it was up. */
export async function startEmbeddedServer(
  dataDirectory: string,
  options: { say: (text: string) => void },
): Promise<boolean> {
  const cluster = await openCluster(dataDirectory, options);
  return await withStartLock(cluster, async () => {
    const wasUp = await readPostmaster(cluster.home) !== null;
    await ensureRunning(cluster, options.say);
    await Deno.writeTextFile(join(cluster.home, "keep"), "");
    return !wasUp;
  });
}

/**
 * Stops the server, whoever uses it: their transactions are rolled back, and they end with
 * `embedded-stopped`. False if it was not up.
 */
export async function stopEmbeddedServer(dataDirectory: string): Promise<boolean> {
  const found = await findServerHome(dataDirectory, { create: false, say: () => {} });
  if (!await pathExists(clusterDirectory(found.home))) return false;
  const cluster = { ...found, programs: await unpackedServer() };
  return await withStartLock(cluster, async () => {
    await removeMarker(cluster.home, "keep");
    const postmaster = await readPostmaster(cluster.home);
    if (postmaster === null) return false;
    if (postmaster.pid === null) {
      throw new PgsluiceError(
        "embedded-stop",
        `the embedded server in ${cluster.home} runs in another container`,
        { hint: "run `pgsluice db stop` there" },
      );
    }
    await Deno.writeTextFile(join(cluster.home, "stopped"), "");
    await stopCluster(cluster);
    return true;
  });
}

/** Looks, and changes nothing. */
export async function embeddedServerStatus(dataDirectory: string): Promise<ServerStatus> {
  const found = await findServerHome(dataDirectory, { create: false, say: () => {} });
  const data = clusterDirectory(found.home);
  const hasData = await pathExists(data);
  const postmaster = hasData ? await readPostmaster(found.home) : null;
  return {
    isUp: postmaster !== null,
    pid: postmaster?.pid ?? null,
    isKept: await pathExists(join(found.home, "keep")),
    version: hasData ? (await Deno.readTextFile(join(data, "PG_VERSION"))).trim() : null,
    dataDirectory: data,
    socketDirectory: postmaster?.socketDirectory ?? found.socketDirectory,
    logFile: join(found.home, "server.log"),
  };
}

/** The URL of a server on a unix socket. */
export function socketUrl(socketDirectory: string, database: string): string {
  return formatServerUrl({
    hosts: [{ host: socketDirectory, port: SOCKET_PORT }],
    user: CLUSTER_USER,
    password: undefined,
    database,
    sslMode: undefined,
    sslRootCertificate: undefined,
    options: undefined,
  }, { password: false });
}

async function openCluster(
  dataDirectory: string,
  options: { say: (text: string) => void },
): Promise<Cluster> {
  const programs = await unpackedServer();
  return { ...await findServerHome(dataDirectory, { create: true, say: options.say }), programs };
}

function unpackedServer() {
  return unpackServer(serverCacheDirectory((name) => Deno.env.get(name)));
}

function withStartLock<T>(
  { home, account }: ServerHome,
  work: () => Promise<T>,
): Promise<T> {
  return withFileLock({ path: join(home, "start.lock"), owner: account }, work);
}

/** Needs `start.lock`. */
async function letGo(cluster: Cluster): Promise<void> {
  const mine = held.get(cluster.home);
  if (mine === undefined || --mine.count > 0) return;
  held.delete(cluster.home);
  try {
    if (!await mine.users.tryLock(true)) return;
    if (await pathExists(join(cluster.home, "keep"))) return;
    const postmaster = await readPostmaster(cluster.home);
    if (postmaster?.pid != null) await stopCluster(cluster);
  } finally {
    mine.users.close();
  }
}

/** Needs `start.lock`. */
async function ensureRunning(
  cluster: Cluster,
  say: (text: string) => void,
): Promise<Postmaster> {
  const { home } = cluster;
  const running = await decided(home);
  if (running !== null) return running;
  if (await pathExists(clusterDirectory(home))) {
    await refuseOtherVersion(cluster);
  } else {
    say(`making a PostgreSQL ${cluster.programs.majorVersion} server in ${home}`);
    await createCluster(cluster, { sync: true });
  }
  await ensureSocketDirectory(cluster.socketDirectory, cluster.account);
  await removeMarker(home, "stopped");
  await startAfterLeftovers(cluster);
  const started = await decided(home);
  if (started !== null) return started;
  throw new PgsluiceError("embedded-start", `the embedded server in ${home} ended at once`, {
    hint: `its log: ${join(home, "server.log")}`,
  });
}

/** Gives the processes of a killed server a while to end. */
async function startAfterLeftovers(cluster: Cluster): Promise<void> {
  for (let look = 0; look < LEFTOVER_LOOKS; look++) {
    if (await clearLeftovers(cluster)) break;
    await delay(LEFTOVER_DELAY_MS);
  }
  await startCluster(cluster);
}

/**
 * The server that is up, or null; waits for one whose starter or stopper was killed. One that was
 * killed itself may look ready while its process ends, but takes no connection.
 */
async function decided(home: string): Promise<Postmaster | null> {
  const deadlineMs = performance.now() + UNDECIDED_TIMEOUT_MS;
  for (;;) {
    const postmaster = await readPostmaster(home);
    if (postmaster === null) return null;
    if (postmaster.state === "ready" && await takesConnections(postmaster.socketDirectory)) {
      return postmaster;
    }
    if (performance.now() > deadlineMs) {
      throw new PgsluiceError(
        "embedded-start",
        `the embedded server in ${home} has been ${postmaster.state} for too long`,
        { hint: `its log: ${join(home, "server.log")}` },
      );
    }
    await delay(POLL_MS);
  }
}

async function refuseStopped(home: string): Promise<void> {
  if (!await pathExists(join(home, "stopped")) || await readPostmaster(home) !== null) return;
  throw new PgsluiceError(
    "embedded-stopped",
    "the embedded server was stopped by `pgsluice db stop`",
    { hint: "run the command again: it starts the server and goes on where it was" },
  );
}

async function refuseOtherVersion(cluster: Cluster): Promise<void> {
  const data = clusterDirectory(cluster.home);
  const found = (await Deno.readTextFile(join(data, "PG_VERSION"))).trim();
  const wanted = String(cluster.programs.majorVersion);
  if (found === wanted) return;
  throw new PgsluiceError(
    "embedded-version",
    `the data in ${data} is of PostgreSQL ${found}; this pgsluice carries PostgreSQL ${wanted}`,
    {
      hint: `dump it with a PostgreSQL ${found} (pg_ctl -D ${data} start, pg_dumpall > all.sql), ` +
        'move the folder away, then: pgsluice db start; psql -f all.sql "$(pgsluice db url)"',
    },
  );
}

async function removeMarker(home: string, name: string): Promise<void> {
  const path = join(home, name);
  if (await pathExists(path)) await Deno.remove(path);
}

function delay(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
