import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { packagedServer } from "../../src/database/server_files.ts";
import { packageDirectory, unpackServer } from "../../src/database/server_package.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { fastDirectory } from "../support/test_server.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: await fastDirectory(), prefix: "pgsluice-cache-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("several that unpack at once all get one complete server", async () => {
  await withFolder(async (folder) => {
    const cache = join(folder, "cache");
    const all = await Promise.all(Array.from({ length: 3 }, () => unpackServer(cache)));
    const [{ directory, majorVersion }] = all as [typeof all[0]];
    assertEquals(all.every((programs) => programs.directory === directory), true);
    assertEquals(majorVersion, 18);
    assertEquals((await namesIn(cache)).length, 1);
    assertEquals(await namesIn(join(directory, "bin")), ["initdb", "pg_ctl", "postgres"]);
    const { code, stdout } = await new Deno.Command(join(directory, "bin", "postgres"), {
      args: ["--version"],
    }).output();
    assertEquals(code, 0);
    assertEquals(new TextDecoder().decode(stdout).startsWith("postgres (PostgreSQL) 18."), true);
  });
});

Deno.test("an unpacked server can be run by others, whatever the umask", async () => {
  await withFolder(async (folder) => {
    const before = Deno.umask(0o077);
    try {
      const { directory } = await unpackServer(join(folder, "cache"));
      for (const name of ["", "bin", "bin/postgres", "lib", "share/postgresql/timezone"]) {
        assertEquals((await Deno.stat(join(directory, name))).mode! & 0o777, 0o755);
      }
      assertEquals((await Deno.stat(join(folder, "cache"))).mode! & 0o777, 0o755);
      assertEquals((await Deno.stat(join(directory, "lib/libpq.so.5"))).mode! & 0o777, 0o644);
    } finally {
      Deno.umask(before);
    }
  });
});

Deno.test("what an unpacking left that was killed long ago is removed by the next one", async () => {
  await withFolder(async (folder) => {
    const old = join(folder, "postgres-18.0.old.tmp");
    const recent = join(folder, "postgres-18.0.recent.tmp");
    await Deno.mkdir(join(old, "bin"), { recursive: true });
    await Deno.mkdir(recent);
    await Deno.utime(old, 0, 0);
    await unpackServer(folder);
    const names = await namesIn(folder);
    assertEquals(names.includes("postgres-18.0.recent.tmp"), true);
    assertEquals(names.length, 2);
  });
});

Deno.test("a place where nothing can be unpacked is a clear error", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const error = await assertRejects(() => unpackServer(join(file, "cache")), PgsluiceError);
    assertEquals(error.code, "embedded-unpack");
  });
});

Deno.test("the server's files are linked to none that is left out, and have the library of each extension", async () => {
  const server = await packagedServer((await packageDirectory())!);
  const names = new Set<string>();
  const contents = new Map<string, string>();
  for await (const file of server.files()) {
    names.add(file.path.slice(file.path.lastIndexOf("/") + 1));
    if ("bytes" in file) contents.set(file.path, new TextDecoder("latin1").decode(file.bytes));
  }
  // what a library is linked to is named in it by the name that a link has
  for (const [path, text] of contents) {
    for (const [name] of text.matchAll(/\blib(?:ecpg|pgtypes)[a-z_]*\.so\.\d+/g)) {
      throw new Error(`${path} is linked to ${name}`);
    }
  }
  const modules = [...contents].filter(([path]) => path.endsWith(".control"))
    .flatMap(([, text]) => /module_pathname = '\$libdir\/(.+)'/.exec(text)?.[1] ?? []);
  assertGreater(modules.length, 40);
  assertEquals(modules.filter((module) => !names.has(`${module}.so`)), []);
});
