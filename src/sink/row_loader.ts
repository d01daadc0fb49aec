/**
 * Puts a batch's rows into the table, within a transaction of the caller's, who then keeps the
 * rejects and duplicates and moves the ledger.
 *
 * `copy` sends them straight into the table: it is fast, and fails as a whole with whatever the
 * table does not take. `split` sends the rows whose keys came lately by way of a staging table, and
 * all others straight: it fails if the table does not take one of those. `ask` does so with the rows
 * whose keys are in the table, too. `staging` takes every row that the table takes and tells what
 * became of the others.
 */
import type { TransactionSql } from "postgres";
import type { DatabaseClient } from "../database/connect.ts";
import { copyIn } from "../database/copy_in.ts";
import { noProbe, type Probe } from "../probe.ts";
import { copySql } from "../schema/ddl.ts";
import type { Schema } from "../schema/schema.ts";
import type { Batch } from "./batch.ts";
import { gatherTuples, keyOrder } from "./key_order.ts";
import { KeyReader } from "./key_reader.ts";
import { MinuteCounter, type MinuteCounts } from "./minute_counts.ts";
import { PresentKeys } from "./present_keys.ts";
import { RecentKeys } from "./recent_keys.ts";
import { type Outcome, type SortedRows, sortOut } from "./sort_out.ts";
import { insertStaged, type StagingSql, stagingSql } from "./staging.ts";

export type LoadRoute = "copy" | "split" | "ask" | "staging";

export interface RowLoaderOptions {
  readonly schema: Schema;
  /** The target, quoted. */
  readonly table: string;
  readonly probe?: Probe;
  /** Of the client whose transactions these are; see `copyIn`. */
  readonly send?: DatabaseClient["send"];
  /** What the batches of the session bring; for the routes `split` and `ask`. */
  readonly recentKeys?: RecentKeys;
}

/**
 * A deferred constraint would refuse the batch at commit, where it cannot be told from a fault. It
 * goes with the statement it is for: one way to the server and back less in each batch.
 */
const CONSTRAINTS_NOW = "set constraints all immediate;";

const ALL_NEW: Outcome = { repeated: [], refused: [] };

/** What became of a batch's rows, and what those that are in the table come to. */
export interface LoadedRows extends SortedRows {
  /** To be entered by the same transaction; empty where the schema keeps no sums. */
  readonly minutes: readonly MinuteCounts[];
}

export class RowLoader {
  readonly #staging: StagingSql;
  readonly #copyIntoTable: string;
  readonly #copyIntoStaging: string;
  readonly #probe: Probe;
  readonly #keys: KeyReader;
  readonly #presentKeys: PresentKeys;
  readonly #recentKeys: RecentKeys;
  readonly #minutes: MinuteCounter | null;
  readonly #send: { readonly send?: DatabaseClient["send"] };
  /** Whose staging table holds rows. */
  #stagedIn: TransactionSql | null = null;

  constructor({ schema, table, probe = noProbe, send, recentKeys }: RowLoaderOptions) {
    this.#staging = stagingSql(schema, table);
    this.#copyIntoTable = `${CONSTRAINTS_NOW}\n${copySql(schema, table)}`;
    this.#copyIntoStaging = copySql(schema, this.#staging.table);
    this.#probe = probe;
    this.#keys = new KeyReader(schema);
    this.#presentKeys = new PresentKeys({ schema, table, keys: this.#keys });
    this.#recentKeys = recentKeys ?? new RecentKeys();
    const { minutes } = schema;
    this.#minutes = minutes === undefined ? null : new MinuteCounter({ ...schema, minutes });
    this.#send = send === undefined ? {} : { send };
  }

  /**
   * @param options.onSent called when some of the rows were handed over
   * @param options.olderCommitted resolves when no older batch is under way any more. What older ones
   * bring must be in the table before a row that has its key is, or they would wait for this batch
   * @throws the database's error, after which the transaction can only be rolled back
   */
  async load(
    transaction: TransactionSql,
    { batch, route, onSent, olderCommitted = () => Promise.resolve() }: {
      batch: Batch;
      route: LoadRoute;
      onSent?: () => void;
      olderCommitted?: () => Promise<void>;
    },
  ): Promise<LoadedRows> {
    if (batch.rowCount === 0) return this.#told(batch, ALL_NEW);
    const onPiece = () => {
      onSent?.();
      this.#probe("sink.copying");
    };
    this.#probe("sink.copy");
    switch (route) {
      case "copy":
        await this.#copy(transaction, batch, onPiece);
        return this.#told(batch, ALL_NEW);
      case "split":
      case "ask":
        return await this.#split(transaction, batch, {
          isAsked: route === "ask",
          onPiece,
          olderCommitted,
        });
      case "staging":
        // the table there has no index, so their order does not matter
        await this.#stage(transaction, { bytes: batch.tuples.finish(), onPiece });
        return this.#told(batch, await insertStaged(transaction, this.#staging));
    }
  }

  #told(batch: Batch, outcome: Outcome): LoadedRows {
    const sorted = sortOut(batch, outcome);
    return { ...sorted, minutes: this.#minutes?.count(batch, sorted.rowsOut) ?? [] };
  }

  async #copy(transaction: TransactionSql, batch: Batch, onPiece: () => void): Promise<void> {
    this.#keys.read(batch);
    const order = keyOrder(this.#keys.ranks());
    const bytes = order === null ? batch.tuples.finish() : gatherTuples(batch, order);
    await copyIn(transaction, { statement: this.#copyIntoTable, bytes, onPiece, ...this.#send });
  }

  async #split(
    transaction: TransactionSql,
    batch: Batch,
    { isAsked, onPiece, olderCommitted }: {
      isAsked: boolean;
      onPiece: () => void;
      olderCommitted: () => Promise<void>;
    },
  ): Promise<LoadedRows> {
    const isRepeated = this.#recentKeys.markRepeated(batch, this.#keys);
    const order = keyOrder(this.#keys.ranks()) ?? asTheyAre(batch);
    if (isAsked) {
      const rows = order.filter((row) => isRepeated[row] === 0);
      await this.#presentKeys.mark(transaction, rows, isRepeated);
      onPiece();
    }
    const straight = order.filter((row) => isRepeated[row] === 0);
    if (straight.length > 0) {
      const bytes = gatherTuples(batch, straight);
      await copyIn(transaction, { statement: this.#copyIntoTable, bytes, onPiece, ...this.#send });
    }
    if (straight.length === order.length) return this.#told(batch, ALL_NEW);
    const bytes = gatherTuples(batch, order.filter((row) => isRepeated[row] === 1));
    await this.#stage(transaction, { bytes, onPiece });
    await olderCommitted();
    return this.#told(batch, await insertStaged(transaction, this.#staging));
  }

  async #stage(
    transaction: TransactionSql,
    { bytes, onPiece }: { bytes: Uint8Array | Iterable<Uint8Array>; onPiece: () => void },
  ): Promise<void> {
    const { create, empty } = this.#staging;
    const statements = [CONSTRAINTS_NOW, `${create};`];
    if (this.#stagedIn === transaction) statements.push(`${empty};`);
    this.#stagedIn = transaction;
    const statement = [...statements, this.#copyIntoStaging].join("\n");
    await copyIn(transaction, { statement, bytes, onPiece, ...this.#send });
  }
}

function asTheyAre({ rowCount }: Batch): Int32Array {
  const rows = new Int32Array(rowCount);
  for (let row = 0; row < rowCount; row++) rows[row] = row;
  return rows;
}
