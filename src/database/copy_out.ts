import { Buffer } from "node:buffer";
import type { PendingQuery, TransactionSql } from "postgres";
import type { DatabaseClient } from "./connect.ts";

/** A message is its letter, its length without that, and the rest. */
const HEAD_BYTES = 5;
const COPY_DATA = 0x64; // "d"

export interface CopyOutOptions {
  /** Of one connection, the one that `sql` is of. */
  readonly client: Pick<DatabaseClient, "receive" | "destroy">;
  readonly statement: string;
  /** Has a row in `[at, end)` of the bytes, which are good during the call alone. */
  readonly onRow: (bytes: Uint8Array, at: number, end: number) => void;
  /**
   * Asked after the rows of each piece that came: null to go on, or what has to resolve before the
   * server is read again.
   */
  readonly untilRoom: () => Promise<void> | null;
  /** Gives it up when it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Reads what `copy … to stdout` gives.
 *
 * postgres.js 3.4.9 makes three views of each row and pushes it through a stream, which takes longer
 * than the server takes to make it. So the connection is read here, and postgres.js has what is no
 * row. Its query answers when the stream opens, and what comes later would go nowhere: its ways to
 * answer are taken over as well, before anything can come.
 *
 * @param sql Within a transaction, which can go on after an error of the server as after any other.
 * @returns how many rows, as the server has counted them
 * @throws The server's or the connection's error, as postgres.js made it; what `onRow` throws, what
 * `untilRoom` rejects with, and the signal's reason, and then the client is destroyed: the server
 * would send all that is left.
 */
export async function copyOut(
  sql: TransactionSql,
  { client, statement, onRow, untilRoom, signal }: CopyOutOptions,
): Promise<number> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let isOver = false;
  const end = (settle: () => void): void => {
    isOver = true;
    settle();
  };
  const giveUp = (reason: unknown): void => {
    if (isOver) return;
    end(() => reject(reason));
    client.destroy();
  };
  const messages = new Messages((bytes, at, messageEnd) => {
    if (bytes[at] !== COPY_DATA) incoming.pass(Buffer.from(bytes.subarray(at, messageEnd)));
    else if (!isOver) onRow(bytes, at + HEAD_BYTES, messageEnd);
  });
  const incoming = client.receive((chunk) => {
    try {
      messages.take(chunk);
      const room = isOver ? null : untilRoom();
      if (room === null) return;
      incoming.hold();
      room.then(() => incoming.release(), giveUp);
    } catch (error) {
      giveUp(error);
    }
  });
  const onAbort = () => giveUp(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    const query = sql.unsafe(statement) as unknown as AnsweringQuery;
    query.resolve = (answer) => {
      // the stream comes first; nobody reads it, and the query is rejected with its errors as well
      if ("on" in answer) answer.on("error", () => {});
      else end(() => resolve(answer.count));
    };
    query.reject = (error) => end(() => reject(error));
    query.execute();
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    incoming.end();
  }
}

/** The part of a postgres.js query that is not in its types: how it answers. */
interface AnsweringQuery extends Pick<PendingQuery<[]>, "execute"> {
  resolve(answer: { on(event: "error", hear: () => void): void } | { count: number }): void;
  reject(error: unknown): void;
}

/** Finds the messages in what comes, in whatever pieces; each is given whole, and copied seldom. */
class Messages {
  readonly #give: (bytes: Uint8Array, at: number, end: number) => void;
  /** The beginning of a message whose rest has not come: `[0, #heldBytes)`. */
  #held = new Uint8Array(1024);
  #heldBytes = 0;

  constructor(give: (bytes: Uint8Array, at: number, end: number) => void) {
    this.#give = give;
  }

  take(chunk: Uint8Array): void {
    let at = this.#heldBytes > 0 ? this.#complete(chunk) : 0;
    while (at + HEAD_BYTES <= chunk.length) {
      const end = at + messageBytes(chunk, at);
      if (end > chunk.length) break;
      this.#give(chunk, at, end);
      at = end;
    }
    if (at < chunk.length) this.#hold(chunk, at, chunk.length);
  }

  /** @returns from where on the chunk is not part of what is held */
  #complete(chunk: Uint8Array): number {
    let at = this.#hold(chunk, 0, HEAD_BYTES - this.#heldBytes);
    if (this.#heldBytes < HEAD_BYTES) return at;
    const wholeBytes = messageBytes(this.#held, 0);
    at = this.#hold(chunk, at, at + wholeBytes - this.#heldBytes);
    if (this.#heldBytes < wholeBytes) return at;
    this.#heldBytes = 0;
    this.#give(this.#held, 0, wholeBytes);
    return at;
  }

  /** Adds `[start, end)` of the chunk, or what there is of it. @returns its end */
  #hold(chunk: Uint8Array, start: number, end: number): number {
    const piece = chunk.subarray(start, Math.max(start, end));
    const neededBytes = this.#heldBytes + piece.length;
    if (neededBytes > this.#held.length) {
      // a row that is many times a chunk is not copied anew with each of them
      const larger = new Uint8Array(2 * neededBytes);
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(piece, this.#heldBytes);
    this.#heldBytes += piece.length;
    return start + piece.length;
  }
}

/** Of the message that begins there. */
function messageBytes(bytes: Uint8Array, at: number): number {
  return 1 + (bytes[at + 1]! << 24 | bytes[at + 2]! << 16 | bytes[at + 3]! << 8 | bytes[at + 4]!);
}
