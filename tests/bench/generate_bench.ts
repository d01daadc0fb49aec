/** How fast events come to be, on disk (fsync included), as the files `generate` writes. */
import { join } from "@std/path";
import { formatCount, formatRate } from "../../src/cli/number_format.ts";
import { generateEvents, type GenerateOptions } from "../../src/generate/generate_events.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchRow } from "./bench_row.ts";
import { FIRST_EVENT } from "./datasets.ts";
import { formatRatio, interleaved, ratioOf } from "./rounds.ts";

const ROWS_PER_FILE = 20_000;
const GOAL_PER_SECOND = 500_000;
/** The fastest counts: what else the machine does can only slow it down. */
const ROUNDS = 3;
const RATE = 20_000;
const RATE_SECONDS = 4;
/** `--rate` is exact if it is off by less than this. */
const RATE_SHARE = 0.005;

interface Defects {
  readonly dirtyPercent: number;
  readonly duplicatesPercent: number;
}

interface Generated {
  readonly perSecond: number;
  readonly sizeBytes: number;
}

export async function generateBench({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const events = quick ? 400_000 : 2_000_000;
  const generate = async (defects: Defects) => {
    const generated = await generateOnce({ events, ...defects });
    say(`generated ${formatCount(events)}: ${formatRate(generated.perSecond, "events")}`);
    return generated;
  };
  const { first: spoilt, second: clean } = await interleaved(ROUNDS, {
    first: () => generate({ dirtyPercent: 2, duplicatesPercent: 5 }),
    second: () => generate({ dirtyPercent: 0, duplicatesPercent: 0 }),
  });
  const perSecond = fastest(clean);
  const ratio = ratioOf(
    spoilt.map((generated) => generated.perSecond),
    clean.map((generated) => generated.perSecond),
  );
  const megabytesPerSecond = perSecond * clean[0]!.sizeBytes / events / 1e6;
  const name = `generate ${formatCount(events)} events into files of ${formatCount(ROWS_PER_FILE)}`;
  return [{
    name,
    goal: `${formatRate(GOAL_PER_SECOND, "events")} or more`,
    figure: `${formatRate(perSecond, "events")}, ${megabytesPerSecond.toFixed(0)} MB/s`,
    met: perSecond >= GOAL_PER_SECOND,
  }, {
    name: `${name}, 2 % dirty, 5 % duplicates`,
    goal: "",
    figure: formatRate(fastest(spoilt), "events"),
    ratio: formatRatio(ratio),
    baseline: `clean: ${formatRate(perSecond, "events")}`,
    met: true,
  }, await rateRow()];
}

async function rateRow(): Promise<BenchRow> {
  const events = RATE * RATE_SECONDS;
  const written: { events: number; atMs: number }[] = [];
  await generateOnce({
    events,
    rate: RATE,
    dirtyPercent: 0,
    duplicatesPercent: 0,
    onProgress: (progress) => {
      written.push({ events: progress.events, atMs: performance.now() });
    },
  });
  // not from the start to the end: opening the folder and the last file's way to disk are no rate
  const first = written[0]!;
  const last = written.find((progress) => progress.events === events)!;
  const perSecond = (last.events - first.events) / (last.atMs - first.atMs) * 1000;
  const off = perSecond / RATE - 1;
  return {
    name: `generate --rate ${RATE} for ${RATE_SECONDS} s`,
    goal: `exact, to ${RATE_SHARE * 100} %`,
    figure: `${formatRate(perSecond, "events")}, ${(off * 100).toFixed(2)} % off`,
    met: Math.abs(off) < RATE_SHARE,
  };
}

function fastest(generated: readonly Generated[]): number {
  return Math.max(...generated.map(({ perSecond }) => perSecond));
}

/** @throws if the files do not hold what they should */
async function generateOnce(
  { events, ...options }:
    & Defects
    & Pick<GenerateOptions, "events" | "rate" | "onProgress">,
): Promise<Generated> {
  const directory = await Deno.makeTempDir({ prefix: "pgsluice-bench-" });
  try {
    const startedMs = performance.now();
    await generateEvents({
      ...options,
      events,
      rowsPerFile: ROWS_PER_FILE,
      seed: 1,
      start: FIRST_EVENT,
      schema: USER_EVENTS,
      output: { kind: "folder", directory },
    });
    const perSecond = events / (performance.now() - startedMs) * 1000;
    return { perSecond, sizeBytes: await expectRecords(directory, events) };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
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
