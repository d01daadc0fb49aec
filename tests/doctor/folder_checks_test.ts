import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { afterCheck } from "../../src/doctor/after_check.ts";
import { fileSystemCheck } from "../../src/doctor/file_system_check.ts";
import { folderCheck } from "../../src/doctor/folder_check.ts";
import { namesCheck } from "../../src/doctor/names_check.ts";
import { renameCheck } from "../../src/doctor/rename_check.ts";
import { untakenCheck } from "../../src/doctor/untaken_check.ts";
import { watchCheck } from "../../src/doctor/watch_check.ts";
import { line, lookAt } from "./doctor_place.ts";

const IS_LINUX = Deno.build.os === "linux";
/** May write everywhere. */
const IS_ROOT = Deno.uid() === 0;

/** Whether there is a file system in memory beside that of temporary folders. */
async function hasMemory(): Promise<boolean> {
  const memory = await Deno.stat("/dev/shm").catch(() => null);
  const folder = await Deno.makeTempDir();
  try {
    return memory !== null && memory.dev !== (await Deno.stat(folder)).dev;
  } finally {
    await Deno.remove(folder);
  }
}

async function write(folder: string, ...names: string[]): Promise<void> {
  for (const name of names) await Deno.writeTextFile(join(folder, "events", name), "");
}

Deno.test("a folder that can be read is ok, with the number of its files", async () => {
  const result = await lookAt(folderCheck, async (home) => {
    await write(home, "a.csv", "b.csv", "c.txt");
    return {};
  });
  assertMatch(line(result), /^ok .*events can be read; 2 files match \*\.csv$/);
});

Deno.test("a folder that is missing is a problem, and the default one is made by an ingest", async () => {
  const named = await lookAt(folderCheck, (home) => ({ folder: { path: join(home, "odd one") } }));
  assertMatch(line(named), /^problem there is no folder .*odd one → mkdir -p '.*odd one', or name/);
  const byDefault = await lookAt(folderCheck, (home) => ({
    folder: { path: join(home, "data", "events"), isDefault: true },
  }));
  assertMatch(line(byDefault), /^ok .*data\/events is not there yet; an ingest makes it$/);
});

Deno.test("a default folder below one that takes no files is a problem", async () => {
  const result = await lookAt(folderCheck, () => ({
    folder: { path: "/sys/data/events", isDefault: true },
  }));
  assertMatch(line(result), /^problem .* cannot be made in \/sys: .* → .*PGSLUICE_HOME/);
});

Deno.test("a file in place of the folder is a problem", async () => {
  const result = await lookAt(folderCheck, async (home) => {
    await write(home, "a.csv");
    return { folder: { path: join(home, "events", "a.csv") } };
  });
  assertMatch(line(result), /^problem .*a\.csv is not a folder → .*pgsluice ingest - < .*a\.csv$/);
});

Deno.test({
  name: "a file that this user may not read is a problem",
  ignore: IS_ROOT,
  async fn() {
    const result = await lookAt(folderCheck, async (home) => {
      await write(home, "a.csv", "b.csv");
      await Deno.chmod(join(home, "events", "b.csv"), 0o000);
      return {};
    });
    assertMatch(line(result), /^problem .* cannot read 1 of .* b\.csv: .* → .*chmod -R o\+rX/);
  },
});

Deno.test("a folder can be watched, with what inotify has left", async () => {
  const result = await lookAt(watchCheck, () => ({}));
  assertMatch(line(result), IS_LINUX ? /^ok it can be watched; .* \d+ of \d+ watches$/ : /^ok /);
});

Deno.test({
  name: "few inotify instances left are a warning, with the setting to raise",
  ignore: !IS_LINUX,
  async fn() {
    const watcher = Deno.watchFs(Deno.cwd(), { recursive: false }); // one is in use
    try {
      const result = await lookAt(watchCheck, () => ({
        machine: {
          readProc: (path) =>
            Promise.resolve(path.endsWith("max_user_instances") ? "1" : "5000000"),
        },
      }));
      assertMatch(line(result), /^warning .* [1-9]\d* of 1 inotify instances .* → sysctl fs\.ino/);
      assertStringIncludes(result.remedy!, "max_user_instances=4");
    } finally {
      watcher.close();
    }
  },
});

Deno.test("a folder on a network file system is a warning, one on a disk is ok", async () => {
  const mounted = (type: string) => (home: string) => ({
    machine: {
      readProc: () =>
        Promise.resolve(
          "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n" +
            `99 27 0:44 / ${home.replaceAll(" ", "\\040")} rw shared:7 - ${type} host:/x rw\n` +
            "98 27 0:45 / /elsewhere rw - nfs4 host:/y rw\n",
        ),
    },
  });
  for (const type of ["nfs4", "cifs", "fuse.sshfs", "9p"]) {
    const result = await lookAt(fileSystemCheck, mounted(type));
    assertMatch(line(result), new RegExp(`^warning it is on ${type}, mounted on .* → .*local`));
  }
  const local = await lookAt(fileSystemCheck, mounted("xfs"));
  assertMatch(line(local), /^ok it is on xfs, mounted on /);
});

Deno.test("a system that tells no mounts skips the file system", async () => {
  const result = await lookAt(fileSystemCheck, () => ({
    machine: { readProc: () => Promise.resolve(null) },
  }));
  assertEquals(result.status, "skipped");
  assertEquals(result.remedy, null);
});

