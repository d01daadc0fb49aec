import { assertEquals } from "@std/assert";
import { compareJournal, type JournalStanding } from "../../src/checkpoint/compare_journal.ts";
import type { JournalFile } from "../../src/checkpoint/journal_codec.ts";

function files(...places: [path: string, byte: number, change?: Partial<JournalFile>][]) {
  return new Map(places.map(([path, committedByte, change]) => [
    path,
    { path, generation: 1, committedByte, committedLine: 0, revision: 0, ...change },
  ]));
}

Deno.test("how a journal stands to the ledger", () => {
  const cases: [
    name: string,
    journal: ReturnType<typeof files>,
    ledger: ReturnType<typeof files>,
    expected: JournalStanding,
  ][] = [
    ["equal", files(["a", 10]), files(["a", 10]), { kind: "level" }],
    ["a batch later", files(["a", 10]), files(["a", 20]), { kind: "behind", files: 1 }],
    ["a file more", files(["a", 10]), files(["a", 10], ["b", 1]), { kind: "behind", files: 1 }],
    ["a file not begun", files(["a", 10]), files(["a", 10], ["b", 0]), { kind: "level" }],
    [
      "lost commits",
      files(["a", 30], ["b", 5]),
      files(["a", 10], ["b", 5]),
      { kind: "ahead", files: 1, bytes: 20 },
    ],
    ["lost a file", files(["a", 30]), files(), { kind: "ahead", files: 1, bytes: 30 }],
    [
      "a newer generation in the ledger is no loss",
      files(["a", 30]),
      files(["a", 0, { generation: 2 }]),
      { kind: "behind", files: 1 },
    ],
    [
      "a move back by a stated act is no loss",
      files(["a", 30]),
      files(["a", 20, { revision: 1 }]),
      { kind: "behind", files: 1 },
    ],
    [
      "an older generation in the ledger is a loss",
      files(["a", 3, { generation: 2 }]),
      files(["a", 30]),
      { kind: "ahead", files: 1, bytes: 3 },
    ],
    [
      "a newer generation begins at revision 0, and is no loss",
      files(["a", 30, { revision: 4 }]),
      files(["a", 0, { generation: 2 }]),
      { kind: "behind", files: 1 },
    ],
    [
      "a stated act that the ledger lost, by which nothing was lost",
      files(["a", 20, { revision: 1 }]),
      files(["a", 30]),
      { kind: "ahead", files: 1, bytes: 0 },
    ],
    [
      "one file ahead among others behind",
      files(["a", 10], ["b", 9]),
      files(["a", 20], ["b", 2]),
      { kind: "ahead", files: 1, bytes: 7 },
    ],
  ];
  for (const [name, journal, ledger, expected] of cases) {
    assertEquals(compareJournal({ files: journal }, ledger), expected, name);
  }
});
