import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import type { DatabaseTarget } from "../../src/database/database_target.ts";
import {
  embeddedServerStatus,
  startEmbeddedServer,
  stopEmbeddedServer,
} from "../../src/database/embedded_server.ts";
import { TcpProxy } from "../database/tcp_proxy.ts";
import { withOwnPlace } from "../outage/own_place.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, eventLines, ingestOnce, writeEvents } from "../support/ingest_fixture.ts";
import { fastDirectory } from "../support/test_server.ts";
import { PACE, serve, Told } from "./served_dashboard.ts";

Deno.test("a page is told that the database is down, since when, and that it is back", async () => {
  await withOwnPlace(async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 50)));
    await ingestOnce(place);
    await using dashboard = serve({ target: place.database.target });
    await using told = new Told(dashboard.url);
    await told.until("it is told", () => told.sum("traffic", "events") === 50);
    for (const mode of ["fast", "immediate"] as const) {
      const beforeMs = Date.now();
      await place.server.stop(mode);
      await told.until("the outage is told", () => told.trouble !== null);
      const { sinceMs, atMs, code, message, hint } = told.trouble!;
      assert(sinceMs >= beforeMs - 60_000 && sinceMs <= atMs);
      assertMatch(code, /^database-/);
      assertEquals([message.length > 0, hint!.length > 0], [true, true]);
      await told.until("it is tried again", () => told.trouble!.code === "database-unreachable");
      const since = told.trouble!.sinceMs;
      // it is told again and again: a page that is opened meanwhile knows as well
      await using late = new Told(dashboard.url);
      await late.until("the late one knows", () => late.trouble !== null);
      assertEquals(Math.abs(late.trouble!.sinceMs - since) < 5_000, true);
      await place.server.start();
      await place.reconnect();
      await told.until("it is back", () => told.trouble === null);
    }
    await writeEvents(place, "b.csv", csvText(eventLines(50, 70)));
    await ingestOnce(place);
    await told.until("totals go on", () => told.totals!.loaded === 70);
    await told.until("reports go on", () => told.sum("traffic", "events") === 70);
  });
});

Deno.test("a database that is down from the start is waited for", async () => {
  await withOwnPlace(async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 5)));
    await ingestOnce(place);
    await place.server.stop("fast");
    await using dashboard = serve({ target: place.database.target });
    await using told = new Told(dashboard.url);
    await told.until("it is told", () => told.trouble !== null);
    assertEquals([told.trouble!.code, told.pulse], ["database-unreachable", null]);
    await place.server.start();
    await place.reconnect();
    await told.until("it is there", () => told.sum("traffic", "events") === 5);
    await told.until("the pulse as well", () => told.trouble === null);
  });
});

ingestCase(
  "a network that swallows all is told, and closing does not wait for it",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 5)));
    await ingestOnce(place);
    await using proxy = new TcpProxy(place.database.url);
    const target: DatabaseTarget = { kind: "server", url: proxy.through(place.database.url) };
    await using dashboard = serve({ target, pace: { ...PACE, lateMs: 300, silenceMs: 1_000 } });
    await using told = new Told(dashboard.url);
    await told.until("it is told", () => told.totals?.loaded === 5);
    proxy.freeze();
    await told.until("silence is told", () => told.trouble?.code === "status-late");
    assertMatch(told.trouble!.message, /^the database has not answered for \d+ s$/);
    proxy.thaw();
    await told.until("it goes on", () => told.trouble === null);
    proxy.freeze();
    await told.until("silence is told again", () => told.trouble !== null);
    const closingMs = performance.now();
    await dashboard.close();
    // well before any deadline of a connection
    assert(performance.now() - closingMs < 5_000);
    proxy.thaw();
    proxy.cut();
  },
);

ingestCase("a report that fails is told so, and the others go on", async (place) => {
  const { sql } = place.database;
  await writeEvents(place, "a.csv", csvText(eventLines(0, 5)));
  await ingestOnce(place);
  await using dashboard = serve({ target: place.database.target });
  await using told = new Told(dashboard.url);
  await told.until("it is told", () => told.sum("traffic", "events") === 5);
  // what two of the reports read
  await sql`alter table user_events rename to elsewhere`;
  await told.until("the failure is told", () => "error" in (told.reports.funnel ?? {}));
  const { error, hint } = told.reports.funnel as { error: string; hint: string };
  assertMatch(error, /^asking for funnel: relation "user_events" does not exist/);
  assertEquals(hint.length > 0, true);
  assertEquals([told.sum("traffic", "events"), told.trouble], [5, null]);
  await sql`alter table elsewhere rename to user_events`;
  await told.until("it is asked again", () => told.rows("funnel").length > 0);
});

Deno.test("looking makes no embedded server, joins one that appears, and lets it go", async () => {
  const home = await Deno.makeTempDir({ dir: await fastDirectory(), prefix: "pgsluice-home-" });
  await Deno.chmod(home, 0o711); // the server's user has to pass
  const dataDirectory = join(home, "data");
  const target: DatabaseTarget = { kind: "embedded", dataDirectory, database: "spark_db" };
  const events = join(home, "events");
  await Deno.mkdir(events);
  const isUp = async () => (await embeddedServerStatus(dataDirectory)).isUp;
  try {
    const dashboard = serve({ target });
    await using _ = dashboard;
    const told = new Told(dashboard.url);
    await told.until("it is told", () => told.kinds.length > 5);
    assertEquals([told.pulse!.pipeline, told.trouble], [null, null]);
    assertEquals(await Deno.stat(dataDirectory).then(() => true, () => false), false);
    const place = { home, events, database: { target } } as unknown as Parameters<
      typeof ingestOnce
    >[0];
    await writeEvents(place, "a.csv", csvText(eventLines(0, 5)));
    await ingestOnce(place);
    await told.until("it appears", () => told.sum("traffic", "events") === 5);
    assertEquals(await isUp(), true);
    await told[Symbol.asyncDispose]();
    await using again = new Told(dashboard.url);
    await again.until("it is told again", () => again.totals?.loaded === 5);
    await dashboard.close();
    assertEquals(await isUp(), false);
    // stopped by a person, it stays down until somebody starts it
    await using later = serve({ target });
    await using waiting = new Told(later.url);
    await waiting.until("it is up again", () => waiting.totals?.loaded === 5);
    await stopEmbeddedServer(dataDirectory);
    await waiting.until("that is told", () => waiting.trouble?.code === "embedded-stopped");
    assertEquals(await isUp(), false);
    await startEmbeddedServer(dataDirectory, { say: () => {} });
    await waiting.until("it goes on", () => waiting.trouble === null);
  } finally {
    await stopEmbeddedServer(dataDirectory);
    await Deno.remove(home, { recursive: true });
  }
});
