import { type FileChange, generatedFiles, type InputOptions, type Truth } from "./planted_input.ts";
import { clashingEvents, plantedCsv, plantedEvents, PRICE_CUT_BYTES } from "./planted_event.ts";

/** What a lane of the kill campaign loads. */
export interface LaneInput {
  readonly changes: readonly FileChange[];
  /** How one of its files grows, each time to an end inside a price, at last to a true one. */
  readonly growths: readonly FileChange[];
  readonly records: number;
  readonly truth: Truth;
}

/** A few batches: files end often, and are moved to the archive. */
const ROWS_PER_FILE = 50;
const NO_KEY_EVENTS = 200;
const REPEATED_KEYS = 50;
const REPEATS = 4;
const CLASHING_PAIRS = 10;
const EVENTS_PER_GROWTH = 7;

/** @param options.growths how often a file grows; 0 for none that does */
export async function laneInput(
  options: Omit<InputOptions, "rowsPerFile"> & { readonly growths: number },
): Promise<LaneInput> {
  const { manifest, changes } = await generatedFiles({ ...options, rowsPerFile: ROWS_PER_FILE });
  const noKey = plantedEvents("nokey", NO_KEY_EVENTS);
  const repeated = plantedEvents("repeats", REPEATED_KEYS);
  const repeats = Array.from({ length: REPEATS }, () => repeated).flat();
  const clashing = clashingEvents(CLASHING_PAIRS);
  const growing = plantedEvents("growing", options.growths * EVENTS_PER_GROWTH);
  const planted = [noKey, repeats, clashing, growing];
  return {
    changes: [
      { path: "nokey.csv", how: "create", bytes: plantedCsv(noKey, { hasKey: false }) },
      { path: "repeats.csv", how: "create", bytes: plantedCsv(repeats) },
      { path: "clashing.csv", how: "create", bytes: plantedCsv(clashing) },
      ...changes,
    ],
    growths: Array.from({ length: options.growths }, (_, index) => ({
      path: "growing.csv",
      how: "append",
      bytes: growth(growing, index),
    })),
    records: manifest.events + planted.reduce((sum, events) => sum + events.length, 0),
    truth: {
      generated: manifest,
      plantedNames: new Set(planted.flat().map(({ name }) => name)),
      plantedDuplicates: REPEATED_KEYS * (REPEATS - 1),
      plantedRejects: new Map([["23505", CLASHING_PAIRS]]),
    },
  };
}

/** The bytes from where the growth before was cut to where this one is. */
function growth(events: ReturnType<typeof plantedEvents>, index: number): Uint8Array {
  const cut = (growths: number) => {
    if (growths === 0) return 0;
    const count = growths * EVENTS_PER_GROWTH;
    const { length } = plantedCsv(events.slice(0, count));
    return count === events.length ? length : length - PRICE_CUT_BYTES;
  };
  return plantedCsv(events).subarray(cut(index), cut(index + 1));
}
