import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import type { OnReplaced } from "../../src/pipeline/ingest_options.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLines,
  folderSource,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { keylessCsv, keylessLines } from "../support/keyless_csv.ts";
import { ledgerFile, ledgerFiles, rowCount } from "../support/ledger_files.ts";

/** Lines of 10 kB, of which a file has three blocks of 1 MiB and more. */
const WIDE_LINES = 400;

/** Wide lines, some of them with another price. */
function wideCsv(lineCount: number, isOther: (line: number) => boolean = () => false): string {
  const name = "lamp ".repeat(2_000);
  const lines = keylessLines(0, lineCount)
    .map((line, index) => `${isOther(index) ? line.replace("1.00", "2.00") : line},${name}`);
  return keylessCsv(lines).replace("event_timestamp", "event_timestamp,product_name");
}

/** What was loaded of a keyless file, and what it is replaced by. */
const REPLACEMENTS: readonly [how: string, before: string, after: string][] = [
  ["longer", keylessCsv(keylessLines(0, 5)), keylessCsv(keylessLines(5, 15))],
  ["shorter", keylessCsv(keylessLines(0, 5)), keylessCsv(keylessLines(5, 7))],
  [
    "of the same size",
    keylessCsv(keylessLines(0, 5)),
    keylessCsv(keylessLines(0, 5, "2.00")),
  ],
  [
    "longer, and other only at the end of what was loaded",
    wideCsv(WIDE_LINES),
    wideCsv(WIDE_LINES + 9, (line) => line === WIDE_LINES - 1),
  ],
  [
    "of the same size, and other only past the first block",
    wideCsv(WIDE_LINES),
    wideCsv(WIDE_LINES, (line) => line === WIDE_LINES / 2),
  ],
];

async function runWith(place: IngestPlace, onReplaced: OnReplaced) {
  return await ingestOnce(place, { source: folderSource(place, { onReplaced }) });
}

function recordCount(text: string): number {
  return text.split("\n").length - 2;
}

for (const [how, before, after] of REPLACEMENTS) {
  ingestCase(
    `without keys, replaced by a file ${how}: held until somebody decides`,
    async (place) => {
      const path = join(place.events, "a.csv");
      await Deno.writeTextFile(path, before);
      await ingestOnce(place);
      await Deno.writeTextFile(path, after); // in place, as the harder case
      const heard = await runWith(place, "hold");
      assertEquals([heard.loaded, heard.troubles.length], [0, 1]);
      assertEquals((await ledgerFile(place, "a.csv")).state, "held");
      assertEquals((await runWith(place, "hold")).troubles.length, 0, "said once");
      assertEquals(await rowCount(place), recordCount(before));
      await verifyExact(place);
      // put back, it is what was loaded
      await Deno.writeTextFile(path, before);
      assertEquals((await runWith(place, "hold")).loaded, 0);
      assertEquals((await ledgerFile(place, "a.csv")).state, "done");
      await verifyExact(place);
    },
  );

  ingestCase(`without keys, replaced by a file ${how}: loaded in addition`, async (place) => {
    await writeEvents(place, "a.csv", before);
    await ingestOnce(place);
    await writeEvents(place, "a.csv", after);
    assertEquals((await runWith(place, "add")).loaded, recordCount(after));
    assertEquals(await rowCount(place), recordCount(before) + recordCount(after));
    await verifyExact(place);
  });

  ingestCase(`without keys, replaced by a file ${how}: new rows for old`, async (place) => {
    await writeEvents(place, "a.csv", before);
    await ingestOnce(place);
    await writeEvents(place, "a.csv", after);
    const heard = await runWith(place, "reload");
    assertStringIncludes(heard.notes[0]!.note, "in place of what was loaded before");
    const file = await ledgerFile(place, "a.csv");
    assertEquals([file.generation, file.state, file.loaded], [2, "done", recordCount(after)]);
    assertEquals(await rowCount(place), recordCount(after));
    await verifyExact(place);
    // and it is read on like any other
    const path = join(place.events, "a.csv");
    await Deno.writeTextFile(path, after.split("\n").at(-2) + "\n", { append: true });
    assertEquals((await runWith(place, "reload")).loaded, 1);
    await verifyExact(place);
    // its first content is no longer in the table
    await writeEvents(place, "a.csv", before);
    await runWith(place, "reload");
    assertEquals(await rowCount(place), recordCount(before));
    await verifyExact(place);
  });
}

ingestCase(
  "a longer file that took the name is read whole, not only at its ends",
  async (place) => {
    await writeEvents(place, "a.csv", wideCsv(WIDE_LINES));
    await ingestOnce(place);
    await writeEvents(place, "a.csv", wideCsv(WIDE_LINES + 9, (line) => line === WIDE_LINES / 2));
    await runWith(place, "reload");
    assertEquals(await rowCount(place, "price = 2"), 1);
    await verifyExact(place);
  },
);

