import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { isCandidateName, scanFolder, statCandidate } from "../../src/source/folder_scan.ts";

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
