import { parseServerUrl } from "../../src/database/server_url.ts";

/** Stands between a client and a server, on TCP, and fails as networks do. */
export class TcpProxy implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #server: { readonly host: string; readonly port: number };
  readonly #connections = new Set<Deno.Conn>();
  readonly #pumps = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  #frozen = false;

  /** @param url The server's; a unix socket or TCP. */
  constructor(url: string) {
    this.#server = parseServerUrl(url, "the test server's URL").hosts[0]!;
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
      const server = host.startsWith("/")
        ? await Deno.connect({ transport: "unix", path: `${host}/.s.PGSQL.${port}` })
        : await Deno.connect({ hostname: host, port });
      this.#connections.add(client).add(server);
      for (const [from, to] of [[client, server], [server, client]] as const) {
        const pump = this.#pump(from, to).catch(() => {}); // closed by the other side or by cut()
        this.#pumps.add(pump);
      }
    }
  }

  async #pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await from.read(buffer);
      if (this.#frozen) continue;
      if (count === null) break;
      for (let start = 0; start < count;) start += await to.write(buffer.subarray(start, count));
    }
    await to.closeWrite();
  }
}
