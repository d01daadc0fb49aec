import type { BenchPlace } from "./bench_place.ts";
import { watchingProcess } from "./ingest_process.ts";
import type { WatchedProcess } from "./watched_process.ts";

/** Runs an ingester on the place's folder beside the work, and ends it. @throws if it fails */
export async function whileIngesting<T>(
  place: BenchPlace,
  work: (ingester: WatchedProcess) => Promise<T>,
): Promise<T> {
  const ingester = watchingProcess(place, place.events);
  const failed = ingester.done.then(({ code, stderr }) => {
    throw new Error(`the ingester ended with ${code}: ${stderr}`);
  });
  failed.catch(() => {}); // it always ends; only before the work does it matter
  let result: T;
  try {
    result = await Promise.race([work(ingester), failed]);
  } finally {
    ingester.kill("SIGTERM");
    await ingester.done;
  }
  const { code, stderr } = await ingester.done;
  if (code !== 0) throw new Error(`the ingester ended with ${code}: ${stderr}`);
  return result;
}

export async function emptyFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true });
  await Deno.mkdir(path);
}
