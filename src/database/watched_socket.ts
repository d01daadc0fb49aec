import { EventEmitter } from "node:events";
import type net from "node:net";
import { PgsluiceError } from "../pgsluice_error.ts";
import { connectionLost } from "./connection_lost.ts";

/** What comes on a socket, while somebody else than postgres.js takes it. */
export interface Diversion {
  /** Lets postgres.js have what came for it. */
  pass(bytes: Uint8Array): void;
  /** Nothing more is taken until `release`; little more is read, so that the server has to wait. */
  hold(): void;
  /** Does nothing after `end`. */
  release(): void;
  /** From now on postgres.js has all that comes. Twice is safe. */
  end(): void;
}

/**
 * The socket as postgres.js sees it: a thin layer that decides what it hears of a lost connection.
 *
 * postgres.js 3.4.9, once told of a `close`, forgets its socket but not the query under way; the
 * next statement on that connection (the `rollback` of its own `begin()`, say) is then written to
 * null in a timer, an uncaught error that ends the process. So a lost connection is told to it as
 * an `error`, on which it rejects whatever is under way or is tried later, and as a `close` only
 * after the whole client was ended.
 *
 * Invariants:
 * - `onLost` is called at most once, before postgres.js hears of it, and never after `end()`.
 * - After the loss every `write` fails with the same error; nothing reaches the real socket.
 * - `close` is emitted exactly once: when the real socket has closed after `end()`, else by
 *   `announceClose()`.
 */
export class WatchedSocket extends EventEmitter {
  /** For the messages of postgres.js. */
  readonly host: string;
  readonly port: number;
  readonly #socket: net.Socket;
  readonly #onLost: (cause: Error) => void;
  readonly #realClosed: Promise<void>;
  #lost: Error | null = null;
  #ended = false;
  #closeAnnounced = false;
  /** Has what comes, in place of postgres.js. */
  #taker: ((chunk: Uint8Array) => void) | null = null;
  #isHeld = false;
  /** When something was sent after which nothing has come; by the performance clock. */
  #askedMs: number | null = null;

  /** @param socket Connected; it belongs to this object from now on. */
  constructor(
    socket: net.Socket,
    options: { host: string; port: number; onLost: (cause: Error) => void },
  ) {
    super();
    this.host = options.host;
    this.port = options.port;
    this.#socket = socket;
    this.#onLost = options.onLost;
    const closed = Promise.withResolvers<void>();
    this.#realClosed = closed.promise;
    socket.on("data", (chunk: Uint8Array) => {
      this.#askedMs = null;
      if (this.#taker === null) this.emit("data", chunk);
      else this.#taker(chunk);
    });
    socket.on("drain", () => this.emit("drain"));
    const lose = () => this.lose(lossOf(socket));
    socket.on("error", lose);
    socket.on("close", () => {
      closed.resolve();
      if (this.#ended) this.announceClose();
      else lose();
    });
    if (socket.destroyed) queueMicrotask(lose);
  }

  get readyState(): string {
    return this.#lost === null ? this.#socket.readyState : "closed";
  }

  /** Resolves when the real socket has closed. */
  get closed(): Promise<void> {
    return this.#realClosed;
  }

  /** For how long the server has said nothing to what was asked; 0 if it owes no answer. */
  get silentMs(): number {
    return this.#askedMs === null ? 0 : performance.now() - this.#askedMs;
  }

  write(chunk: Uint8Array, callback?: (error?: Error | null) => void): boolean {
    this.#askedMs ??= performance.now();
    if (this.#lost === null) return this.#socket.write(chunk, callback);
    const lost = this.#lost;
    queueMicrotask(() => {
      callback?.(lost);
      this.#tell(lost);
    });
    return false;
  }

  /** The last message of an orderly end. */
  end(chunk: Uint8Array): void {
    this.#ended = true;
    this.#socket.end(chunk);
  }

  /** What postgres.js calls when its own connect timeout has passed. */
  destroy(): void {
    this.lose(connectionLost("the connection was given up"));
  }

  /** Drops the socket at once; everything under way fails with `cause`. Twice is safe. */
  lose(cause: Error): void {
    if (this.#lost !== null) return;
    this.#lost = cause;
    this.#socket.destroy();
    if (!this.#ended) this.#onLost(cause);
    this.#tell(cause);
  }

  /** Lets postgres.js forget the socket. Only when no statement can follow. Twice is safe. */
  announceClose(): void {
    if (this.#closeAnnounced) return;
    this.#closeAnnounced = true;
    this.emit("close", false);
  }

  /**
   * Lets `take` have what comes, in place of postgres.js. A chunk is good during the call alone.
   *
   * Meanwhile the socket is read piece by piece: of one that flows and is paused and resumed, Deno
   * 2.7.11 may give the pieces in another order, having begun to read twice at a time.
   */
  divert(take: (chunk: Uint8Array) => void): Diversion {
    const socket = this.#socket;
    const read = () => {
      // what is read is told as `data`, too
      while (!this.#isHeld && socket.read() !== null);
    };
    let isOver = false;
    this.#taker = take;
    socket.on("readable", read);
    return {
      pass: (bytes) => this.emit("data", bytes),
      hold: () => {
        this.#isHeld = true;
      },
      release: () => {
        if (isOver) return;
        this.#isHeld = false;
        read();
      },
      end: () => {
        isOver = true;
        // what is left of a lost connection begins anywhere
        this.#taker = this.#lost === null ? null : () => {};
        this.#isHeld = false;
        socket.removeListener("readable", read);
      },
    };
  }

  setKeepAlive(on: boolean, delayMs: number): void {
    this.#socket.setKeepAlive(on, delayMs);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #tell(cause: Error): void {
    if (this.listenerCount("error") > 0) this.emit("error", cause);
  }
}

/** Deno gives some errors no code at all (`UNKNOWN`): whatever it was, the connection is lost. */
function lossOf(socket: net.Socket): Error {
  const cause = socket.errored;
  if (cause === null) return connectionLost("the server closed the connection");
  if (!cause.message.includes("certificate")) {
    return connectionLost(`the connection broke: ${cause.message}`, cause);
  }
  return new PgsluiceError("database-tls", `TLS: ${cause.message}`, {
    hint: "sslrootcert=FILE names the certificate authority to trust; sslmode=require trusts " +
      "whoever answers",
    cause,
  });
}
