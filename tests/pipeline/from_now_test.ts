import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLine,
  eventLines,
  folderSource,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { ledgerFile, ledgerFiles, rowCount } from "../support/ledger_files.ts";

function fromNow(place: IngestPlace, change: { once?: boolean } = {}) {
  return { source: folderSource(place, { fromNow: true, ...change }) };
}

ingestCase("--from now passes over what is there, and loads what comes", async (place) => {
  for (let file = 0; file < 12; file++) {
    await writeEvents(place, `old ${file}.csv`, csvText([eventLine(file)]));
  }
  const { heard, stop } = ingestWatching(place, fromNow(place, { once: false }));
  await heard.until(() => heard.notes.length > 0);
  assertEquals(heard.notes, [{
    path: place.events,
    note: "12 files that are there already are passed over (--from now)",
  }]);
  await writeEvents(place, "new.csv", csvText(eventLines(100, 103)));
  await heard.until(() => heard.loaded === 3);
  await stop();
  const states = (await ledgerFiles(place)).map(({ state }) => state);
  assertEquals(states.filter((state) => state === "skipped").length, 12);
  assertEquals(await rowCount(place), 3);
  await verifyExact(place);
});

ingestCase("a later start with --from now loads what came in between", async (place) => {
  await writeEvents(place, "old.csv", csvText([eventLine(0)]));
  await ingestOnce(place, fromNow(place));
  await writeEvents(place, "between.csv", csvText([eventLine(1)]));
  const heard = await ingestOnce(place, fromNow(place));
  assertEquals(heard.loaded, 1);
  assertStringIncludes(heard.notes[0]!.note, "--from now has no effect");
  await verifyExact(place);
});

ingestCase("so it does if the folder was empty at the first start", async (place) => {
  await ingestOnce(place, fromNow(place));
  await writeEvents(place, "between.csv", csvText([eventLine(1)]));
  assertEquals((await ingestOnce(place, fromNow(place))).loaded, 1);
});

ingestCase("a skipped file stays out when it grows, which is said once", async (place) => {
  const path = join(place.events, "old.csv");
  await Deno.writeTextFile(path, csvText([eventLine(0)]));
  await ingestOnce(place, fromNow(place));
  const notes: string[] = [];
  for (const number of [1, 2]) {
    await Deno.writeTextFile(path, eventLine(number) + "\n", { append: true });
    const heard = await ingestOnce(place);
    assertEquals(heard.loaded, 0);
    notes.push(...heard.notes.map(({ note }) => note));
  }
  assertEquals(notes.length, 1);
  assertStringIncludes(notes[0]!, "it has changed since, and is not loaded");
  assertEquals((await ledgerFile(place, "old.csv")).state, "skipped");
  await verifyExact(place);
});

ingestCase("a new file under the name of a skipped one is loaded", async (place) => {
  await writeEvents(place, "latest.csv", csvText(eventLines(0, 5)));
  await ingestOnce(place, fromNow(place));
  await writeEvents(place, "latest.csv", csvText(eventLines(5, 12)));
  assertEquals((await ingestOnce(place)).loaded, 7);
  assertEquals((await ledgerFile(place, "latest.csv")).generation, 2);
  await verifyExact(place);
});
