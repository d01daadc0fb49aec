import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { DashboardAccess } from "../../src/dashboard/dashboard_access.ts";
import type { DashboardOptions } from "../../src/dashboard/dashboard_server.ts";
import type { DatabaseTarget } from "../../src/database/database_target.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { PAGE, serve } from "./served_dashboard.ts";

/** Of pages that ask nothing of a database. */
const NOWHERE: DatabaseTarget = { kind: "server", url: "postgresql://nobody@/none?host=/nowhere" };

const SECURITY = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function get(url: string | URL, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { redirect: "manual", ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function assertSecurity({ headers }: Answer): void {
  for (const [name, value] of Object.entries(SECURITY)) {
    assertEquals(headers.get(name), value, name);
  }
  assertEquals(headers.get("access-control-allow-origin"), null);
}

/** Where everybody who has the token may look, as asked for on this machine. */
function serveOpenly(change: Partial<DashboardOptions> = {}) {
  const dashboard = serve({ target: NOWHERE, listen: "0.0.0.0:0", ...change });
  const { port, search } = new URL(dashboard.url);
  return { dashboard, search, local: `http://127.0.0.1:${port}` };
}

/** What is answered to these bytes, until the connection is closed. */
async function rawAnswer(url: string, lines: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(
    new TextEncoder().encode([...lines, "Connection: close", "", ""].join("\r\n")),
  );
  return await new Response(connection.readable).text();
}

Deno.test("every answer forbids what the page does not need", async () => {
  await using dashboard = serve({ target: NOWHERE });
  for (const [path, { body, contentType }] of PAGE.assets) {
    const answer = await get(new URL(path, dashboard.url));
    assertEquals([answer.status, answer.text], [200, body]);
    assertEquals(answer.headers.get("content-type"), contentType);
    assertSecurity(answer);
  }
  for (const [path, status] of [["/none", 404], ["/page.js/", 404], ["//", 404]] as const) {
    const answer = await get(new URL(dashboard.url).origin + path);
    assertEquals([answer.status, answer.text], [status, "there is no such page\n"]);
    assertEquals(answer.headers.get("cache-control"), "no-store");
    assertSecurity(answer);
  }
});

Deno.test("only GET and HEAD are answered, and a HEAD opens no stream", async () => {
  await using dashboard = serve({ target: NOWHERE });
  for (const path of ["/", "/page.js", "/events"]) {
    const url = new URL(path, dashboard.url);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await get(url, { method });
      assertEquals([answer.status, answer.headers.get("allow")], [405, "GET, HEAD"], method);
      assertSecurity(answer);
    }
    const head = await get(url, { method: "HEAD" });
    assertEquals([head.status, head.text], [200, ""]);
    assertSecurity(head);
  }
});

Deno.test("a file of the page is sent once, and then only if it is another one", async () => {
  await using dashboard = serve({ target: NOWHERE });
  const url = new URL("/page.js", dashboard.url);
  const { headers } = await get(url);
  assertEquals(headers.get("cache-control"), "no-cache");
  const known = { headers: { "if-none-match": headers.get("etag")! } };
  const again = await get(url, known);
  assertEquals([again.status, again.text], [304, ""]);
  assertSecurity(again);
  assertEquals((await get(new URL("/", dashboard.url), known)).status, 200);
});

Deno.test("on this machine it answers under the machine's own names only", async () => {
  await using dashboard = serve({ target: NOWHERE });
  assertEquals(dashboard.needsToken, false);
  assertMatch(dashboard.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  const { port } = new URL(dashboard.url);
  const ask = (...lines: string[]) => rawAnswer(dashboard.url, ["GET / HTTP/1.1", ...lines]);
  // any port: `ssh -L 9000:localhost:8766` brings the page under that one
  for (
    const host of ["localhost", `127.0.0.1:${port}`, "[::1]:9000", "LOCALHOST:80", "127.0.0.2"]
  ) {
    assertMatch(await ask(`Host: ${host}`), /^HTTP\/1\.1 200 /, host);
  }
  const foreign = [
    "rebound.example",
    `rebound.example:${port}`,
    "localhost.rebound.example",
    "127.0.0.1.rebound.example",
    "localhost:1:2",
    "user@localhost",
    "192.0.2.1",
    "",
  ];
  for (const host of foreign) {
    const answer = await ask(`Host: ${host}`);
    assertMatch(answer, /^HTTP\/1\.1 (?:403|400) /, host);
    assertEquals(answer.includes("<title>page"), false, host);
  }
  assertMatch(
    await rawAnswer(dashboard.url, ["GET /events HTTP/1.1", "Host: rebound.example"]),
    new RegExp(`^HTTP/1\\.1 403 [^]*http://127\\.0\\.0\\.1:${port}/`),
  );
});

Deno.test("a page of another site cannot make the dashboard ask the database", async () => {
  await using dashboard = serve({ target: NOWHERE });
  for (const site of ["cross-site", "same-site"]) {
    const events = new URL("/events", dashboard.url);
    const answer = await get(events, { headers: { "sec-fetch-site": site } });
    assertEquals([answer.status, answer.headers.get("content-type")], [
      403,
      "text/plain; charset=utf-8",
    ]);
    // a link to the page is followed from anywhere
    assertEquals((await get(dashboard.url, { headers: { "sec-fetch-site": site } })).status, 200);
  }
});

Deno.test("where others can look, the token of the URL becomes a cookie and leaves the URL", async () => {
  const { dashboard, search, local } = serveOpenly();
  await using _ = dashboard;
  assertEquals(dashboard.needsToken, true);
  assertMatch(search, /^\?token=[\w-]{43}$/);
  const first = await get(`${local}/${search}`);
  assertEquals([first.status, first.headers.get("location"), first.text], [303, "/", ""]);
  assertSecurity(first);
  const cookie = first.headers.get("set-cookie")!;
  assertMatch(
    cookie,
    /^pgsluice-dashboard-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  const [pair] = cookie.split(";");
  for (const path of ["/", "/page.js"]) {
    assertEquals((await get(local + path, { headers: { cookie: pair! } })).status, 200);
  }
  // among others, as browsers send them
  const others = `a=b; ${pair}; pgsluice-dashboard-1=c`;
  assertEquals((await get(local, { headers: { cookie: others } })).status, 200);
  // by whatever name: who has the cookie has been here
  const named = ["GET / HTTP/1.1", "Host: shop.example", `Cookie: ${pair}`];
  assertMatch(await rawAnswer(local, named), /^HTTP\/1\.1 200 /);
});

Deno.test("without the token, or with another one, there is nothing but what to do", async () => {
  const { dashboard, search, local } = serveOpenly();
  await using _ = dashboard;
  const { port } = new URL(local);
  const wrong = `${search.slice(0, -1)}${search.endsWith("A") ? "B" : "A"}`;
  const name = `pgsluice-dashboard-${port}`;
  const cases: [string, Record<string, string>][] = [
    ["/", {}],
    ["/page.js", {}],
    ["/events", {}],
    ["/none", {}],
    ["/?token=", {}],
    [`/${wrong}`, {}],
    ["/", { cookie: `${name}=${wrong.slice("?token=".length)}` }],
    ["/", { cookie: `${name}=%` }],
    ["/", { cookie: `other=${search.slice("?token=".length)}` }],
    // a wrong one is not made good by a cookie, so that it is noticed
    [`/${wrong}`, { cookie: `${name}=${search.slice("?token=".length)}` }],
  ];
  for (const [path, headers] of cases) {
    const answer = await get(local + path, { headers });
    assertEquals([answer.status, answer.headers.get("set-cookie")], [401, null], path);
    assert(answer.headers.has("www-authenticate"));
    assertMatch(answer.text, /Open the URL that `pgsluice dashboard` printed/);
    assertSecurity(answer);
    assertEquals(answer.text.includes(search.slice("?token=".length)), false);
  }
  const post = await get(local, { method: "POST" });
  assertEquals(post.status, 401);
});

Deno.test("each start has a token of its own, unless one is given, which is not told", async () => {
  const searches = new Set<string>();
  for (let start = 0; start < 3; start++) {
    const { dashboard, search } = serveOpenly();
    await dashboard.close();
    searches.add(search);
  }
  assertEquals(searches.size, 3);
  const token = "a given one/+&=ü";
  const { dashboard, local, search } = serveOpenly({ token });
  await using _ = dashboard;
  assertEquals(search, "");
  const first = await get(`${local}/?token=${encodeURIComponent(token)}`);
  assertEquals(first.status, 303);
  const [cookie] = first.headers.get("set-cookie")!.split(";");
  assertEquals((await get(local, { headers: { cookie: cookie! } })).status, 200);
});

Deno.test("only loopback addresses are of this machine alone", () => {
  const needs = (boundAddress: string) =>
    new DashboardAccess({ boundAddress, port: 1, token: "t" }).needsToken;
  assertEquals(["127.0.0.1", "127.1.2.3", "::1"].map(needs), [false, false, false]);
  const others = ["0.0.0.0", "::", "192.0.2.1", "::ffff:127.0.0.1", "fe80::1", "10.127.0.1"];
  assertEquals(others.map(needs), others.map(() => true));
});

Deno.test("an address that is taken, or none, is an error that says so", async () => {
  await using dashboard = serve({ target: NOWHERE });
  const { host } = new URL(dashboard.url);
  const taken = assertThrows(() => serve({ target: NOWHERE, listen: host }), PgsluiceError);
  assertEquals([taken.code, taken.exitCode], ["listen", 1]);
  assertMatch(taken.hint, /another port/);
  const none = assertThrows(() => serve({ target: NOWHERE, listen: "here" }), PgsluiceError);
  assertEquals([none.code, none.exitCode], ["listen", 2]);
});
