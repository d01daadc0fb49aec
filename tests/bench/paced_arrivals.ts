/** Files that arrive in a watched folder at an even pace, as others rename them into it. */
import { basename, join } from "@std/path";
import { lastKey, VisibleRows } from "./visible_rows.ts";
import type { BenchPlace } from "./bench_place.ts";
import type { Dataset } from "./datasets.ts";
import { cpuMsOf } from "./process_usage.ts";
import { type WatchedProcess } from "./watched_process.ts";

/** A process that is not there yet reads the first file within this. */
const START_TIMEOUT_MS = 60_000;
/** How long the last files may take, beyond all goals. */
const END_TIMEOUT_MS = 60_000;

export interface Arrivals {
  /** From just before a file's rename to its last row's being visible. In the order of size. */
  readonly latenciesMs: readonly number[];
  /** From the first rename until all was visible. */
  readonly spanMs: number;
  /** Of the ingester in that time; null where the system does not tell. */
  readonly cpuMs: number | null;
}

/**
 * The first file is not counted: when it is visible, the ingester watches.
 *
 * @param options.ingester watches `place.events`
 * @throws if rows do not become visible
 */
export async function arrive(
  place: BenchPlace,
  { data, filesPerSecond, ingester }: {
    data: Dataset;
    filesPerSecond: number;
    ingester: WatchedProcess;
  },
): Promise<Arrivals> {
  const staging = await Deno.makeTempDir({ dir: place.home, prefix: "staging-" });
  const arrivals: { from: string; to: string; key: string }[] = [];
  for (const file of data.files) {
    const name = basename(file);
    // a data set stays as it is for who uses it next
    await Deno.copyFile(file, join(staging, name));
    arrivals.push({
      from: join(staging, name),
      to: join(place.events, name),
      key: await lastKey(file),
    });
  }
  const { sql } = place.database;
  await renamePaced(arrivals.splice(0, 1), { sql, filesPerSecond, timeoutMs: START_TIMEOUT_MS });
  const cpuBeforeMs = cpuMsOf(ingester.pid);
  const { latenciesMs, spanMs } = await renamePaced(arrivals, {
    sql,
    filesPerSecond,
    timeoutMs: arrivals.length / filesPerSecond * 1000 + END_TIMEOUT_MS,
  });
  const cpuAfterMs = cpuMsOf(ingester.pid);
  return {
    latenciesMs: latenciesMs.toSorted((a, b) => a - b),
    spanMs,
    cpuMs: cpuBeforeMs === null || cpuAfterMs === null ? null : cpuAfterMs - cpuBeforeMs,
  };
}

async function renamePaced(
  arrivals: readonly { from: string; to: string; key: string }[],
  { sql, filesPerSecond, timeoutMs }: {
    sql: BenchPlace["database"]["sql"];
    filesPerSecond: number;
    timeoutMs: number;
  },
): Promise<{ latenciesMs: readonly number[]; spanMs: number }> {
  const rows = new VisibleRows(sql);
  const startedMs = performance.now();
  let renamed = 0;
  const seen = rows.watch({ isOver: () => renamed === arrivals.length, timeoutMs });
  const renameAll = async () => {
    for (const { from, to, key } of arrivals) {
      const dueMs = startedMs + renamed * 1000 / filesPerSecond;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      rows.expect(key, performance.now());
      Deno.renameSync(from, to);
      renamed++;
    }
  };
  await Promise.all([seen, renameAll()]);
  return { latenciesMs: rows.latenciesMs, spanMs: performance.now() - startedMs };
}

/** The latency that so large a share of the files does not pass. */
export function latencyAt({ latenciesMs }: Arrivals, share: number): number {
  return latenciesMs[Math.ceil(share * latenciesMs.length) - 1]!;
}

/** `median 3.1 ms, p99 9.8 ms, largest 12.0 ms`. */
export function latencyFigure(arrivals: Arrivals): string {
  const at = (share: number) => `${latencyAt(arrivals, share).toFixed(1)} ms`;
  return `median ${at(0.5)}, p99 ${at(0.99)}, largest ${at(1)}`;
}
