import type { BenchPlace } from "./bench_place.ts";
import type { Dataset } from "./datasets.ts";
import type { ProcessCost } from "./watched_process.ts";

/** Another way to get the same rows into the same table. */
export interface Loader {
  readonly name: string;
  /** Why it cannot run here; null if it can. May install what it needs. */
  missing(place: BenchPlace): Promise<string | null>;
  /** Loads every row of the files. @throws if it fails */
  load(place: BenchPlace, data: Dataset): Promise<ProcessCost>;
}
