/**
 * Which files of a folder may be loaded. Nothing hidden, nothing temporary, nothing behind a
 * symbolic link, and nothing in a folder that holds what was loaded before.
 */
import { setImmediate } from "node:timers";
import { basename, dirname, join } from "@std/path";
import { noProbe, type Probe } from "../probe.ts";
import { type FileStat, fileStat } from "./byte_source.ts";

/** A file that may be loaded, as last looked at. */
export interface Candidate extends FileStat {
  /** Relative to the folder. */
  readonly path: string;
}

export interface ScanOptions {
  /** Take the folders below as well; not unless given. */
  readonly recursive?: boolean;
  /** A file, or a folder below, that cannot be looked at. Without it, such an error is thrown. */
  readonly onUnreadable?: (path: string, error: unknown) => void;
  readonly probe?: Probe;
}

/** In a folder below the watched one, this file says that what is in it was loaded already. */
export const ARCHIVE_MARK = ".pgsluice-archive";

/** How many files are looked at side by side: enough to hide latency, few enough for any limit. */
export const LOOK_FILES = 64;
/** So long looks at a time may keep this thread from everything else. */
const BLOCKING_MS = 2;
/** So many names are gone through at a time, for the same reason. */
const PAUSE_NAMES = 1_000;

/** True for names the watcher takes: `*.csv` in any case, neither hidden nor temporary. */
export function isCandidateName(name: string): boolean {
  return /\.csv$/i.test(name) && !isHiddenName(name);
}

/** True if the path is of such a name, in folders that are not hidden either. */
export function isCandidatePath(path: string): boolean {
  return isCandidateName(basename(path)) && !path.split("/").some(isHiddenName);
}

function isHiddenName(name: string): boolean {
  return name.startsWith(".") || name.startsWith("_");
}

/**
 * Looks at one file. Null if it is gone, or is no regular file of this folder. Other errors are
 * thrown.
 * @param folder a real path
 */
export async function statCandidate(
  folder: string,
  path: string,
  probe: Probe = noProbe,
): Promise<Candidate | null> {
  try {
    probe("file.look");
    const parent = dirname(path);
    if (parent !== "." && !await isOpenFolder(folder, parent)) return null;
    const info = await Deno.lstat(join(folder, path));
    return info.isFile ? { path, ...fileStat(info) } : null;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/**
 * Every candidate in the folder, oldest first by (mtime, name).
 * @throws what Deno.readDir throws when the folder itself cannot be read
 */
export async function scanFolder(
  folder: string,
  options: ScanOptions = {},
): Promise<Candidate[]> {
  const paths = await listFolder(folder, options);
  const candidates: Candidate[] = [];
  for (let from = 0; from < paths.length; from += LOOK_FILES) {
    candidates.push(...await lookAtListed(folder, paths.slice(from, from + LOOK_FILES), options));
  }
  return candidates.sort(oldestFirst);
}

/**
 * The paths in the folder whose names are candidates', in no order. To look at them costs many
 * times as much as this.
 * @throws what Deno.readDir throws when the folder itself cannot be read
 */
export async function listFolder(folder: string, options: ScanOptions = {}): Promise<string[]> {
  const { probe = noProbe, recursive = false } = options;
  probe("folder.scan");
  const paths: string[] = [];
  for (const left = [""]; left.length > 0;) {
    const below = left.pop()!;
    try {
      const listing = await readOne(folder, below);
      for (const path of listing.files) paths.push(path);
      if (recursive) left.push(...listing.folders);
    } catch (error) {
      if (below === "") throw error;
      if (!isGone(error)) unreadable(options, below, error);
    }
  }
  return paths;
}

/**
 * What `statCandidate` does, of files of which the folder was just read: `LOOK_FILES` at most. On a
 * disk of this machine a look takes less than to hand it to another thread; on a slow one they are
 * done side by side.
 */
export async function lookAtListed(
  folder: string,
  paths: readonly string[],
  options: ScanOptions = {},
): Promise<Candidate[]> {
  const { probe = noProbe } = options;
  const untilMs = performance.now() + BLOCKING_MS;
  const looks = await Promise.all(paths.map(async (path) => {
    try {
      probe("file.look");
      const place = join(folder, path);
      const info = performance.now() < untilMs ? Deno.lstatSync(place) : await Deno.lstat(place);
      return info.isFile ? { path, ...fileStat(info) } : null;
    } catch (error) {
      if (!isGone(error)) unreadable(options, path, error);
      return null;
    }
  }));
  return looks.filter((look) => look !== null);
}

function unreadable({ onUnreadable }: ScanOptions, path: string, error: unknown): void {
  if (onUnreadable === undefined) throw error;
  onUnreadable(path, error);
}

/** What one folder holds that may count; nothing, if it is an archive below the watched one. */
async function readOne(
  root: string,
  below: string,
): Promise<{ files: string[]; folders: string[] }> {
  const files: string[] = [];
  const folders: string[] = [];
  let count = 0;
  for await (const { name, isFile, isDirectory } of Deno.readDir(join(root, below))) {
    if (++count % PAUSE_NAMES === 0) await pause();
    if (name === ARCHIVE_MARK && below !== "") return { files: [], folders: [] };
    if (isFile && isCandidateName(name)) files.push(join(below, name));
    if (isDirectory && !isHiddenName(name)) folders.push(join(below, name));
  }
  return { files, folders };
}

/** Lets everything else have its turn. */
async function pause(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** False for a folder that a scan of `root` would not enter. */
async function isOpenFolder(root: string, below: string): Promise<boolean> {
  if (await Deno.realPath(join(root, below)) !== join(root, below)) return false;
  for (let folder = below; folder !== "."; folder = dirname(folder)) {
    const isArchive = await Deno.lstat(join(root, folder, ARCHIVE_MARK)).then(
      () => true,
      (error: unknown) => {
        if (isGone(error)) return false;
        throw error;
      },
    );
    if (isArchive) return false;
  }
  return true;
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/** By (mtime, name). */
export function oldestFirst(a: Candidate, b: Candidate): number {
  if (a.modifiedMs !== b.modifiedMs) return a.modifiedMs - b.modifiedMs;
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
