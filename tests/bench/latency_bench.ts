/** From the rename of a file into the folder to its rows' being visible to another connection. */
import { join } from "@std/path";
import { generateEvents } from "../../src/generate/generate_events.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { type IngestPlace, ingestWatching, verifyExact } from "../support/ingest_fixture.ts";
import type { BenchRow } from "./bench_row.ts";

const ROWS_PER_FILE = 10;
const MEDIAN_GOAL_MS = 25;

/** One file at a time, each when the one before it is visible: the ingester is idle. */
export async function latencyBench(
  place: IngestPlace,
  options: { quick: boolean },
): Promise<BenchRow[]> {
  const files = options.quick ? 100 : 300;
  const staging = join(place.home, "staging");
  await generateEvents({
    events: files * ROWS_PER_FILE,
    rowsPerFile: ROWS_PER_FILE,
    seed: 1,
    start: new Date("2026-03-14T00:00:00Z"),
    dirtyPercent: 0,
    duplicatesPercent: 0,
    schema: USER_EVENTS,
    output: { kind: "folder", directory: staging },
  });
  const names: string[] = [];
  for await (const { name } of Deno.readDir(staging)) names.push(name);
  const { heard, stop } = ingestWatching(place);
  await heard.until(() => heard.starts === 1);
  const { sql } = place.database;
  const latenciesMs: number[] = [];
  let expected = 0;
  for (const name of names.sort()) {
    expected += ROWS_PER_FILE;
    await Deno.rename(join(staging, name), join(place.events, name));
    const renamedMs = performance.now();
    for (;;) {
      const [row] = await sql<{ rows: number }[]>`select count(*)::int as rows from user_events`;
      if (row!.rows === expected) break;
    }
    latenciesMs.push(performance.now() - renamedMs);
  }
  await stop();
  await verifyExact(place);
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number) => latenciesMs[Math.floor(share * (latenciesMs.length - 1))]!;
  const median = at(0.5);
  return [{
    name: `rename of a file of ${ROWS_PER_FILE} to rows visible, idle, ${files} files`,
    goal: `median ${MEDIAN_GOAL_MS} ms or less`,
    figure: `median ${median.toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms`,
    met: median <= MEDIAN_GOAL_MS,
  }];
}
