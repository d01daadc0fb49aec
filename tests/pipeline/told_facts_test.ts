import { assert, assertEquals, assertGreater } from "@std/assert";
import { join } from "@std/path";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, eventLines, ingestWatching, writeEvents } from "../support/ingest_fixture.ts";

ingestCase(
  "an ingester tells that it has seen everything, and how old what it commits is",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    const modified = new Date("2026-01-02T03:04:05Z");
    await Deno.utime(join(place.events, "a.csv"), modified, modified);
    const { heard, stop } = ingestWatching(place);
    await heard.until(() => heard.scans === 1 && heard.loaded === 10);
    assertGreater(heard.turns, 0);
    assertEquals(heard.batches.flatMap(({ files }) => files), [
      { path: "a.csv", isDone: true, modifiedMs: modified.getTime() },
    ]);
    await stop();
    assertEquals(heard.scans, 1);
  },
);

ingestCase("the backlog of a folder is what waits for a table that is locked", async (place) => {
  const { heard, stop } = ingestWatching(place, { connections: 1 });
  await heard.until(() => heard.scans === 1);
  assertEquals(heard.backlog!(), { files: 0, sizeBytes: 0, oldestModifiedMs: null });
  const text = csvText(eventLines(0, 10));
  await place.database.sql.begin(async (sql) => {
    await sql`lock table user_events in share mode`;
    await writeEvents(place, "a.csv", text);
    const turns = heard.turns;
    await heard.until(() => heard.turns > turns && heard.backlog!().files > 0);
    assertEquals(heard.backlog!().sizeBytes, text.length);
  });
  await heard.until(() => heard.loaded === 10);
  await heard.until(() => heard.backlog!().files === 0);
  assertEquals(heard.backlog!().sizeBytes, 0);
  await stop();
});

ingestCase("an ingester that stands by goes on telling that it lives", async (place) => {
  const first = ingestWatching(place);
  await first.heard.until(() => first.heard.starts === 1);
  const second = ingestWatching(place, { noWait: false });
  await second.heard.until(() => second.heard.standbys === 1);
  const { turns } = second.heard;
  await second.heard.until(() => second.heard.turns > turns + 1);
  assertEquals(second.heard.starts, 0);
  assert(second.heard.backlog === null);
  await second.stop();
  await first.stop();
});
