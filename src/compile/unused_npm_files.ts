/**
 * What npm packages bring along and the program never opens. `deno compile` embeds packages whole,
 * and Deno reads what is embedded into memory at each start.
 */
import { dirname, fromFileUrl, join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { packageDirectories } from "../database/server_package.ts";
import { PROJECT } from "./staged_source.ts";

const UNUSED_FOLDERS: ReadonlySet<string> = new Set(["test", "tests", "examples", "docs", "perf"]);
/**
 * Deno takes all else for JavaScript: it embeds why a licence is none, with the path that it has
 * on this machine, and chokes on a list of 100,000 numbers.
 */
const CODE = /\.(?:[cm]?js|json|node|wasm)$/;

/** Absolute paths, of files and of folders. */
export async function unusedNpmFiles(): Promise<string[]> {
  // put into the executable otherwise
  const unused = (await packageDirectories()).map(dirname);
  const reached = await reachedFiles();
  for (const directory of await npmPackages()) {
    if (unused.includes(directory)) continue;
    // Deno's list of what modules import is complete for ES modules only
    const { type } = JSON.parse(await Deno.readTextFile(join(directory, "package.json")));
    const isTraced = type === "module" && [...reached].some((path) => isBelow(path, directory));
    await collectUnused(directory, { unused, reached: isTraced ? reached : null });
  }
  return unused.sort();
}

/** The folders of the packages in the lock file, in Deno's cache. */
export async function npmPackages(): Promise<string[]> {
  const lock = JSON.parse(await Deno.readTextFile(join(PROJECT, config.lock.path)));
  const [name, version] = splitPinned(config.imports["postgres"].slice("npm:".length));
  const known = fromFileUrl(import.meta.resolve("postgres"));
  const cache = known.slice(0, known.indexOf(join(name, version, "/")));
  return Object.keys(lock.npm).map((pinned) => join(cache, ...splitPinned(pinned)));
}

/** The files of packages that Deno's module graph holds, begun at the import map's entries. */
export async function reachedFiles(): Promise<Set<string>> {
  const entries = Object.keys(config.imports).map((name) => import.meta.resolve(name));
  const list = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(list, entries.map((url) => `import ${JSON.stringify(url)};`).join(""));
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--no-config", list],
      stderr: "inherit",
    }).output();
    if (!success) throw new Error("`deno info` failed");
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
      modules: { specifier: string }[];
    };
    return new Set(
      modules.filter(({ specifier }) => specifier.startsWith("file:"))
        .map(({ specifier }) => fromFileUrl(specifier)),
    );
  } finally {
    await Deno.remove(list);
  }
}

/** @param found.reached Null if it is not known what is reached. */
async function collectUnused(
  directory: string,
  found: { unused: string[]; reached: ReadonlySet<string> | null },
): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (name === "package.json") continue;
    if (!isUsed(path, { name, isDirectory, reached: found.reached })) found.unused.push(path);
    else if (isDirectory) await collectUnused(path, found);
  }
}

function isUsed(
  path: string,
  { name, isDirectory, reached }: {
    name: string;
    isDirectory: boolean;
    reached: ReadonlySet<string> | null;
  },
): boolean {
  if (reached === null) return isDirectory ? !UNUSED_FOLDERS.has(name) : CODE.test(name);
  return isDirectory ? [...reached].some((file) => isBelow(file, path)) : reached.has(path);
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(join(directory, "/"));
}

/** `NAME@VERSION` in two; the name may begin with an `@`, and a path may follow. */
function splitPinned(pinned: string): [name: string, version: string] {
  const match = /^(.[^@]*)@([^/]+)/.exec(pinned);
  if (match === null) throw new Error(`${pinned} is not NAME@VERSION`);
  return [match[1]!, match[2]!];
}
