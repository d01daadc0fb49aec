import { join } from "@std/path";
import { type FileStat, fileStat } from "./byte_source.ts";

/** A file that may be loaded, as last looked at. */
export interface Candidate extends FileStat {
  /** Relative to the folder. */
  readonly path: string;
}

/** How many files are looked at side by side: enough to hide latency, few enough for any limit. */
const PARALLEL_STATS = 64;

/** True for names the watcher takes: `*.csv` in any case, neither hidden nor temporary. */
export function isCandidateName(name: string): boolean {
  return /\.csv$/i.test(name) && !name.startsWith(".") && !name.startsWith("_");
}

/** Looks at one file. Null if it is gone, or is no regular file. Other errors are thrown. */
export async function statCandidate(folder: string, path: string): Promise<Candidate | null> {
  try {
    const info = await Deno.lstat(join(folder, path));
    return info.isFile ? { path, ...fileStat(info) } : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Every candidate in the folder, oldest first by (mtime, name).
 * @throws what Deno.readDir throws when the folder cannot be read
 */
export async function scanFolder(folder: string): Promise<Candidate[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile && isCandidateName(entry.name)) names.push(entry.name);
  }
  const candidates: Candidate[] = [];
  for (let from = 0; from < names.length; from += PARALLEL_STATS) {
    const group = names.slice(from, from + PARALLEL_STATS);
    const looks = await Promise.all(group.map((name) => statCandidate(folder, name)));
    for (const look of looks) if (look !== null) candidates.push(look);
  }
  return candidates.sort(oldestFirst);
}

function oldestFirst(a: Candidate, b: Candidate): number {
  if (a.modifiedMs !== b.modifiedMs) return a.modifiedMs - b.modifiedMs;
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
