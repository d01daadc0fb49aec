import { parseServerUrl } from "../../src/database/server_url.ts";

const READY = 0x5a; // "Z"
const TERMINATE = 0x58; // "X"
const IDLE = 0x49; // "I"

/** Who a backend works for, until it is ready and in no transaction. */
interface Backend {
  readonly connection: Deno.Conn;
  client: Deno.Conn | null;
  onFree: () => void;
}

/**
 * A pooler as PgBouncer is one, as far as a client can tell: it greets with a process id that is
 * no backend's, and lends backends for a session or for a transaction. For transactions it has one
 * backend to lend.
 */
export class TinyPooler implements AsyncDisposable {
  readonly #listener: Deno.TcpListener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #url: string;
  readonly #mode: "session" | "transaction";
  readonly #connections = new Set<Deno.Conn>();
  readonly #work = new Set<Promise<void>>();
  #shared: Promise<Backend> | null = null;
  #lent: Promise<void> = Promise.resolve();

  constructor(url: string, mode: "session" | "transaction") {
    this.#url = url;
    this.#mode = mode;
    this.#work.add(this.#accept());
  }

  get url(): string {
    const { user, database } = parseServerUrl(this.#url, "the test server's URL");
    const { port } = this.#listener.addr as Deno.NetAddr;
    return `postgresql://${user}@127.0.0.1:${port}/${database}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await Promise.all(this.#work);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      this.#connections.add(client);
      this.#work.add(this.#serve(client).catch(() => {})); // a side hung up
    }
  }

  async #serve(client: Deno.Conn): Promise<void> {
    await readExactly(client, new DataView((await readExactly(client, 4)).buffer).getInt32(0) - 4);
    await client.write(greeting());
    const own = this.#mode === "session" ? await this.#openBackend() : null;
    for await (const message of messages(client)) {
      if (message[0] === TERMINATE) return;
      const backend = own ?? await (this.#shared ??= this.#openBackend());
      if (backend.client !== client) await this.#lend(backend, client);
      await backend.connection.write(message);
    }
  }

  async #lend(backend: Backend, client: Deno.Conn): Promise<void> {
    const before = this.#lent;
    const free = Promise.withResolvers<void>();
    if (this.#mode === "transaction") {
      this.#lent = free.promise;
      await before;
    }
    backend.client = client;
    backend.onFree = free.resolve;
  }

  async #openBackend(): Promise<Backend> {
    const { hosts, user, database } = parseServerUrl(this.#url, "the test server's URL");
    const { host, port } = hosts[0]!;
    const connection = host.startsWith("/")
      ? await Deno.connect({ transport: "unix", path: `${host}/.s.PGSQL.${port}` })
      : await Deno.connect({ hostname: host, port });
    this.#connections.add(connection);
    const text = new TextEncoder().encode(`user\0${user}\0database\0${database}\0\0`);
    await connection.write(Uint8Array.of(...int32(8 + text.length), 0, 3, 0, 0, ...text));
    const backend: Backend = { connection, client: null, onFree: () => {} };
    const ready = Promise.withResolvers<void>();
    this.#work.add(this.#answer(backend, ready.resolve).catch(() => {}));
    await ready.promise;
    return backend;
  }

  async #answer(backend: Backend, onReady: () => void): Promise<void> {
    for await (const message of messages(backend.connection)) {
      await backend.client?.write(message);
      if (message[0] !== READY || message[5] !== IDLE) continue;
      onReady();
      if (this.#mode === "transaction") backend.client = null;
      backend.onFree();
    }
  }
}

/** Authentication is done, a process id that is no backend's, ready. */
function greeting(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(
    ...[0x52, ...int32(8), ...int32(0)],
    ...[0x4b, ...int32(12), ...int32(0x7fff_0000), ...int32(0)],
    ...[READY, ...int32(5), IDLE],
  );
}

async function* messages(connection: Deno.Conn): AsyncGenerator<Uint8Array> {
  for (;;) {
    const head = await readExactly(connection, 5);
    const body = await readExactly(connection, new DataView(head.buffer).getInt32(1) - 4);
    yield Uint8Array.of(...head, ...body);
  }
}

async function readExactly(
  connection: Deno.Conn,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let start = 0; start < length;) {
    const count = await connection.read(bytes.subarray(start));
    if (count === null) throw new Error("hung up");
    start += count;
  }
  return bytes;
}

function int32(value: number): number[] {
  return [value >> 24 & 0xff, value >> 16 & 0xff, value >> 8 & 0xff, value & 0xff];
}
