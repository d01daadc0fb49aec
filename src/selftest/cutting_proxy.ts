/**
 * Stands between the ingester and its server, and fails as networks do: by cutting what is under
 * way, and by losing the answer to a COMMIT that the server has carried out.
 */
import { formatServerUrl, parseServerUrl } from "../database/server_url.ts";

/** Messages that carry a COMMIT are short; what is longer are rows. */
const COMMIT_MAX_BYTES = 512;
/** A Parse message: the statement's name, then its text. A Bind message names it to be executed. */
const PARSE_COMMIT = /P.{4}([^\0]*)\0commit\0/is;

interface Link {
  readonly client: Deno.Conn;
  readonly server: Deno.Conn;
  /** Name of its prepared COMMIT. */
  commitName: string | null;
  /** The answer to what was asked last does not reach the client. */
  losesAnswer: boolean;
}

export class CuttingProxy {
  /** The same database by way of the proxy. */
  readonly url: string;
  readonly #listener: Deno.TcpListener;
  readonly #server: { readonly host: string; readonly port: number };
  readonly #links = new Set<Link>();
  readonly #accepting: Promise<void>;
  #answersToLose = 0;
  /** Answers to COMMIT that were lost so far. */
  lostAnswers = 0;

  /**
   * Null if the server is not reached in the clear: what is encrypted cannot be told apart.
   */
  static open(url: string): CuttingProxy | null {
    const address = parseServerUrl(url, "the server's URL");
    const isLocal = /^(?:\/|localhost$|127\.|::1$)/.test(address.hosts[0]?.host ?? "");
    const isClear = address.sslMode === "disable" || address.sslMode === undefined && isLocal;
    return isClear ? new CuttingProxy(address) : null;
  }

  private constructor(address: ReturnType<typeof parseServerUrl>) {
    this.#server = address.hosts[0]!;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = this.#listener.addr;
    const hosts = [{ host: "127.0.0.1", port }];
    this.url = formatServerUrl({ ...address, hosts, sslMode: "disable" }, { password: true });
    this.#accepting = this.#accept();
  }

  /** Closes every connection. @returns how many there were */
  cut(): number {
    const { size } = this.#links;
    for (const link of this.#links) this.#close(link);
    return size;
  }

  /** The answer to the next COMMIT is lost, with its connection. */
  loseNextAnswer(): void {
    this.#answersToLose = 1;
  }

  /** Twice is not safe. */
  async close(): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    this.cut();
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      client.setNoDelay(true);
      try {
        this.#link({ client, server: await this.#connect(), commitName: null, losesAnswer: false });
      } catch {
        client.close(); // what it would see without the proxy
      }
    }
  }

  async #connect(): Promise<Deno.Conn> {
    const { host, port } = this.#server;
    return host.startsWith("/")
      ? await Deno.connect({ transport: "unix", path: `${host}/.s.PGSQL.${port}` })
      : await Deno.connect({ hostname: host, port });
  }

  #link(link: Link): void {
    const { client, server } = link;
    this.#links.add(link);
    const toServer = this.#pump(client, server, (bytes) => {
      if (!isCommit(bytes, link) || this.#answersToLose === 0) return;
      this.#answersToLose--;
      link.losesAnswer = true;
    });
    const toClient = this.#pump(server, client, () => {
      if (!link.losesAnswer) return;
      this.lostAnswers++;
      this.#close(link);
    });
    for (const pump of [toServer, toClient]) {
      // a side that is closed ends the pump, with an error or without
      pump.catch(() => {}).finally(() => this.#close(link));
    }
  }

  /** @param see called with what is about to be passed on */
  async #pump(from: Deno.Conn, to: Deno.Conn, see: (bytes: Uint8Array) => void): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) return;
      see(buffer.subarray(0, count));
      for (let start = 0; start < count;) start += await to.write(buffer.subarray(start, count));
    }
  }

  #close(link: Link): void {
    if (!this.#links.delete(link)) return;
    link.client.close();
    link.server.close();
  }
}

function isCommit(bytes: Uint8Array, link: Link): boolean {
  if (bytes.length > COMMIT_MAX_BYTES) return false;
  const text = LATIN1.decode(bytes);
  link.commitName = PARSE_COMMIT.exec(text)?.[1] ?? link.commitName;
  return link.commitName !== null && text.includes(`\0${link.commitName}\0`);
}

const LATIN1 = new TextDecoder("latin1");
