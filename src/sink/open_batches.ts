import type { Batch } from "./batch.ts";
import type { KeyReader } from "./key_reader.ts";
import { KeyTable } from "./key_table.ts";

/**
 * The batches of a session that are being loaded, in the order in which they will commit: what the
 * older ones bring is not in the table yet for a younger one to see.
 */
export class OpenBatches {
  readonly #batches: Batch[] = [];
  readonly #keys = new Map<Batch, KeyTable>();
  readonly #spare: KeyTable[] = [];

  enter(batch: Batch): void {
    this.#batches.push(batch);
  }

  leave(batch: Batch): void {
    this.#batches.splice(this.#batches.indexOf(batch), 1);
    const table = this.#keys.get(batch);
    if (table === undefined) return;
    this.#keys.delete(batch);
    this.#spare.push(table);
  }

  /** The keys of each batch that is older than this one. */
  olderKeys(batch: Batch, keys: KeyReader): readonly KeyTable[] {
    return this.#batches.slice(0, this.#batches.indexOf(batch))
      .map((older) => this.#keysOf(older, keys));
  }

  #keysOf(batch: Batch, keys: KeyReader): KeyTable {
    let table = this.#keys.get(batch);
    if (table !== undefined) return table;
    table = this.#spare.pop() ?? new KeyTable();
    keys.read(batch);
    table.fill(keys.hashes(), new Uint8Array(batch.rowCount));
    this.#keys.set(batch, table);
    return table;
  }
}
