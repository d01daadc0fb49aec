/**
 * Who may look at the dashboard.
 *
 * - Bound to this machine only: whoever is on it. A page of another site, whose name its owner lets
 *   point here, is none of them: the browser says in `Host` which name it asked for.
 * - Bound elsewhere: who has the token. It stands in the URL once, and is exchanged for a cookie, so
 *   that it stays neither in the address bar nor in the history.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { respond } from "./respond.ts";

/** A name of this machine, with any port: `ssh -L` brings the page under another one. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

const LOOPBACK_ADDRESS = /^(?:127(?:\.\d{1,3}){3}|::1)$/;

export interface DashboardAccessOptions {
  /** As the system has it: numbers, without brackets. */
  readonly boundAddress: string;
  readonly port: number;
  /** Not asked for on a loopback address. */
  readonly token: string;
}

export class DashboardAccess {
  /** False: whoever is on this machine may look. */
  readonly needsToken: boolean;
  readonly #port: number;
  readonly #tokenDigest: Uint8Array;
  /** One for each port: browsers keep the cookies of a host together. */
  readonly #cookieName: string;

  constructor({ boundAddress, port, token }: DashboardAccessOptions) {
    this.needsToken = !LOOPBACK_ADDRESS.test(boundAddress);
    this.#port = port;
    this.#tokenDigest = digest(token);
    this.#cookieName = `pgsluice-dashboard-${port}`;
  }

  /** @returns what is answered in place of what was asked for; null if it may be seen */
  check(request: Request): Response | null {
    return this.needsToken ? this.#checkToken(request) : this.#checkHost(request);
  }

  #checkHost(request: Request): Response | null {
    if (LOOPBACK_HOST.test(request.headers.get("host") ?? "")) return null;
    return page(403, {
      title: "Not under this name",
      text: `This dashboard is of this machine only. Open http://127.0.0.1:${this.#port}/ on it, ` +
        "or start it with --listen and an address that others can reach: it then asks for a token.",
    });
  }

  #checkToken(request: Request): Response | null {
    const given = new URL(request.url).searchParams.get("token");
    if (given !== null && this.#isToken(given)) {
      return respond(303, {
        contentType: "text/plain; charset=utf-8",
        body: "",
        headers: {
          location: "/",
          // not Strict, under which a link in a chat or a ticket ends at the 401, the one with the
          // token as well; of what it protects, no other site can frame, read or change anything
          "set-cookie": `${this.#cookieName}=${encodeURIComponent(given)}; Path=/; HttpOnly; ` +
            "SameSite=Lax",
        },
      });
    }
    if (given === null && this.#hasCookie(request)) return null;
    return page(401, {
      title: given === null ? "A token is needed" : "Not the right token",
      text:
        "Open the URL that `pgsluice dashboard` printed when it started, with everything behind " +
        "the question mark. Unless it was given a token, it makes a new one at each start.",
    });
  }

  #hasCookie(request: Request): boolean {
    const cookies = (request.headers.get("cookie") ?? "").split(";").map((each) => each.trim());
    const prefix = `${this.#cookieName}=`;
    return cookies.some((cookie) =>
      cookie.startsWith(prefix) && this.#isToken(decoded(cookie.slice(prefix.length)))
    );
  }

  /** Takes as long whatever of it is right. */
  #isToken(given: string): boolean {
    return timingSafeEqual(digest(given), this.#tokenDigest);
  }
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param content without anything that HTML would read as markup */
function page(status: number, { title, text }: { title: string; text: string }): Response {
  return respond(status, {
    contentType: "text/html; charset=utf-8",
    body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} – pgsluice</title>
<h1>${title}</h1>
<p>${text}</p>
`,
    headers: status === 401 ? { "www-authenticate": "Token" } : {},
  });
}
