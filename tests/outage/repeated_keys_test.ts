import { assert, assertEquals } from "@std/assert";
import {
  csvText,
  eventLine,
  ingestOnce,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";

const ROWS = 60_000;
/** What is promised on a machine that has the time, and what is taken for a stall on one that has not. */
const LONGEST_GAP_MS = 1_000;
const SLOW_MACHINE = 4;

/** Loads one file on four connections. @returns the gaps between its commits, in ms */
async function loadOn4(keyOf: (number: number) => number): Promise<{
  gapsMs: number[];
  summary: string;
}> {
  let result: { gapsMs: number[]; summary: string } | null = null;
  await withPlace(await testDatabase(), async (place) => {
    const lines = Array.from(
      { length: ROWS },
      // a repeat is the very event that came before
      (_, number) => eventLine(keyOf(number)),
    );
    await writeEvents(place, "a.csv", csvText(lines));
    await ingestOnce(place, {
      connections: 4,
      limits: { rows: 1_000, sizeBytes: 1e9, lingerMs: 20 },
    });
    const rows = await place.database.sql<{ gap: number }[]>`
      select extract(epoch from committed_at - lag(committed_at) over (order by committed_at))
        ::float8 * 1000 as gap
      from pgsluice.batches
      order by committed_at offset 1`;
    result = { gapsMs: rows.map(({ gap }) => gap), summary: await verifyExact(place) };
  });
  return result!;
}

Deno.test("ten per cent repeated keys on four connections, in one file, make no stall", async () => {
  const without = await loadOn4((number) => number);
  assertEquals(
    without.summary,
    `verified: ${ROWS} events = ${ROWS} loaded + 0 rejected + 0 duplicates`,
  );
  // every tenth event comes again, from a little before to far back: within a batch, in one that
  // is under way on another connection, and in one long committed
  const backs = [7, 900, 2_100, 30_000];
  const isRepeat = (number: number) => number % 10 === 9 && number > 30_000;
  const keyOf = (number: number) => {
    if (!isRepeat(number)) return number;
    const key = number - backs[Math.floor(number / 10) % backs.length]!;
    return isRepeat(key) ? key - 1 : key;
  };
  const repeats = Array.from({ length: ROWS }, (_, number) => number).filter(isRepeat).length;
  const repeated = await loadOn4(keyOf);
  assertEquals(
    repeated.summary,
    `verified: ${ROWS} events = ${ROWS - repeats} loaded + 0 rejected + ${repeats} duplicates`,
  );
  const longest = Math.max(...repeated.gapsMs);
  const longestWithout = Math.max(...without.gapsMs);
  console.log(
    `  longest gap between commits: ${Math.round(longest)} ms with 10 % repeated keys, ` +
      `${Math.round(longestWithout)} ms without`,
  );
  assert(longest < SLOW_MACHINE * Math.max(LONGEST_GAP_MS, longestWithout), `${longest} ms`);
});
