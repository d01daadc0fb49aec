import type { BenchPlace } from "./bench_place.ts";
import type { Datasets } from "./datasets.ts";

/** What every bench is given. */
export interface BenchOptions {
  /** Small sizes: the whole bench takes less than 3 minutes. */
  readonly quick: boolean;
  /** So often both sides of a comparison are measured, in turn. */
  readonly rounds: number;
  /** How many events, of those that can do with fewer than are meant; null for these. */
  readonly events: number | null;
  /** A database of its own on the bench's server. */
  readonly place: BenchPlace;
  readonly datasets: Datasets;
  /** Tells a person how far it is. */
  say(text: string): void;
}
