import { assertEquals } from "@std/assert";
import { connect } from "../../src/database/connect.ts";
import { readPulse } from "../../src/status/read_pulse.ts";
import { StatusWatch } from "../../src/status/status_watch.ts";
import { WatchSession } from "../../src/status/watch_session.ts";
import { activityOf } from "../../src/status/activity.ts";
import { PAST_SECONDS } from "../../src/status/watch_picture.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLine,
  eventLines,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  writeEvents,
} from "../support/ingest_fixture.ts";

async function withSession(
  place: IngestPlace,
  use: (session: WatchSession) => Promise<void>,
): Promise<void> {
  const client = await connect(place.database.target, { applicationName: "test" });
  const session = new WatchSession(client, {
    checkpointsDirectory: `${place.home}/checkpoints`,
    intervalMs: 0,
  });
  try {
    await use(session);
  } finally {
    await session.close();
  }
}

ingestCase(
  "a picture has what is committed, its rejects by code, and what waits",
  async (place) => {
    const old = eventLine(0, { price: "1.005" });
    await writeEvents(place, "a.csv", csvText([...eventLines(1, 50), old, old, "1,2"]));
    await writeEvents(place, "b.csv", csvText(eventLines(40, 60)));
    await ingestOnce(place);
    await writeEvents(place, "c.csv", csvText(eventLines(60, 70)));
    await withSession(place, async (session) => {
      const { pipelines, standbys } = (await session.read())!;
      const { totals, folder, journal, hasOwner } = pipelines[0]!;
      assertEquals([standbys, hasOwner, journal!.kind], [0, false, "level"]);
      const { loaded, rejected, duplicate, filesByState, rejectCodes, latency } = totals!;
      assertEquals(
        { loaded, rejected, duplicate, filesByState },
        { loaded: 59, rejected: 3, duplicate: 10, filesByState: { done: 2 } },
      );
      assertEquals(rejectCodes.map(({ count }) => count), [2, 1]);
      assertEquals(latency!.medianMs <= latency!.p95Ms, true);
      assertEquals([folder!.backlog!.files, folder!.isUnfinished], [1, false]);
    });
  },
);

ingestCase(
  "what a session adds up of the last seconds is what was committed in them",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 50)));
    await ingestOnce(place);
    const { sql } = place.database;
    // three seconds ago, as long ago as is shown, longer ago
    for (const secondsAgo of [3, PAST_SECONDS - 1, PAST_SECONDS + 30]) {
      await sql`
      insert into pgsluice.batches (
        pipeline_id, epoch, files, bytes, loaded, rejected, duplicate, route, elapsed_ms, copy_ms,
        committed_at
      )
      select
        pipeline_id, 1, 1, 1000, 10, 2, 3, 'copy', 1, 1,
        clock_timestamp() - make_interval(secs => ${secondsAgo})
      from pgsluice.pipelines`;
    }
    // the real batch is of this second or the last ones
    await sql`delete from pgsluice.batches where loaded = 50`;
    const first = (await readPulse(sql, { pipeline: null, floor: 0 }))!;
    const { past } = first.pipelines[0]!;
    assertEquals(past.length, PAST_SECONDS);
    const records = past.map((second) => second.records);
    assertEquals(records.filter((count) => count > 0), [15, 15]);
    assertEquals(past.find((second) => second.records > 0), {
      records: 15,
      sizeBytes: 1000,
      rejected: 2,
      duplicate: 3,
      batches: 1,
    });
    // the floor leaves out what is too old, and only that
    const [old] = await sql<{ id: number }[]>`
    select max(batch_id)::float8 as id from pgsluice.batches`;
    assertEquals(first.floor, old!.id);
    const second = (await readPulse(sql, { pipeline: "default", floor: 0 }))!;
    assertEquals(second.pipelines[0]!.past.some(({ records }) => records > 0), true);
    assertEquals((await readPulse(sql, { pipeline: "none", floor: 0 }))!.pipelines, []);
  },
);

ingestCase("an owner, and an ingester that stands by for it, are seen", async (place) => {
  const owner = ingestWatching(place);
  await owner.heard.until(() => owner.heard.starts === 1);
  const other = ingestWatching(place, { noWait: false });
  await other.heard.until(() => other.heard.standbys === 1);
  await withSession(place, async (session) => {
    const { pipelines, standbys } = (await session.read())!;
    assertEquals([pipelines[0]!.hasOwner, standbys], [true, 1]);
  });
  await other.stop();
  await owner.stop();
});

ingestCase("a last record without a newline is why a backlog waits", async (place) => {
  const running = ingestWatching(place, { settleMs: 3_600_000 });
  await writeEvents(place, "a.csv", csvText(eventLines(0, 5)) + eventLine(5));
  await running.heard.until(() => running.heard.loaded === 5);
  await withSession(place, async (session) => {
    const { pipelines, atMs } = (await session.read())!;
    const pipeline = pipelines[0]!;
    assertEquals(pipeline.folder!.isUnfinished, true);
    assertEquals(activityOf(pipeline, atMs + 60_000), "unfinished");
  });
  await running.stop();
});

ingestCase("a watch begins before there is a ledger", async (place) => {
  const watch = new StatusWatch({
    target: place.database.target,
    checkpointsDirectory: `${place.home}/checkpoints`,
    intervalMs: 100,
    say: () => {},
  });
  try {
    await watch.look();
    assertEquals(watch.view(), { picture: null, ageMs: 0, outage: null });
    await ingestOnce(place);
    await watch.look();
    assertEquals(watch.view().picture!.pipelines.map(({ name }) => name), ["default"]);
  } finally {
    await watch.close();
  }
});
