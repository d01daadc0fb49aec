import { assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import {
  ARCHIVE_MARK,
  isCandidateName,
  isCandidatePath,
  scanFolder,
  statCandidate,
} from "../../src/source/folder_scan.ts";

Deno.test("names of candidates", () => {
  const cases: [string, boolean][] = [
    ["events.csv", true],
    ["EVENTS.CSV", true],
    ["with space.csv", true],
    ["new\nline.csv", true],
    [".hidden.csv", false],
    ["_half.csv", false],
    [".events.csv.tmp", false],
    ["events.csv.part", false],
    ["events.csv.tmp", false],
    ["events.txt", false],
    ["csv", false],
  ];
  for (const [name, expected] of cases) assertEquals(isCandidateName(name), expected, name);
});

Deno.test("a scan finds regular csv files, oldest first, equal times by name", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const times: [string, number][] = [["b.csv", 20], ["a.csv", 20], ["old.csv", 10], ["z.txt", 5]];
    for (const [name, seconds] of times) {
      await Deno.writeTextFile(join(folder, name), "x");
      await Deno.utime(join(folder, name), seconds, seconds);
    }
    await Deno.mkdir(join(folder, "folder.csv"));
    await Deno.symlink("/etc/hosts", join(folder, "link.csv"));
    const found = await scanFolder(folder);
    assertEquals(found.map(({ path }) => path), ["old.csv", "a.csv", "b.csv"]);
    assertEquals(found[0]!.modifiedMs, 10_000);
    assertEquals(found[0]!.sizeBytes, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a look at a file that is gone, a folder or a link says null", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.symlink("/etc/hosts", join(folder, "link.csv"));
    assertEquals(await statCandidate(folder, "gone.csv"), null);
    assertEquals(await statCandidate(folder, "link.csv"), null);
    assertEquals(await statCandidate(folder, "."), null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** A tree with all that a scan is to take, and to leave. */
async function makeTree(): Promise<string> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const paths = [
    "a.csv",
    "b/c/d.csv",
    ".hidden/a.csv",
    "b/_half/a.csv",
    "b/old/a.csv",
    "b/old/x/a.csv",
  ];
  for (const path of paths) {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.writeTextFile(join(folder, path), "x");
  }
  await Deno.writeTextFile(join(folder, "b/old", ARCHIVE_MARK), "");
  await Deno.symlink(join(folder, "b"), join(folder, "link"));
  return folder;
}

Deno.test("a recursive scan leaves hidden folders, links and archives", async () => {
  const folder = await makeTree();
  try {
    const found = await scanFolder(folder, { recursive: true });
    assertEquals(found.map(({ path }) => path).sort(), ["a.csv", "b/c/d.csv"]);
    assertEquals((await scanFolder(folder)).map(({ path }) => path), ["a.csv"]);
    const archive = await scanFolder(join(folder, "b/old"));
    assertEquals(archive.map(({ path }) => path), ["a.csv"], "one that is watched itself is read");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a look takes what a recursive scan takes", async () => {
  const folder = await makeTree();
  try {
    const found = [];
    for (const path of ["a.csv", "b/c/d.csv", "b/old/a.csv", "b/old/x/a.csv", "link/c/d.csv"]) {
      if (await statCandidate(folder, path) !== null) found.push(path);
    }
    assertEquals(found, ["a.csv", "b/c/d.csv"]);
    assertEquals([".hidden/a.csv", "b/_half/a.csv", "b/c/d.csv"].filter(isCandidatePath), [
      "b/c/d.csv",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
