import type { TransactionSql } from "postgres";
import type { DatabaseClient } from "./connect.ts";

/** A good size for a piece: much smaller ones cost calls, much larger ones memory. */
export const PIECE_BYTES = 256 * 1024;

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
 * @param input.bytes The whole input, header and trailer included, at once or in pieces. Not changed
 * and not kept: a piece has been sent when the next one is asked for, so one buffer may serve for all.
 * @param input.send Of the client that `sql` belongs to; it spares a copy of all bytes.
 * @param input.onPiece Called after each piece that was handed over; what it throws is the fault.
 * @throws The server's or the connection's error, as postgres.js made it.
 */
export async function copyIn(
  sql: TransactionSql,
  { statement, bytes, onPiece = () => {}, send }: {
    statement: string;
    bytes: Uint8Array | Iterable<Uint8Array>;
    onPiece?: () => void;
    send?: DatabaseClient["send"];
  },
): Promise<void> {
  const query = sql.unsafe(statement);
  const stream = await query.writable();
  if (send !== undefined) {
    // postgres.js would copy each piece into a message, and what it leaves behind has to be collected
    stream._write = (piece: Uint8Array, _encoding, callback) => {
      send(copyDataHead(piece.length));
      send(piece, callback);
    };
  }
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

  const pieces = (bytes instanceof Uint8Array ? cut(bytes) : bytes)[Symbol.iterator]();
  const writeNext = (): void => {
    if (settled) return;
    const { done, value: piece } = pieces.next();
    if (done) {
      stream.end();
      return;
    }
    stream.write(piece, (error) => {
      if (!error) writeNext(); // else the stream says so
    });
    try {
      onPiece();
    } catch (error) {
      stream.destroy(error as Error);
      fail(error);
    }
  };
  writeNext();
  await promise;
}

/** The beginning of a CopyData message: its letter, and its length without that. */
function copyDataHead(byteCount: number): Uint8Array {
  const head = new Uint8Array(5);
  head[0] = 0x64; // "d"
  new DataView(head.buffer).setUint32(1, 4 + byteCount);
  return head;
}

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    yield bytes.subarray(start, start + PIECE_BYTES);
  }
}