Deno.test({
  name: "a folder on another file system than its surroundings is a warning for who renames",
  ignore: !await hasMemory(),
  async fn() {
    const result = await lookAt(renameCheck, () => ({ folder: { path: "/dev/shm" } }));
    assertMatch(line(result), /^warning .* than \/dev: .* → .* mv \/dev\/shm\/\.FILE /);
    assertMatch(line(await lookAt(renameCheck, () => ({}))), /^ok files can be renamed into it/);
  },
});

Deno.test("--after archive is ok on one file system, and nothing is left in either folder", async () => {
  const home = await Deno.makeTempDir();
  try {
    const [path, archive] = [join(home, "events"), join(home, "loaded")];
    await Deno.mkdir(path);
    const look = () => lookAt(afterCheck, () => ({ folder: { path, after: { archive } } }));
    assertMatch(line(await look()), /^ok files can be moved to .*loaded, which an ingest makes$/);
    await Deno.mkdir(archive);
    assertMatch(line(await look()), /^ok files can be moved to .*loaded$/);
    for (const folder of [path, archive]) {
      assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
    }
    const left = (await Array.fromAsync(Deno.readDir(home))).map(({ name }) => name).sort();
    assertEquals(left, ["events", "loaded"]);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test({
  name: "--after archive on another file system is a problem",
  ignore: !await hasMemory(),
  async fn() {
    const result = await lookAt(afterCheck, () => ({
      folder: { after: { archive: "/dev/shm/pgsluice-doctor-test" } },
    }));
    assertMatch(
      line(result),
      /^problem .* is on another file system than .* → .* same file system/,
    );
  },
});

Deno.test("--after archive into the watched folder or onto a file is a problem", async () => {
  const same = await lookAt(afterCheck, (home) => ({
    folder: { after: { archive: join(home, "events") } },
  }));
  assertMatch(line(same), /^problem .* is the folder that is watched → name one /);
  const file = await lookAt(afterCheck, async (home) => {
    await write(home, "a.csv");
    return { folder: { after: { archive: join(home, "events", "a.csv", "x") } } };
  });
  assertMatch(line(file), /^problem .* cannot be made: .*a\.csv is a file → name one /);
});

Deno.test({
  name: "--after delete from a folder that cannot be written is a problem",
  ignore: !IS_LINUX,
  async fn() {
    const result = await lookAt(afterCheck, () => ({ folder: { path: "/sys", after: "delete" } }));
    assertMatch(line(result), /^problem files cannot be taken out of \/sys: .* → .*--after keep$/);
  },
});

Deno.test({
  name: "names that are not UTF-8 are a problem, with the command that renames one",
  ignore: !IS_LINUX,
  async fn() {
    const touch = async (folder: string) => {
      const { success } = await new Deno.Command("bash", {
        args: ["-c", "touch -- $'\\xff one.csv' $'_\\xff.csv' $'\\xff.txt' sub/$'\\xfe.CSV'"],
        cwd: join(folder, "events"),
      }).output();
      assertEquals(success, true);
    };
    const look = (recursive: boolean) =>
      lookAt(namesCheck, async (home) => {
        await Deno.mkdir(join(home, "events", "sub"));
        await write(home, "grün.csv");
        await touch(home);
        return { folder: { recursive } };
      });
    const flat = await look(false);
    assertMatch(line(flat), /^problem 1 name of files .* such as \$'\\xff one\.csv' → cd .* && mv/);
    assertMatch(line(await look(true)), /^problem 2 names of files /);
  },
});

Deno.test("the command that is given for a name that is not UTF-8 renames it", {
  ignore: !IS_LINUX,
}, async () => {
  const home = await Deno.makeTempDir();
  try {
    const bash = (script: string) =>
      new Deno.Command("bash", { args: ["-c", script], cwd: home }).output();
    await bash("touch $'\\xe9t\\'e.csv'");
    const { remedy } = await lookAt(namesCheck, () => ({ folder: { path: home } }));
    assertEquals((await bash(remedy!.split(";")[0]!)).success, true);
    assertEquals((await Array.fromAsync(Deno.readDir(home))).map(({ name }) => name), [
      "NEW-NAME.csv",
    ]);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("without a program that lists names they are skipped", async () => {
  const result = await lookAt(namesCheck, () => ({
    machine: { findProgram: "pgsluice-no-such-program" },
  }));
  assertMatch(line(result), /^skipped there is no program `pgsluice-no-such-program`/);
});

Deno.test("files that are passed over and look as if they were meant are a warning", async () => {
  const result = await lookAt(untakenCheck, async (home) => {
    await write(home, "a.csv.gz", "b.CSV.GZ", "c.tsv", "d.csv", ".e.txt", "f.csv.tmp");
    await Deno.symlink("/nowhere", join(home, "events", "g.csv"));
    return {};
  });
  assertEquals(result.status, "warning");
  assertStringIncludes(result.found, "2 files are passed over, being compressed, such as a.csv.gz");
  assertStringIncludes(result.found, "1 file is passed over, being not named *.csv, such as c.tsv");
  assertStringIncludes(result.found, "symbolic links, which are not followed, such as g.csv");
  assertMatch(result.remedy!, /gunzip -- .*a\.csv\.gz/);
  const none = await lookAt(untakenCheck, async (home) => {
    await write(home, "d.csv", "f.csv.tmp");
    return {};
  });
  assertEquals(none.status, "ok");
});
