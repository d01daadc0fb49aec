import { parseServerUrl } from "../../src/database/server_url.ts";

/** What happens to a connection, once, when something goes through it. */
export interface Trap {
  /** Springs on the first connection whose client sends this, or whose server does; in ASCII. */
  readonly text: string;
  readonly from: "client" | "server";
  /** Only once the client of that connection has sent this. */
  readonly after?: string;
  /** Counted from the client's text on, so many bytes are passed on before it springs; 0 unless given. */
  readonly afterBytes?: number;
  /**
   * - `cut`: the text is not passed on, and all connections are closed.
   * - `freeze`: nothing more of this connection is passed on, and nothing is closed.
   */
  readonly then: "cut" | "freeze";
}

interface Link {
  readonly client: Deno.Conn;
  readonly server: Deno.Conn;
  isFrozen: boolean;
  /** Set when the trap has seen its text here: how many more bytes are passed on. */
  bytesLeft: number | null;
  /** The client has sent what the trap waits for. */
  isArmed: boolean;
}

interface SetTrap {
  readonly options: Trap;
  readonly sprung: PromiseWithResolvers<void>;
}

/** Stands between clients and a server, on TCP, and fails as networks do. */
export class TcpProxy implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  #server: { readonly host: string; readonly port: number };
  readonly #connections = new Set<Deno.Conn>();
  readonly #pumps = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  #frozen = false;
  #trap: SetTrap | null = null;

  /** @param url The server's; a unix socket or TCP. */
  constructor(url: string) {
    this.#server = hostOf(url);
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** The same database by way of the proxy. */
  through(url: string): string {
    const { user, database } = parseServerUrl(url, "the test server's URL");
    return `postgresql://${user}@127.0.0.1:${this.port}/${database}`;
  }

  /** From now on nothing is passed on, and nothing is closed. */
  freeze(): void {
    this.#frozen = true;
  }

  /** New connections work again; those that were frozen stay so. */
  thaw(): void {
    this.#frozen = false;
  }

  /** New connections go to another server, as when an address moves. */
  point(url: string): void {
    this.#server = hostOf(url);
  }

  /** Sets the one trap. Resolves when it has sprung. */
  trap(options: Trap): Promise<void> {
    const sprung = Promise.withResolvers<void>();
    this.#trap = { options, sprung };
    return sprung.promise;
  }

  /** Closes all connections. */
  cut(): void {
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    this.cut();
    await Promise.all(this.#pumps);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      client.setNoDelay(true);
      const { host, port } = this.#server;
      let server: Deno.Conn;
      try {
        server = host.startsWith("/")
          ? await Deno.connect({ transport: "unix", path: `${host}/.s.PGSQL.${port}` })
          : await Deno.connect({ hostname: host, port });
      } catch {
        client.close(); // nobody is there
        continue;
      }
      this.#connections.add(client).add(server);
      const link = { client, server, isFrozen: this.#frozen, bytesLeft: null, isArmed: false };
      for (const pump of [this.#pumpRequests(link), this.#pumpAnswers(link)]) {
        // closed by the other side or by cut()
        this.#pumps.add(pump.catch(() => {}));
      }
    }
  }

  async #pumpRequests(link: Link): Promise<void> {
    for await (const bytes of chunksOf(link.client)) {
      if (this.#isFrozen(link)) continue;
      const passed = this.#meetTrap(link, bytes);
      if (passed > 0) await writeAll(link.server, bytes.subarray(0, passed));
    }
    await link.server.closeWrite();
  }

  async #pumpAnswers(link: Link): Promise<void> {
    for await (const bytes of chunksOf(link.server)) {
      if (this.#isFrozen(link)) continue;
      const trap = this.#trap;
      if (link.isArmed && trap?.options.from === "server" && find(bytes, trap.options.text) >= 0) {
        this.#spring(trap, link);
        continue;
      }
      await writeAll(link.client, bytes);
    }
    await link.client.closeWrite();
  }

  #isFrozen(link: Link): boolean {
    link.isFrozen ||= this.#frozen;
    return link.isFrozen;
  }

  /** @returns how many of the client's bytes are passed on */
  #meetTrap(link: Link, bytes: Uint8Array): number {
    const trap = this.#trap;
    if (trap === null) return bytes.length;
    link.isArmed ||= find(bytes, trap.options.after ?? "") >= 0;
    if (!link.isArmed || trap.options.from !== "client") return bytes.length;
    let start = 0;
    if (link.bytesLeft === null) {
      start = find(bytes, trap.options.text);
      if (start < 0) return bytes.length;
      link.bytesLeft = trap.options.afterBytes ?? 0;
    }
    const passed = start + link.bytesLeft;
    if (bytes.length <= passed) {
      link.bytesLeft -= bytes.length - start;
      return bytes.length;
    }
    this.#spring(trap, link);
    return trap.options.then === "freeze" ? passed : 0;
  }

  #spring({ options, sprung }: SetTrap, link: Link): void {
    this.#trap = null;
    if (options.then === "freeze") link.isFrozen = true;
    else this.cut();
    sprung.resolve();
  }
}

function find(bytes: Uint8Array, text: string): number {
  return new TextDecoder("latin1").decode(bytes).indexOf(text);
}

function hostOf(url: string): { host: string; port: number } {
  return parseServerUrl(url, "the test server's URL").hosts[0]!;
}

async function* chunksOf(connection: Deno.Conn): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let start = 0; start < bytes.length;) {
    start += await connection.write(bytes.subarray(start));
  }
}
