/**
 * Which rows of a batch have keys that may be in the table already: what is left can go straight
 * into the table.
 */
import type { TransactionSql } from "postgres";
import { quoteIdentifier } from "../database/quote_identifier.ts";
import type { Schema } from "../schema/schema.ts";
import type { Batch } from "./batch.ts";
import type { KeyReader } from "./key_reader.ts";
import { KeyTable } from "./key_table.ts";

export interface RepeatedKeysOptions {
  readonly schema: Schema;
  /** The target, quoted. */
  readonly table: string;
  readonly keys: KeyReader;
}

export class RepeatedKeys {
  readonly #keys: KeyReader;
  readonly #statement: string;
  readonly #seen = new KeyTable();

  constructor({ schema, table, keys }: RepeatedKeysOptions) {
    this.#keys = keys;
    const key = quoteIdentifier(schema.key);
    // a subquery a key cannot become a join that reads the whole table; one row holds the answer
    this.#statement = `
select coalesce(string_agg(wanted.ordinal::text, ','), '') as ordinals
from unnest($1::${keys.type}[]) with ordinality as wanted (key, ordinal)
where (select true from ${table} there where there.${key} = wanted.key)`;
  }

  /**
   * @param options.order the rows, in the order of their keys where that is known
   * @param options.older the keys of batches that are not committed yet
   * @returns for each row 1 if its key is in the table, in an older batch or in an earlier row; or, once
   * in a blue moon, though it is not
   */
  async find(
    transaction: TransactionSql,
    batch: Batch,
    { order, older }: { order: Int32Array; older: readonly KeyTable[] },
  ): Promise<Uint8Array> {
    const keys = this.#keys;
    keys.read(batch);
    const hashes = keys.hashes();
    const isRepeated = new Uint8Array(batch.rowCount);
    this.#seen.fill(hashes, isRepeated);
    for (const table of older) table.markHeld(hashes, isRepeated);
    const asked = order.filter((row) => isRepeated[row] === 0);
    const [present] = await transaction.unsafe<{ ordinals: string }[]>(this.#statement, [
      keys.arrayText(asked),
    ]);
    for (const ordinal of present!.ordinals.split(",")) {
      if (ordinal !== "") isRepeated[asked[Number(ordinal) - 1]!] = 1;
    }
    return isRepeated;
  }
}
