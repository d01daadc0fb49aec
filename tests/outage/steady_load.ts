/** Something to load, in many files and batches, while a test makes trouble. */
import {
  csvText,
  eventLines,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  writeEvents,
} from "../support/ingest_fixture.ts";

const ROWS_PER_FILE = 500;
export const BATCH_ROWS = 50;

export class SteadyLoad {
  readonly #place: IngestPlace;
  #files = 0;

  constructor(place: IngestPlace) {
    this.#place = place;
  }

  get rows(): number {
    return this.#files * ROWS_PER_FILE;
  }

  /** More files, of 500 new events each. */
  async add(files: number): Promise<void> {
    for (const last = this.#files + files; this.#files < last; this.#files++) {
      const from = this.#files * ROWS_PER_FILE;
      await writeEvents(
        this.#place,
        `${String(this.#files).padStart(4, "0")}.csv`,
        csvText(eventLines(from, from + ROWS_PER_FILE)),
      );
    }
  }

  /** Small batches, so that a fault finds some open. */
  ingest(change: Parameters<typeof ingestWatching>[1] = {}) {
    return ingestWatching(this.#place, {
      noWait: false,
      limits: { rows: BATCH_ROWS, sizeBytes: 1e9, lingerMs: 1 },
      ...change,
    });
  }

  /** Waits until all is in the ledger, stops, and demands that nothing was lost or doubled. */
  async finish({ stop, ended }: ReturnType<typeof ingestWatching>): Promise<void> {
    await Promise.race([ended, this.#allIsDone()]);
    await stop();
    const summary = await verifyExact(this.#place);
    const expected =
      `verified: ${this.rows} events = ${this.rows} loaded + 0 rejected + 0 duplicates`;
    if (summary !== expected) throw new Error(`${summary}; expected ${expected}`);
  }

  async #allIsDone(): Promise<void> {
    for (;;) {
      if (await this.#loaded() === this.rows) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #loaded(): Promise<number> {
    const { sql } = this.#place.database;
    const [ledger] = await sql`select to_regclass('pgsluice.files') is not null as exists`;
    if (!ledger!.exists) return 0;
    const [row] = await sql<{ loaded: number }[]>`
      select coalesce(sum(loaded), 0)::int as loaded from pgsluice.files`;
    return row!.loaded;
  }
}
