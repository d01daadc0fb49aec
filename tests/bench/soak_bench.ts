/** An ingester at a steady rate for long: whether it grows. */
import { fromFileUrl } from "@std/path";
import { formatCount, formatDuration } from "../../src/cli/number_format.ts";
import { verifyExact } from "../support/ingest_fixture.ts";
import { until } from "../support/until.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import { openFilesOf, residentBytesOf } from "./process_usage.ts";
import { median } from "./rounds.ts";
import { freshTable } from "./target_table.ts";
import { whileIngesting } from "./watched_folder.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
const EVENTS_PER_SECOND = 2_000;
const EVENTS_PER_FILE = 1_000;
const MINUTES = 20;
/** Under `--quick`. */
const QUICK_MINUTES = 0.1;
const LOOK_MS = 1_000;
/** The first quarter warms up; what it takes then may grow by so much until the last. */
const GROWTH_GOAL = 1.05;
const MORE_FILES_GOAL = 2;

interface Look {
  readonly residentBytes: number;
  readonly openFiles: number;
}

export async function soakBench({ place, quick, say }: BenchOptions): Promise<BenchRow[]> {
  const minutes = quick ? QUICK_MINUTES : MINUTES;
  const events = minutes * 60 * EVENTS_PER_SECOND;
  const name =
    `${formatCount(EVENTS_PER_SECOND)} events a second for ${minutes} min, in files of ` +
    `${EVENTS_PER_FILE}`;
  await freshTable(place, "built-in");
  const looks: Look[] = [];
  await whileIngesting(place, async ({ pid }) => {
    const timer = setInterval(() => {
      const look = lookAt(pid);
      if (look === null) return;
      looks.push(look);
      if (looks.length % 60 === 0) say(`after ${looks.length} s: ${describe([look])}`);
    }, LOOK_MS);
    try {
      await generate(place, events);
      await until("all is loaded", async () => await loadedRows(place) === events);
    } finally {
      clearInterval(timer);
    }
  });
  await verifyExact(place);
  if (looks.length === 0) {
    return [skippedRow({ name, goal: "", why: "the system does not tell what a process takes" })];
  }
  const quarters = [0, 1, 2, 3].map((index) =>
    looks.slice(index * looks.length / 4, (index + 1) * looks.length / 4)
  );
  const [, second, , last] = quarters as [Look[], Look[], Look[], Look[]];
  const growth = middle(last, "residentBytes") / middle(second, "residentBytes");
  const moreFiles = middle(last, "openFiles") - middle(second, "openFiles");
  return [{
    name: `resident memory and open files, ${name}`,
    goal: `last quarter ${GROWTH_GOAL}x of the second or less`,
    figure: `${growth.toFixed(3)}x; by quarter ${quarters.map(describe).join("; ")}; looked at ` +
      `every ${formatDuration(LOOK_MS)}`,
    met: growth <= GROWTH_GOAL && moreFiles <= MORE_FILES_GOAL,
  }];
}

async function loadedRows({ database: { sql } }: BenchPlace): Promise<number> {
  const [row] = await sql<{ loaded: number }[]>`
    select coalesce(sum(loaded), 0)::float8 as loaded from pgsluice.files`;
  return row!.loaded;
}

async function generate(place: BenchPlace, events: number): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "-A",
      MAIN,
      "generate",
      `--out=${place.events}`,
      `--events=${events}`,
      `--rate=${EVENTS_PER_SECOND}`,
      `--rows-per-file=${EVENTS_PER_FILE}`,
      "--seed=1",
      "--quiet",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) {
    throw new Error(`generate ended with ${code}: ${new TextDecoder().decode(stderr)}`);
  }
}

function lookAt(pid: number): Look | null {
  const residentBytes = residentBytesOf(pid);
  const openFiles = openFilesOf(pid);
  return residentBytes === null || openFiles === null ? null : { residentBytes, openFiles };
}

function middle(looks: readonly Look[], what: keyof Look): number {
  return median(looks.map((look) => look[what]));
}

function describe(looks: readonly Look[]): string {
  const megabytes = middle(looks, "residentBytes") / 1e6;
  return `${megabytes.toFixed(0)} MB, ${middle(looks, "openFiles")} files`;
}
