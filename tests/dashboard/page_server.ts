/** The page without a database: what it is told is what a test says. */
import type {
  Hello,
  Pulse,
  Reports,
  Totals,
  Trouble,
} from "../../src/dashboard/dashboard_facts.ts";
import { PAGE_ASSETS, PAGE_TAG } from "../../src/dashboard/page_assets.ts";
import { respond } from "../../src/dashboard/respond.ts";

export interface Facts {
  readonly hello: Hello;
  readonly pulse: Pulse;
  readonly totals: Totals;
  readonly reports: Reports;
  readonly trouble: Trouble;
}

const ENCODER = new TextEncoder();

/**
 * Serves the page with the headers that the dashboard has. Invariant: a viewer that comes hears, after
 * `hello`, the newest of each kind that was not forgotten.
 */
export class PageServer implements AsyncDisposable {
  /** Another one makes open pages load themselves anew. */
  pageTag = PAGE_TAG;
  /** How a request for events is answered; 200 streams them. */
  eventsStatus = 200;
  /** How all others are. */
  pageStatus = 200;
  /** As in `GET /page.js`; events aside. */
  readonly asked: string[] = [];
  readonly #newest = new Map<string, Uint8Array>();
  readonly #viewers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #server: Deno.HttpServer<Deno.NetAddr> | null = null;
  #port = 0;

  constructor() {
    this.start();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Again under the same port, after a `stop`. */
  start(): void {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: this.#port, onListen: () => {} },
      (request) => this.#answer(request),
    );
    this.#port = this.#server.addr.port;
  }

  /** Ends all connections, as a server that is killed. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.drop();
    await server?.shutdown();
  }

  /** Ends the streams, of which each page then wants another one. */
  drop(): void {
    for (const viewer of this.#viewers) viewer.close();
    this.#viewers.clear();
  }

  tell<Kind extends keyof Facts>(kind: Kind, facts: Facts[Kind]): void {
    const bytes = event(kind, facts);
    this.#newest.delete(kind);
    this.#newest.set(kind, bytes);
    if (kind === "pulse") this.#newest.delete("trouble");
    for (const viewer of this.#viewers) viewer.enqueue(bytes);
  }

  forget(...kinds: (keyof Facts)[]): void {
    for (const kind of kinds) this.#newest.delete(kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #answer(request: Request): Response {
    const path = new URL(request.url).pathname;
    if (path === "/events") return this.#stream();
    this.asked.push(`${request.method} ${path}`);
    if (this.pageStatus !== 200) {
      return respond(this.pageStatus, { contentType: "text/plain", body: "not you\n" });
    }
    const asset = PAGE_ASSETS.get(path);
    if (asset === undefined) {
      return respond(404, { contentType: "text/plain", body: "there is no such page\n" });
    }
    return respond(200, { contentType: asset.contentType, body: asset.body });
  }

  #stream(): Response {
    if (this.eventsStatus !== 200) {
      return respond(this.eventsStatus, { contentType: "text/plain", body: "not now\n" });
    }
    let own: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        controller.enqueue(event("hello", { pageTag: this.pageTag }));
        for (const bytes of this.#newest.values()) controller.enqueue(bytes);
        this.#viewers.add(controller);
      },
      cancel: () => {
        this.#viewers.delete(own);
      },
    });
    return respond(200, { contentType: "text/event-stream", body });
  }
}

function event(kind: string, facts: unknown): Uint8Array {
  return ENCODER.encode(`event: ${kind}\ndata: ${JSON.stringify(facts)}\n\n`);
}