ingestCase("with keys a replaced file is loaded whatever --on-replaced says", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await ingestOnce(place);
  await writeEvents(place, "a.csv", csvText(eventLines(5, 12)));
  const heard = await runWith(place, "hold");
  assertEquals([heard.loaded, heard.duplicate], [2, 5]);
  await verifyExact(place);
});

ingestCase("a held file is decided by a later run with another --on-replaced", async (place) => {
  for (const onReplaced of ["reload", "add"] as const) {
    const name = `${onReplaced}.csv`;
    const price = onReplaced === "add" ? "3.00" : "1.00";
    await writeEvents(place, name, keylessCsv(keylessLines(0, 5, price)));
    await ingestOnce(place);
    await writeEvents(place, name, keylessCsv(keylessLines(5, 8, price)));
    await runWith(place, "hold");
    assertEquals((await ledgerFile(place, name)).state, "held");
    await runWith(place, onReplaced);
    assertEquals((await ledgerFile(place, name)).loaded, 3);
  }
  assertEquals(await rowCount(place), 3 + 8);
  await verifyExact(place);
});

ingestCase("content that an earlier generation had is not loaded again", async (place) => {
  const [a, b] = [keylessCsv(keylessLines(0, 5)), keylessCsv(keylessLines(5, 10))];
  const loaded: number[] = [];
  for (const text of [a, b, a, b]) {
    await writeEvents(place, "a.csv", text);
    loaded.push((await runWith(place, "add")).loaded);
  }
  assertEquals(loaded, [5, 5, 0, 0]);
  await verifyExact(place);
});

ingestCase("a truncated file is held until it has content again", async (place) => {
  for (const onReplaced of ["hold", "reload", "add"] as const) {
    const name = `${onReplaced}.csv`;
    const path = join(place.events, name);
    const price = { hold: "1.00", reload: "2.00", add: "3.00" }[onReplaced];
    await Deno.writeTextFile(path, keylessCsv(keylessLines(0, 5, price)));
    await runWith(place, onReplaced);
    await Deno.truncate(path);
    const heard = await runWith(place, onReplaced);
    assertStringIncludes(heard.troubles[0]!.reason, "it is empty");
    assertEquals((await ledgerFile(place, name)).loaded, 5);
    await Deno.writeTextFile(path, keylessCsv(keylessLines(0, 9, price)));
    assertEquals((await runWith(place, onReplaced)).loaded, 4, "it begins with what was loaded");
    assertEquals((await ledgerFile(place, name)).state, "done");
  }
  await verifyExact(place);
});

ingestCase("a snapshot rewritten in another order loads what is new in it", async (place) => {
  const path = join(place.events, "snapshot.csv");
  let known = 50;
  await Deno.writeTextFile(path, csvText(eventLines(0, known)));
  const { heard, stop } = ingestWatching(place, { settleMs: 60 });
  await heard.until(() => heard.loaded === known);
  for (let hour = 1; hour <= 6; hour++) {
    known += 10;
    const lines = eventLines(0, known).toSorted((a, b) =>
      Number(a.slice(30, 36)) * hour % 61 - Number(b.slice(30, 36)) * hour % 61
    );
    const text = csvText(lines);
    if (hour % 2 === 0) await writeEvents(place, "snapshot.csv", text);
    else {
      // over itself, a piece at a time
      using file = await Deno.open(path, { write: true, truncate: true });
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length; at += 999) await file.write(bytes.slice(at, at + 999));
    }
    await heard.until(() => heard.loaded === known);
  }
  await stop();
  assertEquals(await rowCount(place), known);
  assertEquals((await ledgerFiles(place)).filter(({ rejected }) => rejected > 0), []);
  await verifyExact(place);
});

ingestCase("a file that failed with its first rows rejected may be corrected", async (place) => {
  const wrong = Array.from({ length: 1_500 }, () => "x,y,z,w,v");
  await writeEvents(place, "a.csv", keylessCsv(wrong));
  await ingestOnce(place);
  assertEquals((await ledgerFile(place, "a.csv")).state, "failed");
  await writeEvents(place, "a.csv", keylessCsv(keylessLines(0, 5)));
  const heard = await runWith(place, "hold");
  assertEquals(heard.loaded, 5, "nothing of it was in the table, so nothing can be there twice");
  await verifyExact(place);
});

ingestCase("a double that changes is held, for what it had is another file's", async (place) => {
  await writeEvents(place, "a.csv", keylessCsv(keylessLines(0, 5)));
  await writeEvents(place, "b.csv", keylessCsv(keylessLines(0, 5)));
  await ingestOnce(place);
  await writeEvents(place, "b.csv", keylessCsv(keylessLines(0, 6)));
  assertEquals((await runWith(place, "reload")).loaded, 0);
  assertEquals((await ledgerFile(place, "b.csv")).state, "held");
  assertEquals(await rowCount(place), 5);
  await writeEvents(place, "b.csv", keylessCsv([...keylessLines(0, 5), keylessLines(6, 7)[0]!]));
  assertEquals((await runWith(place, "add")).loaded, 6);
  await verifyExact(place);
});
