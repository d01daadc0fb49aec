import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { FolderScans, type FolderScansOptions } from "../../src/pipeline/folder_scans.ts";

/** Scans of a folder of its own, with what they told, in order. */
async function withScans(
  change: Partial<FolderScansOptions>,
  use: (place: {
    folder: string;
    scans: FolderScans;
    told: (string | readonly string[])[];
    /** Resolves when the condition holds. */
    until: (condition: () => boolean) => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const told: (string | readonly string[])[] = [];
  let check = () => {};
  const tell = (fact: string | readonly string[]) => {
    told.push(fact);
    check();
  };
  const scans = new FolderScans({
    directory: folder,
    isWatched: false,
    knownPath: () => null,
    isNews: () => true,
    onFound: (candidates) => tell(candidates.map(({ path }) => path)),
    onUnlisted: (error) => {
      throw error;
    },
    onFault: (error) => tell(error instanceof Error ? error.name : String(error)),
    onFirstOver: () => tell("first over"),
    ...change,
  });
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      check = () => condition() && resolve();
      check();
    });
  try {
    await use({ folder, scans, told, until });
  } finally {
    await scans.close();
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

async function writeAt(path: string, seconds: number): Promise<void> {
  await Deno.writeTextFile(path, "x");
  await Deno.utime(path, seconds, seconds);
}

Deno.test("the first scan finds new files first, then known ones, each kind oldest first", async () => {
  const known = new Set(["old.csv", "older.csv", "same.csv"]);
  await withScans({
    knownPath: (path) => known.has(path) ? path : null,
    isNews: ({ path }) => path !== "same.csv",
  }, async ({ folder, scans, told, until }) => {
    const times = {
      "old.csv": 2,
      "older.csv": 1,
      "same.csv": 3,
      "b.csv": 20,
      "a.csv": 20,
      "c.csv": 10,
    };
    for (const [name, seconds] of Object.entries(times)) await writeAt(join(folder, name), seconds);
    scans.start();
    await until(() => told.includes("first over"));
    assertEquals(told, [["c.csv", "a.csv", "b.csv"], ["older.csv", "old.csv"], "first over"]);
  });
});

Deno.test("a scan of all at once has one order for all", async () => {
  await withScans({
    knownPath: (path) => path === "b.csv" ? path : null,
  }, async ({ folder, scans, told }) => {
    for (const [name, seconds] of [["a.csv", 3], ["b.csv", 2], ["c.csv", 1]] as const) {
      await writeAt(join(folder, name), seconds);
    }
    await scans.scanAll();
    assertEquals(told, [["c.csv", "b.csv", "a.csv"]]);
  });
});

Deno.test("without a watch, scans find what is new and what has changed", async () => {
  const seen = new Map<string, number>();
  await withScans({
    knownPath: (path) => seen.has(path) ? path : null,
    isNews: ({ path, sizeBytes }) => {
      const isNews = seen.get(path) !== sizeBytes;
      seen.set(path, sizeBytes);
      return isNews;
    },
  }, async ({ folder, scans, told, until }) => {
    const times = (path: string) =>
      told.filter((fact) => Array.isArray(fact) && fact.includes(path)).length;
    scans.start();
    await until(() => told.includes("first over"));
    await Deno.writeTextFile(join(folder, "late.csv"), "x");
    await until(() => times("late.csv") > 0);
    const before = times("late.csv");
    await Deno.writeTextFile(join(folder, "late.csv"), "more than before");
    await until(() => times("late.csv") > before);
  });
});

Deno.test("a folder that is gone ends the scans, or is waited for", async () => {
  await withScans({}, async ({ folder, scans, told, until }) => {
    scans.start();
    await until(() => told.includes("first over"));
    await Deno.remove(folder, { recursive: true });
    await until(() => told.includes("NotFound"));
  });
  let errors = 0;
  await withScans({
    onUnlisted: () => errors++,
  }, async ({ folder, scans, told, until }) => {
    await Deno.remove(folder, { recursive: true });
    scans.start();
    await until(() => told.includes("first over"));
    assert(errors > 0);
    await Deno.mkdir(folder);
    await Deno.writeTextFile(join(folder, "back.csv"), "x");
    await until(() => told.some((fact) => Array.isArray(fact) && fact.includes("back.csv")));
  });
});
