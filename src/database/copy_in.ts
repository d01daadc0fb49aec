import type { TransactionSql } from "postgres";

/**
 * Bytes given to the stream at once. postgres.js copies each piece into a message; pieces much
 * smaller cost calls, much larger ones memory.
 */
const CHUNK_BYTES = 256 * 1024;

/** The part of a postgres.js query that is not in its types: how it reports an error. */
interface Rejectable {
  reject(error: unknown): void;
}

/**
 * Sends bytes through `copy … from stdin` and waits for the server's word on all of them.
 *
 * postgres.js 3.4.9 answers the query's promise when the stream opens, so an error the server
 * raises later, a duplicate key say, would go nowhere and the wait for the end would last for ever
 * (porsager/postgres#1173). Its way to report is taken over here and raced with the end.
 *
 * @param sql Within a transaction, which cannot go on after a rejection but can be rolled back.
 * @param input.bytes The whole input, header and trailer included; not changed, not kept.
 * @param input.onChunk Called after each piece that was handed over; what it throws is the fault.
 * @throws The server's or the connection's error, as postgres.js made it.
 */
export async function copyIn(
  sql: TransactionSql,
  { statement, bytes, onChunk = () => {} }: {
    statement: string;
    bytes: Uint8Array;
    onChunk?: () => void;
  },
): Promise<void> {
  const query = sql.unsafe(statement);
  const stream = await query.writable();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let settled = false;
  const fail = (error: unknown): void => {
    settled = true;
    reject(error);
  };
  (query as unknown as Rejectable).reject = fail;
  // Lost connections and refusals in the middle destroy the stream with the error as well.
  stream.on("error", fail);
  stream.once("finish", () => {
    settled = true;
    resolve();
  });

  let start = 0;
  const writeMore = (): void => {
    while (!settled && start < bytes.length) {
      const end = Math.min(start + CHUNK_BYTES, bytes.length);
      const chunk = bytes.subarray(start, end);
      start = end;
      const hasRoom = stream.write(chunk);
      try {
        onChunk();
      } catch (error) {
        stream.destroy(error as Error);
        return fail(error);
      }
      if (!hasRoom && start < bytes.length) {
        stream.once("drain", writeMore);
        return;
      }
    }
    if (!settled) stream.end();
  };
  writeMore();
  await promise;
}
