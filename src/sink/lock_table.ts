import type { TransactionSql } from "postgres";
import { sqlState } from "../database/fault.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";

/** How long one try for the table's lock may hold up the batches behind it. */
const LOCK_TIMEOUT_MS = 2_000;
const LOCK_TRIES = 30;

/**
 * Bars new rows until the transaction ends: a batch that found a row there and counted itself a
 * duplicate of it must have committed before the row goes.
 * @throws PgsluiceError `table-busy`
 */
export async function lockTable(transaction: TransactionSql, table: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await tryToLockTable(transaction, table);
    } catch (error) {
      if (sqlState(error) !== "55P03") throw error;
      if (attempt < LOCK_TRIES) continue;
      throw new PgsluiceError("table-busy", `table ${table} could not be locked for the change`, {
        hint: "nothing was changed; end long transactions on the table, then try again",
        exitCode: EXIT.tryAgain,
        cause: error,
      });
    }
  }
}

/**
 * The same, with one try.
 * @throws the database's error, 55P03 if it was held up; the transaction can go on then
 */
export async function tryToLockTable(transaction: TransactionSql, table: string): Promise<void> {
  // batches that wait behind this request go on when it gives up
  await transaction.savepoint(async (savepoint) => {
    await savepoint.unsafe(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await savepoint.unsafe(`lock table ${table} in share row exclusive mode`);
    await savepoint.unsafe("set local lock_timeout = default");
  });
}
