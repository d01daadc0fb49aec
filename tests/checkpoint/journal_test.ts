import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { keptJournalName } from "../../src/checkpoint/journal.ts";
import { readJournal } from "../../src/checkpoint/read_journal.ts";
import { ToldJournal } from "./told_journal.ts";

const HEAD = { pipeline: "p", identity: "id", source: "/s", table: "t" };

function file(path: string, committedByte: number) {
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

function failOnTrouble(error: unknown): void {
  throw new Error(`unexpected trouble: ${error}`);
}

Deno.test("a journal that was appended to is read back whole", async () => {
  await withFolder(async (directory) => {
    const journal = new ToldJournal({ directory: join(directory, "p"), onTrouble: failOnTrouble });
    journal.rebuild(HEAD, { epoch: 2, files: [file("a.csv", 5)] });
    journal.append([file("a.csv", 9)]);
    journal.append([file("b.csv", 7)]);
    journal.close();
    const found = await readJournal(join(directory, "p"));
    assert(found.kind === "whole");
    assertEquals(found.content.epoch, 2);
    assertEquals([...found.content.files.values()], [file("a.csv", 9), file("b.csv", 7)]);
  });
});

Deno.test("a missing journal is missing, a damaged one is kept beside the new one", async () => {
  await withFolder(async (directory) => {
    assertEquals(await readJournal(directory), { kind: "missing" });
    assertEquals(await readJournal(join(directory, "none", "p")), { kind: "missing" });
    await Deno.writeTextFile(join(directory, "journal.jsonl"), "garbage\n");
    assertEquals(await readJournal(join(directory, "journal.jsonl", "p")), { kind: "missing" });
    assertEquals((await readJournal(directory)).kind, "damaged");
    const keepAs = keptJournalName("damaged", new Date());
    const journal = new ToldJournal({ directory, onTrouble: failOnTrouble });
    journal.rebuild(HEAD, { epoch: 1, files: [], keepAs });
    journal.close();
    assertEquals(await Deno.readTextFile(join(directory, keepAs)), "garbage\n");
    assertEquals((await readJournal(directory)).kind, "whole");
  });
});

Deno.test("a journal stays small however often it is appended to", async () => {
  await withFolder(async (directory) => {
    const journal = new ToldJournal({ directory, onTrouble: failOnTrouble });
    journal.rebuild(HEAD, { epoch: 1, files: [] });
    for (let byte = 1; byte <= 25_000; byte++) journal.append([file("a.csv", byte)]);
    journal.close();
    const { size } = await Deno.stat(join(directory, "journal.jsonl"));
    assert(size < 3_000_000, `${size} bytes`);
    const found = await readJournal(directory);
    assert(found.kind === "whole");
    assertEquals(found.content.files.get("a.csv")?.committedByte, 25_000);
  });
});

Deno.test("a journal that cannot be written says so once, and does not stop the load", async () => {
  await withFolder(async (directory) => {
    await Deno.writeTextFile(join(directory, "file"), "");
    const troubles: unknown[] = [];
    const journal = new ToldJournal({
      directory: join(directory, "file", "p"),
      onTrouble: (error) => troubles.push(error),
    });
    journal.rebuild(HEAD, { epoch: 1, files: [] });
    journal.append([file("a.csv", 1)]);
    journal.append([file("a.csv", 2)]);
    journal.close();
    assertEquals(troubles.length, 1);
    assert(troubles[0] instanceof Error);
  });
});

Deno.test("two processes do not write one journal", async () => {
  await withFolder(async (directory) => {
    const first = new ToldJournal({ directory, onTrouble: failOnTrouble });
    first.rebuild(HEAD, { epoch: 1, files: [file("a.csv", 1)] });
    const script = `
      import { ToldJournal } from ${JSON.stringify(import.meta.resolve("./told_journal.ts"))};
      const journal = new ToldJournal({
        directory: ${JSON.stringify(directory)},
        onTrouble: (error) => console.log(String(error)),
      });
      journal.rebuild(${JSON.stringify(HEAD)}, { epoch: 9, files: [] });
      journal.close();`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--config", new URL("../../deno.json", import.meta.url).pathname, script],
    }).output();
    assert(new TextDecoder().decode(stdout).includes("another process writes the journal"));
    first.close();
    const found = await readJournal(directory);
    assert(found.kind === "whole");
    assertEquals(found.content.epoch, 1);
  });
});

