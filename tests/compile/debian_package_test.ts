import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { debianPackage } from "../../src/compile/debian_package.ts";
import { outputOf, releaseContents } from "./release_contents.ts";

const HAS_DPKG = await new Deno.Command("dpkg", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function writePackage(folder: string, version: string): Promise<string> {
  const file = join(folder, `pgsluice_${version}.deb`);
  await Deno.writeFile(file, debianPackage(releaseContents(version), "amd64"));
  return file;
}

/** A root of its own for dpkg, which knows of no package. */
async function makeRoot(
  folder: string,
): Promise<{ root: string; dpkg: (...args: string[]) => Promise<string> }> {
  const root = join(folder, "root");
  for (const name of ["info", "updates"]) {
    await Deno.mkdir(join(root, "var/lib/dpkg", name), { recursive: true });
  }
  await Deno.writeTextFile(join(root, "var/lib/dpkg/status"), "");
  await Deno.mkdir(join(root, "etc"));
  const options = ["--force-not-root", "--force-script-chrootless", "--force-depends"];
  const log = join(folder, "dpkg.log");
  return {
    root,
    dpkg: (...args) => outputOf("dpkg", `--root=${root}`, `--log=${log}`, ...options, ...args),
  };
}

async function filesBelow(root: string, folder = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    const path = join(folder, name);
    if (path === "var/lib/dpkg") continue;
    if (isDirectory) paths.push(...await filesBelow(root, path));
    else paths.push(path);
  }
  return paths.sort();
}

const INSTALLED = [
  "usr/bin/pgsluice",
  "usr/lib/systemd/system/pgsluice@.service",
  "usr/lib/sysusers.d/pgsluice.conf",
  "usr/share/bash-completion/completions/pgsluice",
  "usr/share/doc/pgsluice/NOTICES.gz",
  "usr/share/doc/pgsluice/README.md.gz",
  "usr/share/doc/pgsluice/changelog.gz",
  "usr/share/doc/pgsluice/copyright",
  "usr/share/fish/vendor_completions.d/pgsluice.fish",
  "usr/share/man/man1/pgsluice.1.gz",
  "usr/share/zsh/vendor-completions/_pgsluice",
];

const OWN = ["etc/pgsluice/shop.json", "var/lib/pgsluice/shop/journal"];
const CACHED = "var/cache/pgsluice/service/postgres";
const ENABLED = "etc/systemd/system/multi-user.target.wants/pgsluice@shop.service";

Deno.test({
  name: "a Debian package is one that dpkg reads, of root's files, and the same each time",
  ignore: !HAS_DPKG,
  fn: () =>
    withFolder(async (folder) => {
      assertEquals(
        debianPackage(releaseContents(), "amd64"),
        debianPackage(releaseContents(), "amd64"),
      );
      const file = await writePackage(folder, "1.2.3");
      assertEquals(
        await outputOf(
          "dpkg-deb",
          "--show",
          "--showformat=${Package} ${Version} ${Architecture}",
          file,
        ),
        "pgsluice 1.2.3 amd64",
      );
      const listed = (await outputOf("dpkg-deb", "--contents", file)).trim().split("\n");
      assertEquals(listed.filter((line) => !/^\S+ root\/root /.test(line)), []);
      assertEquals(
        listed.filter((line) => !line.endsWith("/")).map((line) => line.split(" ./")[1]!).sort(),
        INSTALLED,
      );
    }),
});

Deno.test({
  name: "a Debian package installs, upgrades, removes, and purges all but the data",
  ignore: !HAS_DPKG,
  fn: () =>
    withFolder(async (folder) => {
      const { root, dpkg } = await makeRoot(folder);
      await dpkg("--install", await writePackage(folder, "1.2.3"));
      assertEquals(await filesBelow(root), INSTALLED);
      assertEquals(await outputOf(join(root, "usr/bin/pgsluice")), "pgsluice 1.2.3\n");
      for (const path of [...OWN, CACHED]) {
        await Deno.mkdir(join(root, path, ".."), { recursive: true });
        await Deno.writeTextFile(join(root, path), "kept");
      }
      await Deno.mkdir(join(root, ENABLED, ".."), { recursive: true });
      await Deno.symlink("/usr/lib/systemd/system/pgsluice@.service", join(root, ENABLED));

      await dpkg("--install", await writePackage(folder, "1.2.4"));
      assertEquals(await outputOf(join(root, "usr/bin/pgsluice")), "pgsluice 1.2.4\n");
      assertEquals(await dpkg("--verify", "pgsluice"), ""); // no file is other than in md5sums
      await dpkg("--remove", "pgsluice");
      assertEquals(await filesBelow(root), [...OWN, CACHED, ENABLED].sort());
      await dpkg("--purge", "pgsluice");
      assertEquals(await filesBelow(root), ["var/lib/pgsluice/shop/journal"]);
    }),
});

Deno.test("the package's scripts are such as sh reads", async () => {
  const scripts = await import("../../src/compile/debian_scripts.ts");
  for (const script of Object.values(scripts)) {
    await withFolder(async (folder) => {
      const file = join(folder, "script");
      await Deno.writeTextFile(file, script);
      assertEquals(await outputOf("sh", "-n", file), "");
    });
  }
});
