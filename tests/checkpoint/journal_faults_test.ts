import { assert, assertEquals, assertGreater } from "@std/assert";
import { join } from "@std/path";
import { JournalHeldError } from "../../src/checkpoint/journal.ts";
import type { JournalFile } from "../../src/checkpoint/journal_codec.ts";
import { localDisk } from "../../src/checkpoint/journal_disk.ts";
import { readJournal } from "../../src/checkpoint/read_journal.ts";
import type { ProbePoint } from "../../src/probe.ts";
import { mayMount, withTinyFileSystem } from "../support/tiny_file_system.ts";
import { FaultyDisk } from "./faulty_disk.ts";
import { ToldJournal } from "./told_journal.ts";

/** The first operation after a journal of no file was made. */
const FIRST_APPEND = 8;

const HEAD = { pipeline: "p", identity: "id", source: "/s", table: "t" };

function file(path: string, committedByte: number): JournalFile {
  return { path, generation: 1, committedByte, committedLine: 1, revision: 0 };
}

async function withFolder(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What a journal told of its trouble, and when it was over. */
class Troubles {
  readonly heard: (string | null)[] = [];
  #waiting = Promise.withResolvers<void>();

  readonly onTrouble = (error: unknown | null): void => {
    this.heard.push(error === null ? null : String(error));
    if (error !== null) return;
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers<void>();
  };

  /** Resolves when the trouble of now is over. */
  async end(): Promise<void> {
    await staysAlive(this.#waiting.promise);
  }
}

/** The journal's clock keeps no process alive, so that a test that waits for it has to. */
async function staysAlive(promise: Promise<void>): Promise<void> {
  const timer = setInterval(() => {}, 1_000);
  await promise.finally(() => clearInterval(timer));
}

async function filesIn(directory: string): Promise<JournalFile[]> {
  const found = await readJournal(directory);
  assert(found.kind === "whole", JSON.stringify(found));
  assertEquals(found.content.isTorn, false);
  return [...found.content.files.values()];
}

/** What the life of a journal below leaves on the disk, whatever fails: one of these, never else. */
const STATES = [[], [file("a", 1)], [file("a", 2)], [file("a", 2), file("b", 1)]];

function live(journal: ToldJournal): void {
  journal.rebuild(HEAD, { epoch: 1, files: [] });
  journal.append([file("a", 1)]);
  journal.append([file("a", 2)]);
  journal.append([file("b", 1)]);
  journal.close();
}

for (const isLasting of [false, true]) {
  const often = isLasting ? "from then on" : "once";
  Deno.test(`a journal of which the Nth operation fails ${often} is never wrong`, async () => {
    const failed = new Set<string>();
    let tornCount = 0;
    for (let nth = 1;; nth++) {
      let isOver = false;
      await withFolder(async (folder) => {
        const directory = join(folder, "p");
        const disk = new FaultyDisk({ nth, isLasting });
        const troubles = new Troubles();
        live(new ToldJournal({ directory, disk, onTrouble: troubles.onTrouble }));
        isOver = disk.failed.length === 0;
        for (const operation of disk.failed) failed.add(operation);
        const found = await readJournal(directory);
        assert(found.kind !== "damaged" && found.kind !== "newer", `${nth}: ${found.kind}`);
        const files = found.kind === "missing" ? [] : [...found.content.files.values()];
        if (isLasting && !isOver) {
          assertEquals(troubles.heard.length, 1, `${nth}: said once`);
          const states = STATES.map((state) => JSON.stringify(state));
          assert(states.includes(JSON.stringify(files)), `${nth}: ${JSON.stringify(files)}`);
          if (found.kind === "whole" && found.content.isTorn) tornCount++;
        } else {
          assertEquals(files, STATES.at(-1)!, `${nth}: whole again when closed`);
          assertEquals(await filesIn(directory), STATES.at(-1)!);
          const heard = troubles.heard.map((each) => each === null ? "well" : "ill");
          assertEquals(heard, isOver ? [] : ["ill", "well"], `${nth}`);
        }
        // whatever it left, the next one takes the folder and writes it whole
        const next = new Troubles();
        live(new ToldJournal({ directory, onTrouble: next.onTrouble }));
        assertEquals([next.heard, await filesIn(directory)], [[], STATES.at(-1)!]);
      });
      if (isOver) break;
    }
    const operations = [
      "create",
      "lock",
      "makeDirectory",
      "rename",
      "sync",
      "syncDirectory",
      "write",
    ];
    assertEquals(operations.filter((each) => !failed.has(each)), []);
    if (isLasting) assertGreater(tornCount, 0);
  });
}

Deno.test("a journal becomes whole by the clock, without another append", async () => {
  await withFolder(async (directory) => {
    const disk = new FaultyDisk({ nth: FIRST_APPEND, isLasting: true });
    const troubles = new Troubles();
    const journal = new ToldJournal({ directory, disk, onTrouble: troubles.onTrouble });
    journal.rebuild(HEAD, { epoch: 1, files: [] });
    journal.append([file("a", 1)]);
    journal.append([file("a", 2)]);
    assertEquals(disk.failed, ["write"]);
    const torn = await readJournal(directory);
    assert(torn.kind === "whole" && torn.content.isTorn);
    assertEquals(torn.content.files.size, 0);
    const whole = troubles.end();
    disk.mend();
    await whole;
    assertEquals(await filesIn(directory), [file("a", 2)]);
    journal.append([file("b", 1)]);
    assertEquals(await filesIn(directory), [file("a", 2), file("b", 1)]);
    journal.close();
    assertEquals(troubles.heard.length, 2);
  });
});

Deno.test("a journal whose lock another one holds waits for it", async () => {
  await withFolder(async (directory) => {
    const other = localDisk.lock(join(directory, "lock"))!;
    const troubles = new Troubles();
    const journal = new ToldJournal({ directory, onTrouble: troubles.onTrouble });
    await Deno.writeTextFile(join(directory, "journal.jsonl"), "of the other one\n");
    journal.rebuild(HEAD, { epoch: 1, files: [file("a", 1)], keepAs: "kept" });
    journal.append([file("a", 2)]);
    assertEquals(troubles.heard, [String(new JournalHeldError(directory))]);
    const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assertEquals(names, ["journal.jsonl", "lock"]);
    assertEquals(await Deno.readTextFile(join(directory, "journal.jsonl")), "of the other one\n");
    const whole = troubles.end();
    other.close();
    await whole;
    assertEquals(await filesIn(directory), [file("a", 2)]);
    assertEquals(await Deno.readTextFile(join(directory, "kept")), "of the other one\n");
    journal.close();
  });
});

Deno.test("an abandoned journal lets go at once and writes nothing until it is rebuilt", async () => {
  await withFolder(async (directory) => {
    const points: ProbePoint[] = [];
    const journal = new ToldJournal({
      directory,
      onTrouble: (error) => {
        throw error;
      },
      probe: (point) => points.push(point),
    });
    journal.rebuild(HEAD, { epoch: 1, files: [] });
    journal.abandon();
    journal.abandon();
    localDisk.lock(join(directory, "lock"))!.close();
    const before = points.length;
    journal.append([file("a", 1)]);
    journal.close();
    assertEquals(points.length, before);
    assertEquals(await filesIn(directory), []);
    journal.rebuild(HEAD, { epoch: 2, files: [file("a", 5)] });
    journal.append([file("b", 1)]);
    journal.close();
    assertEquals(await filesIn(directory), [file("a", 5), file("b", 1)]);
  });
});

Deno.test("a journal abandoned while it could not be written is not written by the clock", async () => {
  await withFolder(async (directory) => {
    const disk = new FaultyDisk({ nth: FIRST_APPEND, isLasting: true });
    const troubles = new Troubles();
    const journal = new ToldJournal({ directory, disk, onTrouble: troubles.onTrouble });
    journal.rebuild(HEAD, { epoch: 1, files: [] });
    // a timer that was left would fail this test as a leak
    journal.append([file("a", 1)]);
    journal.abandon();
    disk.mend();
    journal.close();
    assertEquals(troubles.heard.length, 1);
    const found = await readJournal(directory);
    assert(found.kind === "whole" && found.content.isTorn);
  });
});

Deno.test("a journal is not written while it is uncertain who owns the pipeline", async () => {
  await withFolder(async (directory) => {
    let isOwner = true;
    const rewritten = Promise.withResolvers<void>();
    const points: ProbePoint[] = [];
    const journal = new ToldJournal({
      directory,
      onTrouble: (error) => {
        throw error;
      },
      probe: (point) => {
        points.push(point);
        if (points.filter((each) => each === "journal.rename").length === 2) rewritten.resolve();
      },
    });
    journal.rebuild(HEAD, { epoch: 1, files: [], isOwner: () => isOwner });
    isOwner = false;
    const before = points.length;
    journal.append([file("a", 1)]);
    journal.append([file("a", 2)]);
    assertEquals(points.length, before);
    isOwner = true;
    await staysAlive(rewritten.promise);
    assertEquals(await filesIn(directory), [file("a", 2)]);
    isOwner = false;
    journal.append([file("a", 3)]);
    journal.close();
    assertEquals(await filesIn(directory), [file("a", 2)]);
  });
});

Deno.test("a journal whose folder is moved away is made anew where it should be", async () => {
  await withFolder(async (folder) => {
    const directory = join(folder, "p");
    const journal = new ToldJournal({
      directory,
      onTrouble: (error) => {
        throw error;
      },
    });
    journal.rebuild(HEAD, { epoch: 1, files: [] });
    await Deno.rename(directory, join(folder, "away"));
    journal.append([file("a", 1)]);
    assertEquals(await filesIn(directory), [file("a", 1)]);
    assertEquals(await filesIn(join(folder, "away")), []);
    assertEquals(localDisk.lock(join(directory, "lock")), null);
    await Deno.remove(directory, { recursive: true });
    journal.close();
    assertEquals(await filesIn(directory), [file("a", 1)]);
  });
});

Deno.test("a probe that throws at a point of the journal is a failure of that operation", async () => {
  const points: ProbePoint[] = [
    "journal.compact",
    "journal.rename",
    "journal.append",
    "journal.appended",
  ];
  const passed: ProbePoint[] = [];
  await withFolder((directory) => {
    const journal = new ToldJournal({
      directory,
      onTrouble: (error) => {
        throw error;
      },
      probe: (point) => passed.push(point),
    });
    journal.rebuild(HEAD, { epoch: 1, files: [] });
    journal.append([file("a", 1)]);
    journal.close();
    assertEquals(passed, points);
    return Promise.resolve();
  });
  for (const failing of points) {
    await withFolder(async (directory) => {
      let hasFailed = false;
      const troubles = new Troubles();
      const journal = new ToldJournal({
        directory,
        onTrouble: troubles.onTrouble,
        probe: (point) => {
          if (point !== failing || hasFailed) return;
          hasFailed = true;
          throw new Error(`probe at ${point}`);
        },
      });
      journal.rebuild(HEAD, { epoch: 1, files: [] });
      journal.append([file("a", 1)]);
      assertEquals(troubles.heard, [`Error: probe at ${failing}`]);
      const found = await readJournal(directory);
      const seen = found.kind === "whole" ? found.content.files.size : found.kind;
      const expected = { "journal.append": 0, "journal.appended": 1 }[failing as string];
      assertEquals(seen, expected ?? "missing", failing);
      assertEquals(await Deno.stat(join(directory, ".journal.jsonl.tmp")).catch(() => null), null);
      journal.close();
      assertEquals(await filesIn(directory), [file("a", 1)]);
    });
  }
});

Deno.test({
  name: "a journal on a full disk is whole again when there is room (needs the right to mount)",
  ignore: !mayMount,
  async fn() {
    await withTinyFileSystem(async ({ directory: disk, fill, makeRoom }) => {
      const directory = join(disk, "p");
      const troubles = new Troubles();
      const journal = new ToldJournal({ directory, onTrouble: troubles.onTrouble });
      journal.rebuild(HEAD, { epoch: 1, files: [] });
      fill();
      let byte = 0;
      while (troubles.heard.length === 0 && byte < 10_000) journal.append([file("a", ++byte)]);
      assert(/no space left/i.test(troubles.heard[0]!), troubles.heard[0]!);
      journal.append([file("b", 1)]);
      const found = await readJournal(directory);
      assert(found.kind === "whole", JSON.stringify(found));
      assertEquals(found.content.files.has("b"), false);
      const whole = troubles.end();
      makeRoom();
      await whole;
      assertEquals(await filesIn(directory), [file("a", byte), file("b", 1)]);
      journal.close();
      assertEquals(troubles.heard.length, 2);
    });
  },
});
