import { assert, assertEquals, assertLess } from "@std/assert";
import { EventAudience } from "../../src/dashboard/event_audience.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, eventLines, ingestOnce, writeEvents } from "../support/ingest_fixture.ts";
import { until } from "../support/until.ts";
import { serve, Told } from "./served_dashboard.ts";

const DECODER = new TextDecoder();

function audienceOf(most = 10): EventAudience {
  const greeting = { kind: "hello", facts: { pageTag: "t" } };
  return new EventAudience({ most, greeting, onChange: () => {} });
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const texts: string[] = [];
  for await (const bytes of stream) texts.push(DECODER.decode(bytes));
  return texts;
}

Deno.test("a stream begins with the greeting and the newest of each kind, in their order", async () => {
  const audience = audienceOf();
  audience.tell("pulse", { n: 1 });
  audience.tell("totals", { n: 2 });
  audience.tell("pulse", { n: 3, text: "line\nline" });
  audience.tell("trouble", { n: 4 });
  audience.forget("trouble");
  const reader = audience.join()!.getReader();
  const texts: string[] = [];
  for (let event = 0; event < 4; event++) texts.push(DECODER.decode((await reader.read()).value));
  assertEquals(texts, [
    "retry: 1000\n\n",
    'id: 5\nevent: hello\ndata: {"pageTag":"t"}\n\n',
    'id: 2\nevent: totals\ndata: {"n":2}\n\n',
    'id: 3\nevent: pulse\ndata: {"n":3,"text":"line\\nline"}\n\n',
  ]);
  await reader.cancel();
  assertEquals(audience.size, 0);
});

Deno.test("of what a slow reader has not read, only the newest of each kind waits", async () => {
  const audience = audienceOf();
  const reader = audience.join()!.getReader();
  for (let n = 1; n <= 1_000; n++) {
    audience.tell("pulse", { n });
    if (n % 10 === 0) audience.tell("totals", { n });
    if (n === 500) audience.tell("reports", { n });
  }
  const heard: string[] = [];
  for (let event = 0; event < 5; event++) heard.push(DECODER.decode((await reader.read()).value));
  assertEquals(heard.slice(2).map((text) => text.slice(text.indexOf("event"))), [
    'event: reports\ndata: {"n":500}\n\n',
    'event: pulse\ndata: {"n":1000}\n\n',
    'event: totals\ndata: {"n":1000}\n\n',
  ]);
  // and it hears on
  const next = reader.read();
  audience.tell("pulse", { n: 1_001 });
  assertEquals(DECODER.decode((await next).value).includes('{"n":1001}'), true);
  await reader.cancel();
});

Deno.test("too many viewers are refused, and a place that gets free is given again", async () => {
  const audience = audienceOf(2);
  const [first, second] = [audience.join()!, audience.join()!];
  assertEquals([audience.join(), audience.size], [null, 2]);
  await first.cancel();
  const third = audience.join()!;
  assertEquals(audience.size, 2);
  audience.dismiss();
  assertEquals((await Promise.all([second, third].map(readAll))).map(({ length }) => length), [
    0,
    0,
  ]);
});

Deno.test("a connection that is not read takes no memory, and then has whole events", async () => {
  const audience = audienceOf();
  const closing = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: closing.signal,
    onListen: () => {},
    handler: () => new Response(audience.join()),
  });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  await until("it is a viewer", () => audience.size === 1);
  // 500 MB, most of them while nothing is read
  const long = "x".repeat(1_000_000);
  for (let n = 1; n <= 500; n++) {
    audience.tell("pulse", { n, long });
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(1 << 20);
  let text = "";
  let readBytes = 0;
  while (!text.endsWith('"last":true}\n\n\r\n')) {
    const count = await connection.read(bytes);
    assert(count !== null);
    readBytes += count;
    text += decoder.decode(bytes.subarray(0, count), { stream: true });
    if (text.includes('"n":500')) audience.tell("totals", { last: true });
  }
  assertLess(readBytes, 100_000_000);
  const numbers = text.replace(/\r\n[0-9A-F]+\r\n/g, "").split("\n\n")
    .filter((event) => event.includes("event: pulse"))
    .map((event) => JSON.parse(/^data: (.*)$/m.exec(event)![1]!))
    .map((pulse) => (assertEquals(pulse.long.length, long.length), pulse.n));
  assertEquals(numbers.at(-1), 500);
  assertEquals(numbers, [...numbers].sort((a, b) => a - b));
  connection.close();
  await until("it has gone", () => audience.size === 0);
  closing.abort();
  await server.finished;
});

ingestCase("closing ends all streams at once, and lets the port go", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 5)));
  await ingestOnce(place);
  const dashboard = serve({ target: place.database.target });
  const pages = Array.from({ length: 5 }, () => new Told(dashboard.url));
  for (const page of pages) await page.until("it is told", () => page.totals !== null);
  await dashboard.close();
  await dashboard.close();
  await Promise.all(pages.map((page) => page.ended()));
  // a server ends the session of a closed connection in its own time
  await until("no session is left", async () => {
    const left = await place.database.sql`
      select from pg_stat_activity
      where datname = current_database() and application_name like 'pgsluice dashboard%'`;
    return left.length === 0;
  });
  await using again = serve({
    target: place.database.target,
    listen: new URL(dashboard.url).host,
  });
  assertEquals(again.url, dashboard.url);
});
