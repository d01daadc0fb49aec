import { assertEquals, assertRejects } from "@std/assert";
import { sqlState } from "../../src/database/fault.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { Batch } from "../../src/sink/batch.ts";
import { RecentKeys } from "../../src/sink/recent_keys.ts";
import { type LoadRoute, RowLoader } from "../../src/sink/row_loader.ts";
import type { SortedRows } from "../../src/sink/sort_out.ts";
import { csvText, eventLine, eventLines } from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { csvBatch } from "./csv_batch.ts";

const OPTIONS = { schema: USER_EVENTS, table: "user_events" };

/** What became of a batch, without what differs from run to run. */
function told({ moves, rejects, duplicates }: SortedRows) {
  const byLine = (a: { lineNumber: number }, b: { lineNumber: number }) =>
    a.lineNumber - b.lineNumber;
  return {
    moves: moves.map(({ loaded, rejected, duplicate }) => ({ loaded, rejected, duplicate })),
    rejects: rejects.map(({ lineNumber, code, key, reason }) => ({ lineNumber, code, key, reason }))
      .sort(byLine),
    duplicates: [...duplicates].sort(byLine),
  };
}

/** Rows, lines and all, of a fresh table after two batches, the second by this route. */
async function afterSecond(second: string, route: LoadRoute) {
  await using database = await testDatabase({ setUp: true });
  const loader = new RowLoader({ ...OPTIONS, recentKeys: new RecentKeys() });
  const load = (batch: Batch, route: LoadRoute) =>
    database.sql.begin((transaction) => loader.load(transaction, { batch, route }));
  await load(csvBatch(csvText(eventLines(0, 200)), { fileId: 1 }), "copy");
  const sorted = await load(csvBatch(second, { fileId: 2 }), route);
  const rows = await database.sql<{ line: string }[]>`
    select (event_id, file_id, line_number, price, product_name)::text as line
    from user_events order by 1`;
  return { ...told(sorted), rows: rows.map(({ line }) => line) };
}

Deno.test("splitting by asking tells the same of a batch as staging does", async () => {
  const second = csvText([
    ...eventLines(300, 340),
    eventLine(5), // in the table
    eventLine(6, { price: "99.00" }), // in the table with another price
    ...eventLines(150, 250), // half of them in the table
    eventLine(301), // in this batch, before
    eventLine(302, { price: "0.00" }),
    eventLine(400),
    eventLine(400),
    eventLine(400, { price: "1.00" }),
    ...eventLines(500, 520).reverse(),
  ]);
  const asked = await afterSecond(second, "ask");
  assertEquals(asked, await afterSecond(second, "staging"));
  assertEquals(asked.moves, [{ loaded: 40 + 50 + 1 + 20, rejected: 3, duplicate: 53 }]);
});

Deno.test("splitting by asking takes batches of which all is new, and of which nothing is", async () => {
  for (const second of [eventLines(300, 400), eventLines(0, 50), eventLines(50, 200).reverse()]) {
    const text = csvText(second);
    assertEquals(await afterSecond(text, "ask"), await afterSecond(text, "staging"));
  }
});

Deno.test("a key that an older batch brings, not yet committed, is no fault of the younger", async () => {
  await using database = await testDatabase({ setUp: true });
  const recentKeys = new RecentKeys();
  const older = csvBatch(csvText(eventLines(0, 50)), { fileId: 1 });
  const younger = csvBatch(csvText([...eventLines(40, 60), eventLine(3, { price: "7.00" })]), {
    fileId: 2,
  });
  recentKeys.enter(older);
  recentKeys.enter(younger);
  const isLoaded = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const olderDone = database.sql.begin(async (transaction) => {
    await new RowLoader({ ...OPTIONS, recentKeys })
      .load(transaction, { batch: older, route: "copy" });
    isLoaded.resolve();
    await mayCommit.promise;
  });
  await isLoaded.promise;
  const [first] = await database.sql.begin(async (transaction) => {
    const [backend] = await transaction<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const sorted = new RowLoader({ ...OPTIONS, recentKeys })
      .load(transaction, { batch: younger, route: "split" });
    // the staged rows wait for the older batch; the straight ones did not
    for (;;) {
      const [row] = await database.sql<{ waits: boolean }[]>`
        select cardinality(pg_blocking_pids(${backend!.pid})) > 0 as waits`;
      if (row!.waits) break;
    }
    mayCommit.resolve();
    return [await sorted];
  });
  await olderDone;
  assertEquals(told(first!).moves, [{ loaded: 10, rejected: 1, duplicate: 10 }]);
});

Deno.test("a younger batch that is quicker does not put an older one's keys there first", async () => {
  await using database = await testDatabase({ setUp: true });
  const recentKeys = new RecentKeys();
  const older = csvBatch(csvText(eventLines(0, 50)), { fileId: 1 });
  const younger = csvBatch(csvText(eventLines(40, 60)), { fileId: 2 });
  recentKeys.enter(older);
  recentKeys.enter(younger);
  const olderDone = Promise.withResolvers<void>();
  const isStaged = Promise.withResolvers<void>();
  const youngerDone = database.sql.begin((transaction) =>
    new RowLoader({ ...OPTIONS, recentKeys }).load(transaction, {
      batch: younger,
      route: "split",
      olderCommitted: () => {
        isStaged.resolve();
        return olderDone.promise;
      },
    })
  );
  await Promise.race([isStaged.promise, youngerDone]);
  // the older one begins only now, and waits for nobody
  await database.sql.begin(async (transaction) => {
    await transaction`set local lock_timeout = '5s'`;
    await new RowLoader({ ...OPTIONS, recentKeys })
      .load(transaction, { batch: older, route: "copy" });
  });
  olderDone.resolve();
  assertEquals(told(await youngerDone).moves, [{ loaded: 10, rejected: 0, duplicate: 10 }]);
});

Deno.test("splitting remembers what the last batches brought, and the table refuses the rest", async () => {
  await using database = await testDatabase({ setUp: true });
  const recentKeys = new RecentKeys();
  const loader = new RowLoader({ ...OPTIONS, recentKeys });
  const load = async (lines: string[], fileId: number) => {
    const batch = csvBatch(csvText(lines), { fileId });
    recentKeys.enter(batch);
    try {
      const transaction = database.sql.begin((sql) => loader.load(sql, { batch, route: "split" }));
      return told(await transaction).moves[0];
    } finally {
      recentKeys.leave(batch);
    }
  };
  const fresh = { loaded: 10, rejected: 0, duplicate: 0 };
  assertEquals(await load(eventLines(0, 10), 1), fresh);
  for (let file = 2; file < 5; file++) {
    assertEquals(await load(eventLines(10 * file, 10 * file + 10), file), fresh);
  }
  // of the batch before last, and of one that is four back
  assertEquals(await load([...eventLines(30, 35), ...eventLines(5, 10)], 5), {
    loaded: 0,
    rejected: 0,
    duplicate: 10,
  });
  for (let file = 6; file < 9; file++) {
    assertEquals(await load(eventLines(10 * file, 10 * file + 10), file), fresh);
  }
  // more than four back: only asking would tell
  const error = await assertRejects(() => load(eventLines(20, 21), 9), Error);
  assertEquals(sqlState(error), "23505");
});
