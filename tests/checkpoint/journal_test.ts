import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { Journal, keptJournalName } from "../../src/checkpoint/journal.ts";
import { readJournal } from "../../src/checkpoint/read_journal.ts";

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
    const journal = new Journal({ directory: join(directory, "p"), onTrouble: failOnTrouble });
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
    const journal = new Journal({ directory, onTrouble: failOnTrouble });
    journal.rebuild(HEAD, { epoch: 1, files: [], keepAs });
    journal.close();
    assertEquals(await Deno.readTextFile(join(directory, keepAs)), "garbage\n");
    assertEquals((await readJournal(directory)).kind, "whole");
  });
});

Deno.test("a journal stays small however often it is appended to", async () => {
  await withFolder(async (directory) => {
    const journal = new Journal({ directory, onTrouble: failOnTrouble });
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
    const journal = new Journal({
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
    const first = new Journal({ directory, onTrouble: failOnTrouble });
    first.rebuild(HEAD, { epoch: 1, files: [file("a.csv", 1)] });
    const script = `
      import { Journal } from ${
      JSON.stringify(import.meta.resolve("../../src/checkpoint/journal.ts"))
    };
      const journal = new Journal({
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
