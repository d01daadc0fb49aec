/** pgsluice as users run it: a process of its own, its start included. */
import { fromFileUrl, join } from "@std/path";
import type { BenchPlace } from "./bench_place.ts";
import {
  type ProcessRun,
  runProcess,
  type WatchedProcess,
  watchProcess,
} from "./watched_process.ts";

/** As in `pgsluice service print`. */
const SERVICE_ENVIRONMENT = { MALLOC_ARENA_MAX: "2" };

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

/**
 * Loads what is in the folder, with the defaults.
 * @param flags besides those
 * @throws if it fails
 */
export async function ingestProcess(
  place: BenchPlace,
  directory: string,
  flags: readonly string[] = [],
): Promise<ProcessRun> {
  return await runProcess(Deno.execPath(), {
    args: [...ingestArguments(place, directory), "--once", ...flags],
    cwd: place.home,
  });
}

/** Watches the folder until it is signalled, with the environment that the service has. */
export function watchingProcess(place: BenchPlace, directory: string): WatchedProcess {
  return watchProcess(Deno.execPath(), {
    args: ingestArguments(place, directory),
    cwd: place.home,
    env: SERVICE_ENVIRONMENT,
  });
}

function ingestArguments(place: BenchPlace, directory: string): string[] {
  return [
    "run",
    "--quiet",
    "-A",
    "--v8-flags=--max-semi-space-size=1,--heap-growing-percent=50", // as the README says
    MAIN,
    "ingest",
    directory,
    "--no-wait",
    "--quiet",
    `--database=${place.database.url}`,
    `--checkpoints=${join(place.home, "checkpoints")}`,
  ];
}
