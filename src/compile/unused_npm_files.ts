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
  const { code, texts } = await reachedFiles();
  const { used, others } = await npmPackages();
  unused.push(...others);
  for (const directory of used) {
    if (unused.includes(directory)) continue;
    // Deno's list of what modules import is complete for ES modules only
    const { type } = JSON.parse(await Deno.readTextFile(join(directory, "package.json")));
    const has = (files: ReadonlySet<string>) => [...files].some((file) => isBelow(file, directory));
    const reached = type === "module" && has(code) ? code : has(texts) ? texts : null;
    await collectUnused(directory, { unused, reached });
  }
  return unused.sort();
}

/**
 * The folders of the packages in the lock file, in Deno's cache: those that the program or one of
 * its packages uses, and those that only tests do.
 */
export async function npmPackages(): Promise<{ used: string[]; others: string[] }> {
  const { npm } = JSON.parse(await Deno.readTextFile(join(PROJECT, config.lock.path))) as {
    npm: Record<string, { dependencies?: string[] }>;
  };
  const [name, version] = splitPinned(config.imports["postgres"].slice("npm:".length));
  const known = fromFileUrl(import.meta.resolve("postgres"));
  const cache = known.slice(0, known.indexOf(join(name, version, "/")));
  const names = new Set(
    [...(await importedNames()).keys()].map((each) =>
      splitPinned(config.imports[each].slice("npm:".length))[0]
    ),
  );
  // a set hands out what is added while it is gone through
  for (const each of names) {
    for (const pinned of Object.keys(npm).filter((pinned) => splitPinned(pinned)[0] === each)) {
      for (const dependency of npm[pinned]!.dependencies ?? []) names.add(dependency);
    }
  }
  const directories = (isUsed: boolean) =>
    Object.keys(npm)
      .filter((pinned) => names.has(splitPinned(pinned)[0]) === isUsed)
      .map((pinned) => join(cache, ...splitPinned(pinned)));
  return { used: directories(true), others: directories(false) };
}

/**
 * The files of packages that the program reaches: as code, all that Deno's module graph holds behind
 * it; as text, those alone.
 */
export async function reachedFiles(): Promise<{ code: Set<string>; texts: Set<string> }> {
  const names = await importedNames();
  const resolved = (kind: ImportKind) =>
    [...names].filter(([, each]) => each === kind).map(([name]) => import.meta.resolve(name));
  const list = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const imports = resolved("code").map((url) => `import ${JSON.stringify(url)};`);
    await Deno.writeTextFile(list, imports.join(""));
    const { modules } = await moduleGraph(["--no-config", list]);
    const files = modules.filter(({ specifier }) => specifier.startsWith("file:"));
    return {
      code: new Set(files.map(({ specifier }) => fromFileUrl(specifier))),
      texts: new Set(resolved("text").map((url) => fromFileUrl(url))),
    };
  } finally {
    await Deno.remove(list);
  }
}

type ImportKind = "code" | "text";

/** The names of the import map that the program imports. */
async function importedNames(): Promise<Map<keyof typeof config.imports, ImportKind>> {
  const { modules } = await moduleGraph([join(PROJECT, "main.ts")]);
  const names = new Map<keyof typeof config.imports, ImportKind>();
  for (const { dependencies = [] } of modules) {
    for (const { specifier, assertionType } of dependencies) {
      if (!isName(specifier)) continue;
      names.set(specifier, assertionType === "text" ? "text" : "code");
    }
  }
  return names;
}

function isName(specifier: string): specifier is keyof typeof config.imports {
  return specifier in config.imports;
}

interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly { specifier: string; assertionType?: string }[];
  }[];
}

async function moduleGraph(args: readonly string[]): Promise<ModuleGraph> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ...args],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("`deno info` failed");
  return JSON.parse(new TextDecoder().decode(stdout));
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
