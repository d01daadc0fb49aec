/**
 * Puts a batch's rows into the table, within a transaction of the caller's, who then keeps the
 * rejects and duplicates and moves the ledger.
 *
 * `copy` sends them straight into the table: it is fast, and fails as a whole with whatever the
 * table does not take. `staging` takes every row that the table takes and tells what became of the
 * others.
 */
import type { TransactionSql } from "postgres";
import { copyIn } from "../database/copy_in.ts";
import { noProbe, type Probe } from "../probe.ts";
import { copySql } from "../schema/ddl.ts";
import type { Schema } from "../schema/schema.ts";
import type { Batch } from "./batch.ts";
import { type SortedRows, sortOut } from "./sort_out.ts";
import { insertStaged, type StagingSql, stagingSql } from "./staging.ts";

export type LoadRoute = "copy" | "staging";

export interface RowLoaderOptions {
  readonly schema: Schema;
  /** The target, quoted. */
  readonly table: string;
  readonly probe?: Probe;
}

export class RowLoader {
  readonly #staging: StagingSql;
  readonly #copyIntoTable: string;
  readonly #copyIntoStaging: string;
  readonly #probe: Probe;
  /** Whose staging table holds rows. */
  #stagedIn: TransactionSql | null = null;

  constructor({ schema, table, probe = noProbe }: RowLoaderOptions) {
    this.#staging = stagingSql(schema, table);
    this.#copyIntoTable = copySql(schema, table);
    this.#copyIntoStaging = copySql(schema, this.#staging.table);
    this.#probe = probe;
  }

  /**
   * @param options.onSent called when some of the rows were handed over
   * @throws the database's error, after which the transaction can only be rolled back
   */
  async load(
    transaction: TransactionSql,
    { batch, route, onSent }: { batch: Batch; route: LoadRoute; onSent?: () => void },
  ): Promise<SortedRows> {
    if (batch.rowCount === 0) return sortOut(batch, { repeated: [], refused: [] });
    // a deferred constraint would refuse the batch at commit, where it cannot be told from a fault
    await transaction`set constraints all immediate`;
    const bytes = batch.tuples.finish();
    const onChunk = () => {
      onSent?.();
      this.#probe("sink.copying");
    };
    this.#probe("sink.copy");
    if (route === "copy") {
      await copyIn(transaction, { statement: this.#copyIntoTable, bytes, onChunk });
      return sortOut(batch, { repeated: [], refused: [] });
    }
    await transaction.unsafe(this.#staging.create);
    if (this.#stagedIn === transaction) await transaction.unsafe(this.#staging.empty);
    this.#stagedIn = transaction;
    await copyIn(transaction, { statement: this.#copyIntoStaging, bytes, onChunk });
    return sortOut(batch, await insertStaged(transaction, this.#staging));
  }
}
