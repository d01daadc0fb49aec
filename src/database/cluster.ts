import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { pathExists } from "./path_exists.ts";
import { readPostmaster } from "./postmaster.ts";
import { makePrivateDirectory } from "./private_directory.ts";
import type { ServerAccount } from "./server_account.ts";
import { CLUSTER_USER, clusterDirectory, type ServerHome } from "./server_home.ts";
import type { ServerPrograms } from "./server_package.ts";
import { SOCKET_PORT } from "./socket_directory.ts";

/** A data folder of PostgreSQL and what is needed to run a server on it. */
export interface Cluster extends ServerHome {
  readonly programs: ServerPrograms;
}

/** After a crash the server reads its log before it is ready. */
const START_TIMEOUT_S = 300;
/** A fast shutdown writes everything dirty first. */
const STOP_TIMEOUT_S = 300;
/** Then it becomes `server.log.old`. */
const LARGEST_LOG_BYTES = 8 * 1024 * 1024;
const LOG_LINES_SHOWN = 5;

/**
 * Written to `postgresql.conf` of a new cluster, where people may change them.
 *
 * Bulk loading writes much WAL: checkpoints are further apart than by default. Data is on an SSD
 * nowadays. Times are shown in UTC, as in everything that pgsluice prints.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  random_page_cost: "1.1",
  log_checkpoints: "off",
  log_line_prefix: "%m [%p] %a ",
  timezone: "UTC",
  log_timezone: "UTC",
};

/**
 * Makes a new cluster: UTF8, in the built-in locale C.UTF-8, which sorts by code point, knows the
 * letters of Unicode, and never changes with the C library or ICU, as indexes on text want it.
 * Passwords are asked for on TCP, should anyone turn that on; the socket's folder is the key here.
 *
 * @param options.sync Wait until it is on disk; false is for tests.
 */
export async function createCluster(
  cluster: Cluster,
  options: { sync: boolean; settings?: Readonly<Record<string, string>> },
): Promise<void> {
  // Under another name until it is complete: a folder named `cluster` can be trusted.
  const unfinished = join(cluster.home, "cluster.new");
  if (await pathExists(unfinished)) await Deno.remove(unfinished, { recursive: true });
  await makePrivateDirectory(unfinished, cluster.account);
  const settings = { ...SETTINGS, ...options.settings };
  const result = await run(cluster, "initdb", {
    cwd: unfinished,
    args: [
      "--pgdata=.",
      `--username=${CLUSTER_USER}`,
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--auth-local=trust",
      "--auth-host=scram-sha-256",
      "--no-instructions",
      // One call for all, where a thousand files one by one take seconds on a busy disk.
      options.sync ? "--sync-method=syncfs" : "--no-sync",
      ...Object.entries(settings).map(([name, value]) => `--set=${name}=${value}`),
    ],
  });
  if (result.code !== 0) {
    throw new PgsluiceError(
      "embedded-create",
      `cannot make the embedded server's data in ${cluster.home}: ${lastLines(result.output)}`,
      { hint: "it needs 60 MB there, on a file system with permissions" },
    );
  }
  await Deno.rename(unfinished, clusterDirectory(cluster.home));
  if (options.sync) await syncDirectory(cluster.home);
}

/**
 * Starts a server and waits until it takes connections. It has a session of its own: neither
 * Ctrl-C in the terminal nor the end of this process reaches it.
 */
export async function startCluster(cluster: Cluster): Promise<void> {
  const log = join(cluster.home, "server.log");
  await prepareLog(log, cluster.account);
  const result = await run(cluster, "pg_ctl", {
    cwd: clusterDirectory(cluster.home),
    // pg_ctl hands all of this to a shell: relative paths keep odd letters of ours out of it.
    args: [
      "start",
      "--pgdata=.",
      "--log=../server.log",
      "--wait",
      `--timeout=${START_TIMEOUT_S}`,
      "--silent",
      `--options=-c unix_socket_directories=${cluster.socketDirectory} -c port=${SOCKET_PORT}`,
    ],
  });
  if (result.code === 0) return;
  const written = await Deno.readTextFile(log).catch(() => "");
  throw new PgsluiceError(
    "embedded-start",
    `the embedded server in ${cluster.home} does not start: ${
      lastLines(written.trim() === "" ? result.output : written)
    }`,
    { hint: `its log: ${log}` },
  );
}

/** Ends the sessions, writes everything out and waits for the end. Nothing if none runs. */
export async function stopCluster(cluster: Cluster): Promise<void> {
  if (await readPostmaster(cluster.home) === null) return;
  const result = await run(cluster, "pg_ctl", {
    cwd: clusterDirectory(cluster.home),
    args: [
      "stop",
      "--pgdata=.",
      "--mode=fast",
      "--wait",
      `--timeout=${STOP_TIMEOUT_S}`,
      "--silent",
    ],
  });
  if (result.code === 0 || await readPostmaster(cluster.home) === null) return;
  throw new PgsluiceError(
    "embedded-stop",
    `the embedded server in ${cluster.home} does not stop: ${lastLines(result.output)}`,
    { hint: `its log: ${join(cluster.home, "server.log")}` },
  );
}

async function prepareLog(log: string, account: ServerAccount | null): Promise<void> {
  const size = await Deno.stat(log).then((info) => info.size, () => 0);
  if (size > LARGEST_LOG_BYTES) await Deno.rename(log, `${log}.old`);
  const file = await Deno.open(log, { append: true, create: true, mode: 0o600 });
  file.close();
  if (account !== null) await Deno.chown(log, account.uid, account.gid);
}

/** Runs a program of the package as the server's user, with nothing of our environment. */
async function run(
  cluster: Cluster,
  program: string,
  options: { cwd: string; args: string[] },
): Promise<{ code: number; output: string }> {
  const path = join(cluster.programs.directory, "bin", program);
  try {
    const { code, stdout, stderr } = await new Deno.Command(path, {
      args: options.args,
      cwd: options.cwd,
      // PGPORT, PGDATA and others would change what the server does.
      clearEnv: true,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
      stdin: "null",
      ...(cluster.account ?? {}),
    }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stderr) || decoder.decode(stdout) };
  } catch (error) {
    throw new PgsluiceError(
      "embedded-run",
      `cannot run ${path}: ${(error as Error).message}`,
      {
        hint: "the embedded server needs glibc, a file system that lets programs run, and, for " +
          "root, the right to become another user; or name a server with --database",
        cause: error,
      },
    );
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await Deno.open(path);
  try {
    await directory.sync();
  } finally {
    directory.close();
  }
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-LOG_LINES_SHOWN).map((line) => line.trim()).join("; ");
}
