import { join } from "@std/path";
import { embeddedServerStatus, type ServerStatus } from "../database/embedded_server.ts";
import { pathExists } from "../database/path_exists.ts";
import { findServerHome } from "../database/server_home.ts";

/** How the embedded server was found. */
export interface EmbeddedFacts extends ServerStatus {
  readonly home: string;
  /** Commands use it now; null if that cannot be told, as while one starts or stops it. */
  readonly hasUsers: boolean | null;
  /** It was killed: its lock file is there, and it is not. */
  readonly wasKilled: boolean;
  /** Processes of a killed server that live on, and keep a new one from starting. */
  readonly orphans: readonly number[];
}

/** Processes of a server that was killed end by themselves within moments. */
const ORPHAN_LOOKS = 10;
const ORPHAN_DELAY_MS = 100;

/**
 * Looks, and changes nothing.
 * @throws {PgsluiceError} `embedded-owner`, `embedded-data`
 */
export async function embeddedFacts(dataDirectory: string): Promise<EmbeddedFacts> {
  const status = await embeddedServerStatus(dataDirectory);
  const { home } = await findServerHome(dataDirectory, { create: false, say: () => {} });
  const hasLockFile = await pathExists(join(status.dataDirectory, "postmaster.pid"));
  const wasKilled = !status.isUp && hasLockFile;
  return {
    ...status,
    home,
    hasUsers: status.isUp ? await hasUsers(home) : false,
    wasKilled,
    orphans: wasKilled ? await lastingProcesses(status.dataDirectory) : [],
  };
}

/**
 * Every command that uses the server holds a shared lock. Who asks for it holds `start.lock`, as one
 * that lets go does, who would else take this look for a user.
 */
async function hasUsers(home: string): Promise<boolean | null> {
  const start = await openIfThere(join(home, "start.lock"));
  const users = await openIfThere(join(home, "users.lock"));
  try {
    if (start !== null && !await start.tryLock(true)) return null;
    return users !== null && !await users.tryLock(true);
  } finally {
    users?.close();
    start?.close();
  }
}

async function openIfThere(path: string): Promise<Deno.FsFile | null> {
  try {
    return await Deno.open(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function lastingProcesses(directory: string): Promise<number[]> {
  let processes: number[] = [];
  for (let look = 0; look < ORPHAN_LOOKS; look++) {
    processes = await processesIn(directory);
    if (processes.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, ORPHAN_DELAY_MS));
  }
  return processes;
}

/** The processes whose working folder is this one, as that of a server's all is its data folder. */
async function processesIn(directory: string): Promise<number[]> {
  const processes: number[] = [];
  try {
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const place = await Deno.readLink(`/proc/${name}/cwd`).catch(() => null);
      if (place === directory) processes.push(Number(name));
    }
  } catch {
    // no /proc here
  }
  return processes;
}
