import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { formatListenAddress, parseListenAddress } from "../../src/metrics/listen_address.ts";
import { serveOperations } from "../../src/metrics/operations_server.ts";
import { SharedQuestion } from "../../src/metrics/shared_question.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { OWNER_TIMES } from "../../src/sink/pipeline_owner.ts";
import { TcpProxy } from "../database/tcp_proxy.ts";
import { withOwnPlace } from "../outage/own_place.ts";
import { SteadyLoad } from "../outage/steady_load.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { OPEN_METRICS, OperatedIngest } from "./operated_ingest.ts";

const PAGES = ["/", "/metrics", "/livez", "/readyz", "/status"];

ingestCase("each page answers while an ingester loads", async (place) => {
  await using operated = new OperatedIngest(place, {
    limits: { rows: 50, sizeBytes: 1e9, lingerMs: 1 },
  });
  const { heard } = operated;
  await heard.until(() => heard.scans === 1);
  const load = new SteadyLoad(place);
  await load.add(20);
  let rounds = 0;
  let rowsBefore = 0;
  while (rounds === 0 || heard.loaded < load.rows) {
    const answers = await Promise.all(PAGES.map((path) => operated.get(path)));
    assertEquals(answers.map(({ status }) => status), [200, 200, 200, 200, 200]);
    const rows = (await operated.value("pgsluice_rows_total"))!;
    assert(rows >= rowsBefore);
    rowsBefore = rows;
    rounds++;
  }
  assertEquals(await operated.value("pgsluice_rows_total"), load.rows);
  const status = await operated.get("/status");
  assertEquals(status.type, "application/json");
  const [pipeline, ...others] = JSON.parse(status.text).pipelines;
  assertEquals([pipeline.name, pipeline.loaded, pipeline.hasOwner], ["default", load.rows, true]);
  // twenty that are done need no list
  assertEquals([pipeline.filesByState.done, pipeline.files, others], [20, [], []]);
});

Deno.test("each page answers while the database is down, and tells so", async () => {
  await withOwnPlace(async (place) => {
    await using operated = new OperatedIngest(place);
    const { heard } = operated;
    await heard.until(() => heard.scans === 1);
    await place.server.stop("fast");
    await heard.until(() => heard.outages.length === 1);
    assertEquals((await operated.get("/livez")).status, 200);
    const ready = await operated.get("/readyz");
    assertEquals(ready.status, 503);
    assertMatch(ready.text, /^not ready: the database is down, for \d+ s \(database-[a-z]+\)\n$/);
    assertEquals(await operated.value("pgsluice_database_up"), 0);
    assertEquals(await operated.value("pgsluice_owner"), 0);
    assertEquals(await operated.value("pgsluice_outages_total"), 1);
    const status = await operated.get("/status");
    assertEquals(status.status, 503);
    assertEquals(JSON.parse(status.text).error.code, "database-unreachable");
    await place.server.start();
    await place.reconnect();
    await heard.until(() => heard.recoveries.length === 1);
    assertEquals((await operated.get("/readyz")).text, "ready\n");
    assertEquals(await operated.value("pgsluice_database_up"), 1);
    assertEquals((await operated.get("/status")).status, 200);
  });
});

ingestCase(
  "/status answers within seconds when the network swallows the question",
  async (place) => {
    await using proxy = new TcpProxy(place.database.url);
    const url = proxy.through(place.database.url);
    await using operated = new OperatedIngest(place, {
      target: { kind: "server", url },
      times: {
        owner: { ...OWNER_TIMES, heartbeatMs: 100, heartbeatDeadlineMs: 500, silenceMs: 500 },
      },
    });
    await operated.heard.until(() => operated.heard.scans === 1);
    proxy.freeze();
    const answers = await Promise.all([operated.get("/status"), operated.get("/status")]);
    for (const { status, text } of answers) {
      assertEquals([status, JSON.parse(text).error.code], [503, "status-late"]);
    }
    assertEquals((await operated.get("/livez")).status, 200);
    await operated.scrape();
    proxy.thaw();
    proxy.cut();
  },
);

interface Told {
  notLive?: readonly string[];
  status?: () => Promise<unknown>;
}

async function withServer(
  told: Told,
  use: (get: (path: string, init?: RequestInit) => Promise<Response>) => Promise<void>,
): Promise<void> {
  const reasons = told.notLive ?? [];
  const server = serveOperations({
    listen: "127.0.0.1:0",
    metrics: {
      expose: (accept) => Promise.resolve({ contentType: "text/plain", text: `${accept}\n` }),
    },
    health: { notLive: () => reasons, notReady: () => [...reasons, "no"] },
    status: told.status ?? (() => Promise.resolve({ fine: true })),
  });
  try {
    await use((path, init) => fetch(`http://${server.address}${path}`, init));
  } finally {
    await server.close();
    await server.close();
  }
}