async function contentOf(directory: string) {
  const found = await readJournal(directory);
  assert(found.kind === "whole");
  return found.content;
}

Deno.test("a journal that is gone on with grows, and tells the new epoch at once", async () => {
  await withFolder(async (directory) => {
    const first = new ToldJournal({ directory, onTrouble: failOnTrouble });
    first.rebuild(HEAD, { epoch: 1, files: [file("a.csv", 5)] });
    first.close();
    const path = join(directory, "journal.jsonl");
    const before = await Deno.readTextFile(path);
    const { ino } = await Deno.stat(path);

    const second = new ToldJournal({ directory, onTrouble: failOnTrouble });
    second.resume(await contentOf(directory), { epoch: 2 });
    assertEquals((await contentOf(directory)).epoch, 2);
    second.append([file("b.csv", 7)]);
    second.close();
    const { epoch, files, lineCount, sizeBytes } = await contentOf(directory);
    assertEquals({ epoch, lineCount }, { epoch: 2, lineCount: 4 });
    assertEquals([...files.values()], [file("a.csv", 5), file("b.csv", 7)]);
    assert((await Deno.readTextFile(path)).startsWith(before));
    assertEquals(await Deno.stat(path).then(({ ino, size }) => ({ ino, size })), {
      ino,
      size: sizeBytes,
    });
  });
});

Deno.test("a journal that was written to behind what was read is written whole", async () => {
  await withFolder(async (directory) => {
    const first = new ToldJournal({ directory, onTrouble: failOnTrouble });
    first.rebuild(HEAD, { epoch: 1, files: [file("a.csv", 5)] });
    const content = await contentOf(directory);
    first.append([file("a.csv", 9)]);
    first.abandon();

    const second = new ToldJournal({ directory, onTrouble: failOnTrouble });
    second.resume(content, { epoch: 2 });
    second.append([file("b.csv", 7)]);
    second.close();
    const { epoch, files } = await contentOf(directory);
    assertEquals(epoch, 2);
    assertEquals([...files.values()], [file("a.csv", 5), file("b.csv", 7)]);
  });
});

Deno.test("a journal that is gone by the time it is gone on with is written whole", async () => {
  await withFolder(async (directory) => {
    const first = new ToldJournal({ directory, onTrouble: failOnTrouble });
    first.rebuild(HEAD, { epoch: 1, files: [file("a.csv", 5)] });
    const content = await contentOf(directory);
    first.close();
    await Deno.remove(join(directory, "journal.jsonl"));
    const troubles: unknown[] = [];
    const second = new ToldJournal({ directory, onTrouble: (error) => troubles.push(error) });
    second.resume(content, { epoch: 2 });
    second.close();
    assertEquals([...(await contentOf(directory)).files.values()], [file("a.csv", 5)]);
    assertEquals(troubles.map((trouble) => trouble === null ? "well" : "ill"), ["ill", "well"]);
  });
});

Deno.test("a journal written whole has no file with which nothing was done yet", async () => {
  await withFolder(async (directory) => {
    const journal = new ToldJournal({ directory, onTrouble: failOnTrouble });
    const reloaded = { ...file("reloaded.csv", 0), generation: 2 };
    const moved = { ...file("moved.csv", 0), revision: 1 };
    const begun = file("a.csv", 5);
    const files = [file("entered.csv", 0), reloaded, moved, begun];
    journal.rebuild(HEAD, { epoch: 1, files });
    journal.close();
    assertEquals([...(await contentOf(directory)).files.values()], [reloaded, moved, begun]);
  });
});
