/** Generated events on disk, the same in every run, each set made once a run when it is asked for. */
import { join } from "@std/path";
import { formatCount } from "../../src/cli/number_format.ts";
import { generateEvents } from "../../src/generate/generate_events.ts";
import type { Manifest } from "../../src/generate/manifest.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { randomizeKeys } from "./random_keys.ts";

/** `random`: version 4, as most producers make them; `ordered`: version 7, by time. */
export type KeyKind = "random" | "ordered";

export const KEY_KINDS: readonly KeyKind[] = ["random", "ordered"];

export interface DatasetOptions {
  /** Records, duplicates and defective ones included. */
  readonly events: number;
  readonly files: number;
  readonly keys: KeyKind;
  /** 0 unless given. */
  readonly dirtyPercent?: number;
  readonly duplicatesPercent?: number;
  /** No event is earlier; `FIRST_EVENT` unless given. */
  readonly start?: Date;
}

export interface Dataset {
  /** As in `2,000,000 rows in 100 files, random keys`. */
  readonly name: string;
  /** Nothing else is in it. */
  readonly directory: string;
  /** Absolute, in the order of time. */
  readonly files: readonly string[];
  readonly manifest: Manifest;
  readonly keys: KeyKind;
}

/** Before it lie what the growth rows fill their tables with. */
export const FIRST_EVENT = new Date("2026-03-14T00:00:00Z");

export class Datasets {
  readonly #home: string;
  readonly #made = new Map<string, Promise<Dataset>>();

  /** @param home a folder, in which they stay until it is removed */
  constructor(home: string) {
    this.#home = home;
  }

  get(options: DatasetOptions): Promise<Dataset> {
    const id = JSON.stringify(Object.entries(options).sort());
    const made = this.#made.get(id) ?? this.#make(options, `data-${this.#made.size}`);
    this.#made.set(id, made);
    return made;
  }

  async #make(options: DatasetOptions, folder: string): Promise<Dataset> {
    const { events, files, keys, dirtyPercent = 0, duplicatesPercent = 0, start = FIRST_EVENT } =
      options;
    const directory = join(this.#home, folder);
    const manifest = await generateEvents({
      events,
      rowsPerFile: Math.ceil(events / files),
      seed: 1,
      start,
      dirtyPercent,
      duplicatesPercent,
      schema: USER_EVENTS,
      output: { kind: "folder", directory },
    });
    const paths: string[] = [];
    for await (const { name } of Deno.readDir(directory)) paths.push(join(directory, name));
    if (keys === "random") {
      for (const path of paths) {
        const bytes = await Deno.readFile(path);
        randomizeKeys(bytes);
        await Deno.writeFile(path, bytes);
      }
    }
    return {
      name: `${formatCount(events)} rows in ${files === 1 ? "one file" : `${files} files`}, ` +
        `${keys} keys`,
      directory,
      files: paths.sort(),
      manifest,
      keys,
    };
  }
}
