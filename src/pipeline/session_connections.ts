import { connectionLost } from "../database/connection_lost.ts";

interface Connection {
  close(): Promise<void>;
  /** Drops it at once. */
  destroy(): void;
}

/** The connections of a session but the owner's; none outlives it. */
export class SessionConnections {
  readonly #open: Connection[] = [];
  readonly #opening = new Set<Promise<unknown>>();
  #isOver = false;

  /** @throws if the session is over by the time it is made */
  async open<T extends Connection>(opening: Promise<T>): Promise<T> {
    const taking = this.#take(opening);
    this.#opening.add(taking);
    try {
      return await taking;
    } finally {
      this.#opening.delete(taking);
    }
  }

  /** Drops them at once. */
  destroy(): void {
    this.#isOver = true;
    for (const connection of this.#open) connection.destroy();
  }

  /** Waits for one that is being made, too. Safe twice. */
  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#opening);
    await Promise.all(this.#open.map((connection) => connection.close()));
  }

  async #take<T extends Connection>(opening: Promise<T>): Promise<T> {
    const connection = await opening;
    if (!this.#isOver) {
      this.#open.push(connection);
      return connection;
    }
    connection.destroy();
    await connection.close();
    throw connectionLost("the session ended while a connection was being made");
  }
}
