import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeJournal, encodeFiles, encodeHead } from "../../src/checkpoint/journal_codec.ts";

const HEAD = {
  pipeline: "default",
  identity: "6f1c8f3e-93a4-4a0c-9df7-1d1c1b8a0001",
  source: "/data/events",
  table: "user_events",
};

function file(path: string, committedByte: number) {
  return { path, generation: 1, committedByte, committedLine: committedByte / 10, revision: 0 };
}

const TEXT = encodeHead(HEAD, 3) +
  encodeFiles([file("a.csv", 100), file('odd","sum":"ab"}\n.csv', 20)], { seq: 1, epoch: 3 }) +
  encodeFiles([file("a.csv", 250)], { seq: 2, epoch: 3 });

Deno.test("a journal is read as it was written; a later line wins", () => {
  const { head, epoch, files, isTorn } = decodeJournal(TEXT);
  assertEquals(head, HEAD);
  assertEquals(epoch, 3);
  assertEquals(isTorn, false);
  assertEquals(files.get("a.csv"), file("a.csv", 250));
  assertEquals(files.get('odd","sum":"ab"}\n.csv')?.committedByte, 20);
});

Deno.test("a journal cut anywhere in its last line is torn, and holds what came before", () => {
  const lastLine = TEXT.lastIndexOf("\n", TEXT.length - 2) + 1;
  for (let end = lastLine + 1; end < TEXT.length; end++) {
    const { files, isTorn } = decodeJournal(TEXT.slice(0, end));
    assert(isTorn);
    assertEquals(files.get("a.csv")?.committedByte, 100);
  }
});

Deno.test("damage to a journal is named with its line", () => {
  const [head, first, second] = TEXT.split("\n") as [string, string, string];
  const cases: [string, string, string][] = [
    ["an empty journal", "", "line 1: the journal's first line is missing"],
    ["another format", head.replace("journal/1", "journal/9") + "\n", "line 1: its checksum"],
    ["a changed digit", `${head}\n${first.replace("100", "900")}\n`, "line 2: its checksum"],
    ["a line lost", `${head}\n${second}\n`, "line 2: sequence number 2, expected 1"],
    ["a line twice", `${head}\n${first}\n${first}\n`, "line 3: sequence number 1, expected 2"],
    ["a line that is no journal line", `${head}\nhello\n`, "line 2: no journal line"],
    ["a line of NULs, as some file systems leave", `${head}\n\0\0\0\n`, "line 2: no journal line"],
  ];
  for (const [name, text, message] of cases) {
    const error = assertThrows(() => decodeJournal(text), SyntaxError);
    assert(error.message.startsWith(message), `${name}: ${error.message}`);
  }
});
