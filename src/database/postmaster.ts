import { join } from "@std/path";
import { clusterDirectory } from "./server_home.ts";

/** A running server: what its `postmaster.pid` says. */
export interface Postmaster {
  readonly pid: number;
  readonly socketDirectory: string;
  /** As PostgreSQL writes it: `starting`, `ready`, `standby`, `stopping`. */
  readonly state: string;
}

/**
 * The server that runs on a cluster, or null. A file left by a crash of the machine, whose process
 * id may be another process's by now, is told apart by that process's command line.
 */
export async function readPostmaster(home: string): Promise<Postmaster | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(clusterDirectory(home), "postmaster.pid"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  const socketDirectory = lines[4] ?? "";
  if (!Number.isInteger(pid) || pid < 1) return null;
  let commandLine: string;
  try {
    commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`);
  } catch {
    return null;
  }
  // Written in steps while the server starts; it is ours anyway if it names our folder.
  const isOurs = /(?:^|\/)postgres\0/.test(commandLine) &&
    (socketDirectory === "" || commandLine.includes(socketDirectory));
  if (!isOurs) return null;
  return { pid, socketDirectory, state: (lines[7] ?? "starting").trim() || "starting" };
}

/** Removes a `postmaster.pid` of a server that is gone and whose process id lives on elsewhere. */
export async function removeStalePostmaster(home: string): Promise<void> {
  const path = join(clusterDirectory(home), "postmaster.pid");
  const text = await Deno.readTextFile(path).catch(() => "");
  const pid = Number(text.split("\n")[0]);
  // PostgreSQL itself deals with an id that is nobody's, and looks for orphans of the old server.
  if (!Number.isInteger(pid) || pid < 1) return;
  const isAlive = await Deno.lstat(`/proc/${pid}`).then(() => true, () => false);
  if (isAlive && await readPostmaster(home) === null) await Deno.remove(path);
}
