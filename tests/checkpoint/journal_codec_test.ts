import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import {
  decodeJournal,
  encodeFiles,
  encodeHead,
  type JournalContent,
  type JournalReading,
} from "../../src/checkpoint/journal_codec.ts";

const HEAD = {
  pipeline: "default",
  identity: "6f1c8f3e-93a4-4a0c-9df7-1d1c1b8a0001",
  source: "/data/events",
  table: "user_events",
};

function file(path: string, committedByte: number) {
  return { path, generation: 1, committedByte, committedLine: committedByte / 10, revision: 0 };
}

const ODD_PATH = 'odd ü\u2028\ufffd","sum":"ab"}\n.csv';
const LINES = [
  encodeHead(HEAD, 3),
  encodeFiles([file("a.csv", 100), file(ODD_PATH, 20)], { seq: 1, epoch: 3 }),
  encodeFiles([file("a.csv", 250)], { seq: 2, epoch: 4 }),
];
const BYTES = new TextEncoder().encode(LINES.join(""));

function decodeText(text: string): JournalReading {
  return decodeJournal(new TextEncoder().encode(text));
}

function wholeContent(reading: JournalReading): JournalContent {
  assert(reading.kind === "whole", JSON.stringify(reading));
  return reading.content;
}

Deno.test("a journal is read as it was written; a later line wins", () => {
  const { head, epoch, files, lineCount, isTorn } = wholeContent(decodeJournal(BYTES));
  assertEquals({ head, epoch, lineCount, isTorn }, {
    head: HEAD,
    epoch: 4,
    lineCount: 3,
    isTorn: false,
  });
  assertEquals([...files.values()], [file("a.csv", 250), file(ODD_PATH, 20)]);
});

Deno.test("a journal cut at any byte is what its whole lines say, and torn, or no journal", () => {
  const ends = [0];
  for (const line of LINES) ends.push(ends.at(-1)! + new TextEncoder().encode(line).length);
  for (let end = 0; end < BYTES.length; end++) {
    const reading = decodeJournal(BYTES.subarray(0, end));
    const lineCount = ends.filter((each) => each <= end).length - 1;
    if (lineCount === 0) {
      assertEquals(reading, {
        kind: "damaged",
        reason: "line 1: the journal's first line is missing",
        readable: null,
      });
      continue;
    }
    const content = wholeContent(reading);
    assertEquals(content, {
      ...wholeContent(decodeText(LINES.slice(0, lineCount).join(""))),
      isTorn: !ends.includes(end),
    });
  }
});

Deno.test("a journal with any one bit flipped is damaged or torn, never read as something else", () => {
  const afterLines = LINES.map((_, index) => LINES.slice(0, index + 1).join(""))
    .map((text) => wholeContent(decodeText(text)));
  for (let bit = 0; bit < BYTES.length * 8; bit++) {
    const flipped = BYTES.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const reading = decodeJournal(flipped);
    assert(reading.kind !== "newer", `bit ${bit}`);
    if (reading.kind === "whole") assert(reading.content.isTorn, `bit ${bit} was not noticed`);
    const readable = reading.kind === "whole" ? reading.content : reading.readable;
    if (readable === null) continue;
    assertEquals({ ...readable, isTorn: false }, afterLines[readable.lineCount - 1]!, `bit ${bit}`);
  }
});

Deno.test("damage to a journal is named with its line, and what is before it can be read", () => {
  const [head, first, second] = LINES as [string, string, string];
  const cases: [name: string, text: string, reason: string, readableLines: number][] = [
    ["an empty journal", "", "line 1: the journal's first line is missing", 0],
    ["another format", head.replace("journal/1", "journal/9"), "line 1: its checksum is wrong", 0],
    [
      "a changed digit",
      head + first.replace("100", "900"),
      "line 2: its checksum is wrong",
      1,
    ],
    ["a line lost", head + second, "line 2: sequence number 2, expected 1", 1],
    ["a line twice", head + first + first, "line 3: sequence number 1, expected 2", 2],
    ["a line that is no journal line", `${head}hello\n`, "line 2: no journal line", 1],
    ["NULs, as some file systems leave", `${head}\0\0\0\n`, "line 2: no journal line", 1],
  ];
  for (const [name, text, expected, readableLines] of cases) {
    const reading = decodeText(text);
    assert(reading.kind === "damaged", name);
    assertEquals(
      [reading.reason, reading.readable?.lineCount ?? 0],
      [expected, readableLines],
      name,
    );
  }
  const notText = BYTES.slice();
  notText[LINES[0]!.length + 20] = 0xff;
  const reading = decodeJournal(notText);
  assertEquals(reading.kind === "damaged" && reading.reason, "line 2: not UTF-8");
});

Deno.test("a journal of a newer format is told from a damaged one by its first line", () => {
  const body = JSON.stringify({ seq: 0, epoch: 1, format: "pgsluice-journal/2", more: true });
  const sum = createHash("sha256").update(body).digest("hex").slice(0, 16);
  const head = `${body.slice(0, -1)},"sum":"${sum}"}\n`;
  assertEquals(decodeText(`${head}whatever comes then\n`), {
    kind: "newer",
    format: "pgsluice-journal/2",
  });
});