Deno.test("the server lists its pages, answers HEAD, and refuses what it does not have", async () => {
  await withServer({}, async (get) => {
    const list = await (await get("/")).text();
    assertEquals(list.split("\n").map((line) => line.split(" ")[0]), [...PAGES, ""]);
    for (const path of PAGES) {
      const head = await get(path, { method: "HEAD" });
      assertEquals([head.status, await head.text()], [path === "/readyz" ? 503 : 200, ""]);
      const post = await get(path, { method: "POST", body: "x" });
      assertEquals([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
      await post.body?.cancel();
    }
    for (const path of ["/metrics/", "/Status", "/favicon.ico", "//"]) {
      const answer = await get(path);
      assertEquals([answer.status, await answer.text()], [
        404,
        "there is no such page; / lists those there are\n",
      ]);
    }
    const asked = await get("/metrics?x=1", { headers: { accept: OPEN_METRICS } });
    assertEquals(await asked.text(), `${OPEN_METRICS}\n`);
  });
});

Deno.test("a page that is not live or ready gives each reason a line", async () => {
  await withServer({ notLive: ["it hangs", "it burns"] }, async (get) => {
    const live = await get("/livez");
    assertEquals([live.status, await live.text()], [
      503,
      "not live: it hangs\nnot live: it burns\n",
    ]);
    const ready = await get("/readyz");
    assertEquals((await ready.text()).split("\n").length, 4);
  });
});

Deno.test("a fault of the status is an answer, in JSON, with what to do about it", async () => {
  const fault = new PgsluiceError("database-missing", "there is none", { hint: "make one" });
  await withServer({ status: () => Promise.reject(fault) }, async (get) => {
    const answer = await get("/status");
    assertEquals([answer.status, answer.headers.get("content-type")], [503, "application/json"]);
    const error = { code: "database-missing", message: "there is none", hint: "make one" };
    assertEquals(await answer.json(), { error });
  });
});

Deno.test("those who ask at the same time share one question, and the next ask anew", async () => {
  let asked = 0;
  const gate = Promise.withResolvers<void>();
  const question = new SharedQuestion(async () => {
    const mine = ++asked;
    await gate.promise;
    return mine;
  }, { deadlineMs: 60_000 });
  const answers = [question.ask(), question.ask(), question.ask()];
  gate.resolve();
  assertEquals(await Promise.all(answers), [1, 1, 1]);
  assertEquals(await question.ask(), 2);
});

Deno.test("a question that takes too long is told to end, and no second one is asked beside it", async () => {
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  let isTold = false;
  const question = new SharedQuestion(async (signal) => {
    asked++;
    signal.addEventListener("abort", () => isTold = true);
    await gate.promise;
    return "late";
  }, { deadlineMs: 20 });
  const late = async () => {
    const error = await question.ask().then(() => null, (why) => why);
    assert(error instanceof PgsluiceError);
    assertEquals(error.code, "status-late");
  };
  await late();
  await late();
  assertEquals([asked, isTold], [1, true]);
  gate.resolve();
  assertEquals(await question.ask(), "late");
});

Deno.test("an address is HOST:PORT, and without a host of this machine only", () => {
  const good: [string, string][] = [
    ["127.0.0.1:9464", "127.0.0.1:9464"],
    [":9464", "127.0.0.1:9464"],
    ["0.0.0.0:1", "0.0.0.0:1"],
    ["localhost:0", "localhost:0"],
    ["[::1]:65535", "[::1]:65535"],
  ];
  for (const [text, expected] of good) {
    assertEquals(formatListenAddress(parseListenAddress(text)), expected);
  }
  const bad = ["", "9464", "127.0.0.1", "host:", ":65536", "::1:9464", "[::1]", "http://host:1"];
  for (const text of [...bad, "a b:1", "user@host:1", "host:1/path", ":-1"]) {
    const error = assertThrows(() => parseListenAddress(text), PgsluiceError);
    assertEquals([error.code, error.exitCode], ["listen", 2], text);
  }
});

Deno.test("an address that is taken, or is not here, is an error that names it", async () => {
  await withServer({}, async (get) => {
    const address = new URL((await get("/livez").then(drained)).url).host;
    const error = assertThrows(() => listenOn(address), PgsluiceError);
    assertEquals([error.code, error.exitCode], ["listen", 1]);
    assertMatch(error.message, new RegExp(`^cannot listen on ${address}: .*in use`));
    assertMatch(error.hint, /another port/);
  });
  // kept for documentation: no machine has it
  const error = assertThrows(() => listenOn("192.0.2.1:0"), PgsluiceError);
  assertEquals([error.code, error.exitCode], ["listen", 1]);
});

function listenOn(listen: string) {
  return serveOperations({
    listen,
    metrics: { expose: () => Promise.reject(new Error("not asked")) },
    health: { notLive: () => [], notReady: () => [] },
    status: () => Promise.resolve(null),
  });
}

async function drained(response: Response): Promise<Response> {
  await response.body?.cancel();
  return response;
}
