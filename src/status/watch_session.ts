/** One connection's pictures of the pipelines, one after the other. */
import type { DatabaseClient } from "../database/connect.ts";
import { folderStanding } from "./folder_standing.ts";
import { lookAtJournal } from "./journal_standing.ts";
import { PacedLook } from "./paced_look.ts";
import { readPulse } from "./read_pulse.ts";
import { readTotals } from "./read_totals.ts";
import type { JournalStatus } from "./status_report.ts";
import type { FolderStanding, Totals, WatchedPipeline, WatchPicture } from "./watch_picture.ts";

/** A journal is read whole, and changes its standing seldom. */
const JOURNAL_INTERVAL_MS = 10_000;

export interface WatchSessionOptions {
  /** Only this one. */
  readonly pipeline?: string;
  /** Folder of all journals; without it nothing is told of them. */
  readonly checkpointsDirectory?: string;
  /** Between pictures. */
  readonly intervalMs: number;
  /** Of what is dear, as `PacedLook` has it. */
  readonly idleShare?: number;
}

export class WatchSession {
  readonly #client: DatabaseClient;
  readonly #options: WatchSessionOptions;
  readonly #folders = new Map<number, PacedLook<FolderStanding>>();
  readonly #journals = new Map<number, PacedLook<JournalStatus | null>>();
  readonly #totals: PacedLook<ReadonlyMap<number, Totals>>;
  #pipelines: readonly WatchedPipeline[] = [];
  #floor = 0;

  constructor(client: DatabaseClient, options: WatchSessionOptions) {
    this.#client = client;
    this.#options = options;
    this.#totals = this.#paced(() =>
      readTotals(client.sql, this.#pipelines.map(({ pipelineId }) => pipelineId))
    );
  }

  /**
   * @returns null if the database has no ledger
   * @throws what the database or the connection says; the session is of no more use then
   */
  async read(): Promise<WatchPicture | null> {
    const pulse = await readPulse(this.#client.sql, {
      pipeline: this.#options.pipeline ?? null,
      floor: this.#floor,
    });
    if (pulse === null) return null;
    const { atMs, standbys, floor, pipelines, otherNames } = pulse;
    this.#floor = floor;
    this.#pipelines = pipelines;
    const totals = await this.#totals.get();
    return {
      atMs,
      standbys,
      pipelines: await Promise.all(pipelines.map(async (pipeline) => ({
        ...pipeline,
        totals: totals?.get(pipeline.pipelineId) ?? null,
        folder: await this.#folder(pipeline).get(),
        journal: await this.#journal(pipeline).get(),
      }))),
      otherNames,
    };
  }

  /** Gives up what is under way. Twice is safe. */
  async close(): Promise<void> {
    this.#client.destroy();
    const looks = [this.#totals, ...this.#folders.values(), ...this.#journals.values()];
    await Promise.all(looks.map((look) => look.ended()));
    await this.#client.close();
  }

  #folder(pipeline: WatchedPipeline): PacedLook<FolderStanding> {
    return remembered(
      this.#folders,
      pipeline.pipelineId,
      () => this.#paced(() => folderStanding(this.#client.sql, pipeline)),
    );
  }

  #journal(pipeline: WatchedPipeline): PacedLook<JournalStatus | null> {
    const { checkpointsDirectory } = this.#options;
    const journals = checkpointsDirectory === undefined ? {} : { checkpointsDirectory };
    return remembered(
      this.#journals,
      pipeline.pipelineId,
      () =>
        this.#paced(
          () => lookAtJournal(this.#client.sql, { pipeline, ...journals }),
          JOURNAL_INTERVAL_MS,
        ),
    );
  }

  #paced<Found>(look: () => Promise<Found>, intervalMs = 0): PacedLook<Found> {
    // a look of every picture is due with it, not a little later
    return new PacedLook(look, {
      intervalMs: Math.max(intervalMs, this.#options.intervalMs / 2),
      ...(this.#options.idleShare !== undefined && { idleShare: this.#options.idleShare }),
    });
  }
}

function remembered<Value>(map: Map<number, Value>, key: number, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
