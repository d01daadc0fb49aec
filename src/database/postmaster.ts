import { join } from "@std/path";
import { pathExists } from "./path_exists.ts";
import { clusterDirectory } from "./server_home.ts";
import { SOCKET_PORT } from "./socket_directory.ts";

/** A running server: what its `postmaster.pid` says. */
export interface Postmaster {
  /** Null if it is not a process of this machine's, or this container's. */
  readonly pid: number | null;
  readonly socketDirectory: string;
  /** As PostgreSQL writes it: `starting`, `ready`, `standby`, `stopping`. */
  readonly state: string;
}

/**
 * The server that runs on a cluster, or null. After a crash the file may name a process id that is
 * another process's by now, so the process is looked at; and with the data folder shared between
 * containers it may name one that cannot be seen from here, so the socket is tried.
 */
export async function readPostmaster(home: string): Promise<Postmaster | null> {
  const text = await readIfThere(join(clusterDirectory(home), "postmaster.pid"));
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  const socketDirectory = lines[4] ?? "";
  if (!Number.isInteger(pid) || pid < 1) return null;
  if (await isServer(pid, socketDirectory)) {
    return { pid, socketDirectory, state: (lines[7] ?? "").trim() || "starting" };
  }
  if (socketDirectory === "" || !await takesConnections(socketDirectory)) return null;
  return { pid: null, socketDirectory, state: "ready" };
}

/** Whether anything listens on the socket in a folder. */
export async function takesConnections(socketDirectory: string): Promise<boolean> {
  const path = `${socketDirectory}/.s.PGSQL.${SOCKET_PORT}`;
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function isServer(pid: number, socketDirectory: string): Promise<boolean> {
  try {
    const commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`);
    // The folder is written a moment after the process id.
    return /(?:^|\/)postgres\0/.test(commandLine) && commandLine.includes(socketDirectory);
  } catch {
    return false; // no such process
  }
}

/**
 * Removes what a killed server or a crash of the machine left, and would keep a new one from
 * starting: lock files of a process id that is another process's by now, or of a dead process that
 * nobody has collected (there is nobody to in many containers). Only when no server runs.
 *
 * @returns False while processes of the old server are still attached to its memory: try later.
 */
export async function clearLeftovers(
  server: { readonly home: string; readonly socketDirectory: string },
): Promise<boolean> {
  const pidFile = join(clusterDirectory(server.home), "postmaster.pid");
  const lines = (await readIfThere(pidFile)).split("\n");
  const segment = lines[6]?.trim().split(/\s+/)[1];
  if (segment !== undefined && await isAttached(segment)) return false;
  const socket = `${server.socketDirectory}/.s.PGSQL.${SOCKET_PORT}`;
  for (const path of [pidFile, `${socket}.lock`, socket]) {
    if (await pathExists(path)) await Deno.remove(path);
  }
  return true;
}

/** Whether a process uses a segment of System V shared memory. */
async function isAttached(segment: string): Promise<boolean> {
  const [head = "", ...rows] = (await readIfThere("/proc/sysvipc/shm")).split("\n");
  const names = head.trim().split(/\s+/);
  const [id, count] = [names.indexOf("shmid"), names.indexOf("nattch")];
  return rows.some((row) => {
    const values = row.trim().split(/\s+/);
    return values[id] === segment && values[count] !== "0";
  });
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
