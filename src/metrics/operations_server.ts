/** What people and machines ask of an ingester over HTTP. It tells, and takes no orders. */
import { PgsluiceError } from "../pgsluice_error.ts";
import type { Health } from "./health.ts";
import type { IngestMetrics } from "./ingest_metrics.ts";
import { formatListenAddress } from "./listen_address.ts";
import { serveHttp } from "./serve_http.ts";
import { SharedQuestion } from "./shared_question.ts";

/** Shorter than the 10 s that Prometheus and most probes wait. */
const STATUS_DEADLINE_MS = 2_000;

export interface OperationsOptions {
  /** As `parseListenAddress` reads it. */
  readonly listen: string;
  readonly metrics: Pick<IngestMetrics, "expose">;
  readonly health: Pick<Health, "notLive" | "notReady">;
  /** What `/status` tells, as JSON; ends soon after the signal is aborted. */
  readonly status: (signal: AbortSignal) => Promise<unknown>;
}

export interface OperationsServer {
  /** As in `127.0.0.1:9464`, with the port that was found if none was named. */
  readonly address: string;
  /** Ends all connections at once. Twice is safe. */
  close(): Promise<void>;
}

interface Page {
  readonly summary: string;
  /** @param accept what the request's header of that name says */
  answer(accept: string | null): Promise<Response>;
}

/** @throws {PgsluiceError} `listen` */
export function serveOperations(options: OperationsOptions): OperationsServer {
  const question = new SharedQuestion(options.status, { deadlineMs: STATUS_DEADLINE_MS });
  const pages = pagesOf(options, question);
  const closing = new AbortController();
  const server = serveHttp(options.listen, {
    signal: closing.signal,
    handler: (request) => answer(request, pages),
    onError: (message) => text(500, [`error: ${message}`]),
  });
  return {
    address: formatListenAddress(server.addr),
    async close() {
      question.end();
      closing.abort();
      await server.finished;
    },
  };
}

function pagesOf(
  { metrics, health }: OperationsOptions,
  question: SharedQuestion<unknown>,
): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>();
  pages.set("/", {
    summary: "this list",
    answer: () =>
      Promise.resolve(
        text(200, [...pages].map(([path, { summary }]) => `${path.padEnd(8)} ${summary}`)),
      ),
  });
  pages.set("/metrics", {
    summary: "for Prometheus; OpenMetrics if Accept asks for it",
    answer: async (accept) => {
      const exposed = await metrics.expose(accept);
      return respond(200, { contentType: exposed.contentType, body: exposed.text });
    },
  });
  pages.set("/livez", {
    summary: "200 while the ingester lives, 503 and the reason while it hangs",
    answer: () => Promise.resolve(verdict("live", health.notLive())),
  });
  pages.set("/readyz", {
    summary: "200 while the ingester loads what comes, 503 and the reasons while it does not",
    answer: () => Promise.resolve(verdict("ready", health.notReady())),
  });
  pages.set("/status", {
    summary: "the pipeline as JSON, from the database",
    answer: () => tellStatus(question),
  });
  return pages;
}

async function answer(request: Request, pages: ReadonlyMap<string, Page>): Promise<Response> {
  const page = pages.get(new URL(request.url).pathname);
  if (page === undefined) return text(404, ["there is no such page; / lists those there are"]);
  // of a HEAD's answer the server leaves the body out
  if (request.method !== "GET" && request.method !== "HEAD") {
    const response = text(405, ["only GET and HEAD"]);
    response.headers.set("allow", "GET, HEAD");
    return response;
  }
  return await page.answer(request.headers.get("accept"));
}

async function tellStatus(question: SharedQuestion<unknown>): Promise<Response> {
  try {
    return json(200, await question.ask());
  } catch (error) {
    const [code, hint] = error instanceof PgsluiceError
      ? [error.code, error.hint]
      : ["database-error", null];
    return json(503, { error: { code, message: messageOf(error), hint } });
  }
}

function verdict(word: "live" | "ready", reasons: readonly string[]): Response {
  if (reasons.length === 0) return text(200, [word]);
  return text(503, reasons.map((reason) => `not ${word}: ${reason}`));
}

function text(status: number, lines: readonly string[]): Response {
  const body = lines.map((line) => `${line}\n`).join("");
  return respond(status, { contentType: "text/plain; charset=utf-8", body });
}

function json(status: number, value: unknown): Response {
  return respond(status, { contentType: "application/json", body: `${JSON.stringify(value)}\n` });
}

function respond(
  status: number,
  { contentType, body }: { contentType: string; body: string },
): Response {
  return new Response(body, {
    status,
    headers: { "content-type": contentType, "cache-control": "no-store" },
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
