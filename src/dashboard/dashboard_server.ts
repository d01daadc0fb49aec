/** The live page, its files, and its events over HTTP. It tells, and takes no orders. */
import { createHash } from "node:crypto";
import { formatListenAddress, parseListenAddress } from "../metrics/listen_address.ts";
import { serveHttp } from "../metrics/serve_http.ts";
import { DashboardAccess } from "./dashboard_access.ts";
import { DashboardFeed, type DashboardFeedOptions } from "./dashboard_feed.ts";
import { respond } from "./respond.ts";

export interface Asset {
  readonly contentType: string;
  readonly body: string;
}

export interface DashboardOptions extends Omit<DashboardFeedOptions, "pageTag"> {
  /** As `parseListenAddress` reads it. */
  readonly listen: string;
  readonly page: {
    /** By path, `/` among them. */
    readonly assets: ReadonlyMap<string, Asset>;
    /** Another one whenever the assets are others. */
    readonly tag: string;
  };
  /** Asked for where others than this machine's can look; a random one unless given. */
  readonly token?: string;
}

export interface DashboardServer {
  /** What a person opens; with the token, if one is asked for that was not given. */
  readonly url: string;
  /** Who looks needs a token, for it is not of this machine only. */
  readonly needsToken: boolean;
  /** Ends all connections at once. Twice is safe. */
  close(): Promise<void>;
}

/** An asset, and what its bytes are told by. */
interface TaggedAsset extends Asset {
  readonly entityTag: string;
}

/** @throws {PgsluiceError} `listen` */
export function serveDashboard(options: DashboardOptions): DashboardServer {
  const { page, token = randomToken() } = options;
  const assets = new Map([...page.assets].map(([path, asset]) => [path, tagged(asset)]));
  const feed = new DashboardFeed({ ...options, pageTag: page.tag });
  const closing = new AbortController();
  const server = serveHttp(options.listen, {
    signal: closing.signal,
    handler: (request) => access.check(request) ?? answer(request, { assets, feed }),
    onError: (message) => text(500, `error: ${message}`),
  });
  const { hostname: boundAddress, port } = server.addr;
  const access = new DashboardAccess({ boundAddress, port, token });
  const { needsToken } = access;
  return {
    url: urlOf({ hostname: parseListenAddress(options.listen).hostname, port }, {
      token: needsToken && options.token === undefined ? token : null,
    }),
    needsToken,
    async close() {
      await feed.close();
      closing.abort();
      await server.finished;
    },
  };
}

function answer(
  request: Request,
  { assets, feed }: { assets: ReadonlyMap<string, TaggedAsset>; feed: DashboardFeed },
): Response {
  const path = new URL(request.url).pathname;
  const asset = assets.get(path);
  if (asset === undefined && path !== "/events") return text(404, "there is no such page");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return text(405, "only GET and HEAD", { allow: "GET, HEAD" });
  }
  return asset === undefined ? streamEvents(request, feed) : sendAsset(request, asset);
}

/** Of a HEAD's answer the server leaves the body out. */
function sendAsset(request: Request, { contentType, body, entityTag }: TaggedAsset): Response {
  // asked for each time, so that a new pgsluice has its own page, and sent only if it is another
  const headers = { "cache-control": "no-cache", etag: entityTag };
  const isKnown = request.headers.get("if-none-match") === entityTag;
  return isKnown
    ? respond(304, { contentType, body: null, headers })
    : respond(200, { contentType, body, headers });
}

function streamEvents(request: Request, feed: DashboardFeed): Response {
  if (isFromElsewhere(request)) return text(403, "only the dashboard's own page may ask for this");
  const contentType = "text/event-stream";
  // neither packed nor kept back by what is between
  const headers = { "cache-control": "no-store, no-transform", "x-accel-buffering": "no" };
  if (request.method === "HEAD") return respond(200, { contentType, body: null, headers });
  const body = feed.join();
  if (body === null) return text(503, "too many pages are open");
  return respond(200, { contentType, body, headers });
}

/** A page of another site cannot read the answer, but could keep the database busy. */
function isFromElsewhere(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  return site === "cross-site" || site === "same-site";
}

function tagged(asset: Asset): TaggedAsset {
  const hash = createHash("sha256").update(asset.body).digest("base64url");
  return { ...asset, entityTag: `"${hash}"` };
}

function text(
  status: number,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return respond(status, {
    contentType: "text/plain; charset=utf-8",
    body: `${line}\n`,
    headers,
  });
}

/** 256 bits, in the letters of URLs. */
function randomToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function urlOf(
  { hostname, port }: { hostname: string; port: number },
  { token }: { token: string | null },
): string {
  // bound to all addresses: by its name others find this machine
  const isAny = hostname === "0.0.0.0" || hostname === "::";
  const place = formatListenAddress({ hostname: isAny ? Deno.hostname() : hostname, port });
  return `http://${place}/${token === null ? "" : `?token=${token}`}`;
}
