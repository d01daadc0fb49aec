/** How fast events come to be, on disk (fsync included), as the files `generate` writes. */
import { join } from "@std/path";
import { generateEvents } from "../../src/generate/generate_events.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { BenchRow } from "./bench_row.ts";

const ROWS_PER_FILE = 20_000;
const GOAL_PER_SECOND = 500_000;
/** The fastest counts: what else the machine does can only slow it down. */
const ROUNDS = 3;

/** The goal is for the first; the other is compared with it. */
const CASES = [
  { name: "clean", dirtyPercent: 0, duplicatesPercent: 0 },
  { name: "2 % dirty, 5 % duplicates", dirtyPercent: 2, duplicatesPercent: 5 },
] as const;

export async function generateBench(options: { quick: boolean }): Promise<BenchRow[]> {
  const events = options.quick ? 400_000 : 2_000_000;
  const rows: BenchRow[] = [];
  let cleanPerSecond: number | null = null;
  for (const { name, dirtyPercent, duplicatesPercent } of CASES) {
    let fastestPerSecond = 0;
    let sizeBytes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const directory = await Deno.makeTempDir({ prefix: "pgsluice-bench-" });
      try {
        const startedMs = performance.now();
        await generateEvents({
          events,
          rowsPerFile: ROWS_PER_FILE,
          seed: 1,
          start: new Date("2026-03-14T00:00:00Z"),
          dirtyPercent,
          duplicatesPercent,
          schema: USER_EVENTS,
          output: { kind: "folder", directory },
        });
        const perSecond = events / (performance.now() - startedMs) * 1000;
        sizeBytes = await expectRecords(directory, events);
        fastestPerSecond = Math.max(fastestPerSecond, perSecond);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    }
    const megabytesPerSecond = fastestPerSecond * sizeBytes / events / 1e6;
    rows.push({
      name: `generate ${events} events into files of ${ROWS_PER_FILE}, ${name}`,
      figure: `${Math.round(fastestPerSecond)} events/s, ${megabytesPerSecond.toFixed(0)} MB/s`,
      ...(cleanPerSecond === null
        ? {
          goal: `${GOAL_PER_SECOND} events/s or more`,
          met: fastestPerSecond >= GOAL_PER_SECOND,
        }
        : { goal: "", met: true, ratio: (fastestPerSecond / cleanPerSecond).toFixed(2) }),
    });
    cleanPerSecond ??= fastestPerSecond;
  }
  return rows;
}

/** @returns bytes of all files. @throws if they do not hold so many lines behind their headers */
async function expectRecords(directory: string, expectedCount: number): Promise<number> {
  let recordCount = 0;
  let sizeBytes = 0;
  for await (const { name } of Deno.readDir(directory)) {
    const bytes = await Deno.readFile(join(directory, name));
    sizeBytes += bytes.length;
    recordCount--;
    for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) recordCount++;
  }
  if (recordCount !== expectedCount) {
    throw new Error(`the files hold ${recordCount} records, expected ${expectedCount}`);
  }
  return sizeBytes;
}
