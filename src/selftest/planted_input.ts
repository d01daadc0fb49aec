/**
 * Input with known truth: generated events with dirt and duplicates, and files made to be hard.
 * Everything is a function of the seed.
 *
 * Invariants: the planted events bear names of their own, so that each can be looked for in the
 * table; the truth of a stage is about all files up to and with that stage, whatever was loaded of
 * them before.
 */
import { join } from "@std/path";
import { generateEvents } from "../generate/generate_events.ts";
import type { Manifest } from "../generate/manifest.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import {
  clashingEvents,
  plantedCsv,
  type PlantedEvent,
  plantedEvents,
  PRICE_CUT_BYTES,
} from "./planted_event.ts";

/** What becomes of a file between two stretches of ingesting. */
export interface FileChange {
  readonly path: string;
  /** `replace`: another file takes the name; `append`: a writer goes on with the same one. */
  readonly how: "create" | "replace" | "append";
  readonly bytes: Uint8Array;
}

/** What must be in table and ledger when everything is loaded. */
export interface Truth {
  /** Of the generated files; the planted ones are not in it. */
  readonly generated: Manifest;
  /** Names of the planted events, each to be loaded once. */
  readonly plantedNames: ReadonlySet<string>;
  readonly plantedDuplicates: number;
  /** Of the planted files, by code. */
  readonly plantedRejects: ReadonlyMap<string, number>;
}

export interface InputStage {
  readonly changes: readonly FileChange[];
  /** What is loaded goes to the archive. */
  readonly archive: boolean;
  readonly truth: Truth;
}

export interface InputOptions {
  readonly seed: number;
  /** Events of the generator. */
  readonly events: number;
  readonly rowsPerFile: number;
  /** A folder to work in. */
  readonly home: string;
}

/** Fixed, so that the seed alone decides every byte. */
const START = new Date("2026-03-14T00:00:00Z");
const DIRTY_PERCENT = 3;
const DUPLICATES_PERCENT = 3;

/** The generator's files, in memory. */
export async function generatedFiles(
  options: InputOptions,
): Promise<{ manifest: Manifest; changes: FileChange[] }> {
  const directory = await Deno.makeTempDir({ dir: options.home });
  const manifest = await generateEvents({
    events: options.events,
    rowsPerFile: options.rowsPerFile,
    seed: options.seed,
    start: START,
    dirtyPercent: DIRTY_PERCENT,
    duplicatesPercent: DUPLICATES_PERCENT,
    schema: USER_EVENTS,
    output: { kind: "folder", directory },
  });
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
  const changes: FileChange[] = [];
  for (const path of names) {
    changes.push({ path, how: "create", bytes: await Deno.readFile(join(directory, path)) });
  }
  await Deno.remove(directory, { recursive: true });
  return { manifest, changes };
}

const NO_KEY_EVENTS = 30;
const NO_KEY_EVENTS_LATER = 10;
const REPEATED_KEYS = 12;
const REPEATS = 4;
const CONFLICTING_KEYS = 4;
const CLASHING_PAIRS = 4;
const TAIL_EVENTS = 6;
const REPLACED_EVENTS = 20;
const REPLACED_KEPT = 10;

/**
 * Three stages of hard cases. First: no event_id; keys repeated often, some with other content; rows
 * that break another unique constraint than the key; an end inside a price. Then: growth of the
 * first and the last of these, a file replaced, a file sent again under another name. At last all
 * files go to the archive.
 */
export async function hardInput(options: InputOptions): Promise<InputStage[]> {
  const { manifest, changes } = await generatedFiles(options);
  const noKey = plantedEvents("nokey", NO_KEY_EVENTS + NO_KEY_EVENTS_LATER);
  const tail = plantedEvents("tail", TAIL_EVENTS);
  const replaced = plantedEvents("replaced", REPLACED_EVENTS + REPLACED_EVENTS - REPLACED_KEPT);
  const repeated = plantedEvents("repeats", REPEATED_KEYS);
  const repeats = [
    ...Array.from({ length: REPEATS }, () => repeated).flat(),
    ...repeated.slice(0, CONFLICTING_KEYS).map((event) => ({ ...event, price: "99.99" })),
  ];
  const clashing = clashingEvents(CLASHING_PAIRS);
  const tailBytes = plantedCsv(tail);
  const cutAt = tailBytes.length - PRICE_CUT_BYTES;
  const noKeyBytes = plantedCsv(noKey, { hasKey: false });
  const noKeyCut = plantedCsv(noKey.slice(0, NO_KEY_EVENTS), { hasKey: false }).length;
  const before = replaced.slice(0, REPLACED_EVENTS);
  const names = (...lists: readonly PlantedEvent[][]) =>
    new Set(lists.flat().map(({ name }) => name));
  const truth = {
    generated: manifest,
    plantedDuplicates: REPEATED_KEYS * (REPEATS - 1),
    plantedRejects: new Map([["key_conflict", CONFLICTING_KEYS], ["23505", CLASHING_PAIRS]]),
  };
  const everything = {
    ...truth,
    plantedNames: names(noKey, repeated, clashing, tail, replaced),
    plantedDuplicates: truth.plantedDuplicates + REPLACED_KEPT,
  };
  return [
    {
      archive: false,
      changes: [
        ...changes,
        { path: "nokey.csv", how: "create", bytes: noKeyBytes.subarray(0, noKeyCut) },
        { path: "repeats.csv", how: "create", bytes: plantedCsv(repeats) },
        { path: "clashing.csv", how: "create", bytes: plantedCsv(clashing) },
        { path: "tail.csv", how: "create", bytes: tailBytes.subarray(0, cutAt) },
        { path: "replaced.csv", how: "create", bytes: plantedCsv(before) },
      ],
      truth: {
        ...truth,
        plantedNames: names(noKey.slice(0, NO_KEY_EVENTS), repeated, clashing, tail, before),
      },
    },
    {
      archive: false,
      changes: [
        { path: "nokey.csv", how: "append", bytes: noKeyBytes.subarray(noKeyCut) },
        { path: "tail.csv", how: "append", bytes: tailBytes.subarray(cutAt) },
        // those that are there already come last, so that its bytes differ from the start
        {
          path: "replaced.csv",
          how: "replace",
          bytes: plantedCsv(replaced.slice(-REPLACED_EVENTS).reverse()),
        },
        { ...changes[0]!, path: "sent-again.csv" },
      ],
      truth: everything,
    },
    { archive: true, changes: [], truth: everything },
  ];
}

/** As shops do it: a file is whole when it appears, a log grows. */
export async function applyChanges(
  changes: readonly FileChange[],
  options: { directory: string },
): Promise<void> {
  for (const { path, how, bytes } of changes) {
    const final = join(options.directory, path);
    if (how === "append") {
      await Deno.writeFile(final, bytes, { append: true });
      // files are taken oldest first: this one is to grow while others are still to come
      const atMs = START.getTime() + (await Deno.stat(final)).size;
      await Deno.utime(final, new Date(atMs), new Date(atMs));
    } else {
      const temporary = join(options.directory, `.${path}.tmp`);
      await Deno.writeFile(temporary, bytes);
      await Deno.rename(temporary, final);
    }
  }
}
