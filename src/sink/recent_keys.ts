import type { Batch } from "./batch.ts";
import type { KeyReader } from "./key_reader.ts";
import { KeyTable } from "./key_table.ts";

/** Batches that are remembered after they have committed: what is sent twice mostly comes soon. */
const PAST_BATCHES = 4;

/**
 * The keys that the batches of a session bring: of those that are being loaded, in the order in which
 * they will commit, for a younger one does not see in the table what the older ones bring; and of
 * the last that have committed. Keys are looked at only when they are asked for.
 */
export class RecentKeys {
  readonly #open: Batch[] = [];
  readonly #tables = new Map<Batch, KeyTable>();
  readonly #past: KeyTable[] = [];

  enter(batch: Batch): void {
    this.#open.push(batch);
  }

  leave(batch: Batch): void {
    this.#open.splice(this.#open.indexOf(batch), 1);
    const table = this.#tables.get(batch);
    if (table === undefined) return;
    this.#tables.delete(batch);
    this.#past.push(table);
  }

  /**
   * @param keys reads this batch afterwards
   * @returns for each row 1 if an earlier row, an older batch or one of the last brings its key too;
   * or, once in a blue moon, though none does
   */
  markRepeated(batch: Batch, keys: KeyReader): Uint8Array {
    const older = this.#open.slice(0, Math.max(0, this.#open.indexOf(batch)))
      .map((each) => this.#tableOf(each, keys));
    keys.read(batch);
    const hashes = keys.hashes();
    const marks = new Uint8Array(batch.rowCount);
    const own = this.#tables.get(batch) ?? this.#newTable(batch);
    own.fill(hashes, marks);
    for (const table of [...this.#past, ...older]) table.markHeld(hashes, marks);
    return marks;
  }

  #tableOf(batch: Batch, keys: KeyReader): KeyTable {
    let table = this.#tables.get(batch);
    if (table !== undefined) return table;
    table = this.#newTable(batch);
    keys.read(batch);
    table.fill(keys.hashes(), new Uint8Array(batch.rowCount));
    return table;
  }

  /** In the memory of one that is past, if that can be. */
  #newTable(batch: Batch): KeyTable {
    const spare = this.#past.length > PAST_BATCHES ? this.#past.shift() : undefined;
    const table = spare ?? new KeyTable();
    this.#tables.set(batch, table);
    return table;
  }
}
