import type { TransactionSql } from "postgres";
import { quoteIdentifier } from "../database/quote_identifier.ts";
import type { Schema } from "../schema/schema.ts";
import type { KeyReader } from "./key_reader.ts";

/** Asks which keys of a batch are in the table. */
export class PresentKeys {
  readonly #keys: KeyReader;
  readonly #statement: string;

  /** @param options.table the target, quoted */
  constructor({ schema, table, keys }: { schema: Schema; table: string; keys: KeyReader }) {
    this.#keys = keys;
    const key = quoteIdentifier(schema.key);
    // a subquery a key cannot become a join that reads the whole table; one row holds the answer
    this.#statement = `
select coalesce(string_agg(wanted.ordinal::text, ','), '') as ordinals
from unnest($1::${keys.type}[]) with ordinality as wanted (key, ordinal)
where (select true from ${table} there where there.${key} = wanted.key)`;
  }

  /**
   * @param rows of the batch that the keys were read of
   * @param marks by row: 1 is put where its key is in the table
   */
  async mark(transaction: TransactionSql, rows: Int32Array, marks: Uint8Array): Promise<void> {
    const [present] = await transaction.unsafe<{ ordinals: string }[]>(this.#statement, [
      this.#keys.arrayText(rows),
    ]);
    for (const ordinal of present!.ordinals.split(",")) {
      if (ordinal !== "") marks[rows[Number(ordinal) - 1]!] = 1;
    }
  }
}
