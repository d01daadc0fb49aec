/** That what is found out is done, against a real server. What is found out has tests of its own. */
import { assert, assertEquals } from "@std/assert";
import { Batcher } from "../../src/pipeline/batcher.ts";
import { CommitQueue } from "../../src/pipeline/commit_queue.ts";
import { SessionTuning } from "../../src/pipeline/session_tuning.ts";
import { Batch } from "../../src/sink/batch.ts";
import type { CommitResult } from "../../src/sink/batch_sink.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLines,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  writeEvents,
} from "../support/ingest_fixture.ts";

const TUNED = { batchRows: true, connections: true };

async function batches({ database }: IngestPlace) {
  return await database.sql<{ records: number; connections: number }[]>`
    select (loaded + rejected + duplicate)::int as records, connections
    from pgsluice.batches
    order by batch_id`;
}

ingestCase("batches begin small, grow, and stay within the limit", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 40_000)));
  await ingestOnce(place, { tuned: TUNED, limits: { rows: 6_000, sizeBytes: 1e9, lingerMs: 20 } });
  const sizes = (await batches(place)).map(({ records }) => records);
  assertEquals(sizes[0], 2_000);
  assert(sizes.every((records) => records <= 6_000), `${sizes}`);
  await verifyExact(place);
});

Deno.test("the more connections carry batches, the less each batch may hold", () => {
  const limitWith = (connections: number) => {
    const limits = { rows: 20_000, sizeBytes: 1e9, lingerMs: 20 };
    const batcher = new Batcher({ limits, poolSize: 1, offer: () => Promise.resolve() });
    const tuning = new SessionTuning({
      connections,
      tuned: { batchRows: true, connections: false },
      batcher,
      queue: {} as CommitQueue,
      openCarrier: () => Promise.reject(new Error("none was asked for")),
    });
    const batch = new Batch();
    Object.defineProperty(batch, "recordCount", { value: 20_000 });
    Object.assign(batch, { isFull: true, stages: { ...batch.stages, copyMs: 1 } });
    for (let count = 0; count < 20; count++) tuning.committed(batch);
    return batcher.limits.rows;
  };
  assertEquals([1, 2, 3, 5, 64].map(limitWith), [20_000, 20_000, 15_000, 10_000, 923]);
});

ingestCase("what is not left to be found out is done as it was said", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 20_000)));
  await ingestOnce(place, {
    connections: 1,
    tuned: { batchRows: false, connections: false },
    limits: { rows: 5_000, sizeBytes: 1e9, lingerMs: 20 },
  });
  assertEquals(
    (await batches(place)).map(({ records, connections }) => [records, connections]),
    Array.from({ length: 4 }, () => [5_000, 1]),
  );
});

ingestCase("a third connection is opened when it is tried, and carries batches", async (place) => {
  const running = ingestWatching(place, {
    connections: 3,
    tuned: TUNED,
    limits: { rows: 25, sizeBytes: 1e9, lingerMs: 20 },
  });
  let rows = 0;
  do {
    await writeEvents(place, `${rows}.csv`, csvText(eventLines(rows, rows + 2_000)));
    rows += 2_000;
    await running.heard.until(() => running.heard.loaded === rows);
  } while (!(await batches(place)).some(({ connections }) => connections === 3));
  await running.stop();
  const counts = (await batches(place)).map(({ connections }) => connections);
  assertEquals(counts[0], 2);
  assert(counts.every((count) => count === 2 || count === 3));
  await verifyExact(place);
});

ingestCase("an ingest may end while one more connection is being made", async (place) => {
  // the last batches are those that ask for it
  for (const batchCount of [23, 24, 25]) {
    const from = batchCount * 1_000;
    await writeEvents(place, `${from}.csv`, csvText(eventLines(from, from + batchCount * 25)));
    const heard = await ingestOnce(place, {
      connections: 3,
      tuned: TUNED,
      limits: { rows: 25, sizeBytes: 1e9, lingerMs: 20 },
    });
    assertEquals(heard.loaded, batchCount * 25);
  }
});

/** Carries whatever it is given, at once. */
const CARRIER = {
  processId: 1,
  async commit(_: Batch, turn: { wait(): Promise<void> }): Promise<CommitResult> {
    await turn.wait();
    return { moves: [], rejects: [], loaded: 0, duplicate: 0 };
  },
};

Deno.test("a connection that is refused is done without", async () => {
  const batcher = new Batcher({
    limits: { rows: 25, sizeBytes: 1e9, lingerMs: 20 },
    poolSize: 1,
    offer: () => Promise.resolve(),
  });
  let openings = 0;
  const queue: CommitQueue = new CommitQueue({
    carriers: [CARRIER, CARRIER],
    blockersOf: () => Promise.resolve([]),
    onCommitted: (batch) => {
      // as a full one of 25 records; what it holds is of no account here
      Object.defineProperty(batch, "recordCount", { value: 25 });
      batch.isFull = true;
      tuning.committed(batch);
    },
    onFault: () => {},
    onFree: () => {},
  });
  const tuning = new SessionTuning({
    connections: 4,
    tuned: TUNED,
    batcher,
    queue,
    openCarrier: () => {
      openings++;
      return Promise.reject(new Error("too many connections"));
    },
  });
  try {
    for (let batch = 0; batch < 300; batch++) await queue.offer(new Batch());
    await queue.drain();
    assertEquals([openings, queue.carrierCount, queue.limit], [1, 2, 2]);
  } finally {
    queue.close();
  }
});

ingestCase("each batch is written down with where its time went", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 4_000)));
  const { batches: heard } = await ingestOnce(place, {
    connections: 1,
    limits: { rows: 1_000, sizeBytes: 1e9, lingerMs: 20 },
  });
  const rows = await place.database.sql<Record<string, number | null>[]>`
    select
      read_ms as "readMs", decode_ms as "decodeMs", queue_ms as "queueMs", copy_ms as "copyMs",
      turn_ms as "turnMs", ledger_ms as "ledgerMs", commit_ms as "commitMs"
    from pgsluice.batches
    order by batch_id`;
  assertEquals(rows.length, 4);
  for (const [index, { stages }] of heard.entries()) {
    for (const [name, ms] of Object.entries(stages)) {
      // the one piece that was read is all of the file
      const mayBeNone = name === "queueMs" || name === "turnMs" || name === "readMs" && index > 0;
      assert(mayBeNone ? ms >= 0 : ms > 0, `${name} of batch ${index}: ${ms} ms`);
    }
    const { ledgerMs: _ledgerMs, commitMs: _commitMs, ...own } = stages;
    // what was not over when the batch was written down is with the next one
    const before = heard[index - 1]?.stages;
    assertEquals({ ...rows[index] }, {
      ...own,
      ledgerMs: before?.ledgerMs ?? null,
      commitMs: before?.commitMs ?? null,
    });
  }
});
