import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { IngestLog } from "../../src/cli/ingest_log.ts";
import type { Terminal } from "../../src/cli/command.ts";
import { databaseError } from "../../src/database/fault.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { ownCluster } from "../database/own_cluster.ts";
import {
  csvText,
  eventLines,
  folderSource,
  ingestOnce,
  ingestWatching,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { withOwnPlace } from "./own_place.ts";
import { SpawnedIngester } from "./spawned_ingester.ts";
import { SteadyLoad } from "./steady_load.ts";

function linesOf(tell: (log: IngestLog) => void): string[] {
  const lines: string[] = [];
  const terminal: Pick<Terminal, "log"> = { log: ({ message }) => lines.push(message) };
  tell(new IngestLog(terminal));
  return lines;
}

Deno.test("an outage is one line that says what and that it is tried again, and one when it is over", () => {
  const cause = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
  const error = databaseError(cause, "connecting to postgresql://db/shop");
  const refused = "database: connecting to postgresql://db/shop: nothing listens there " +
    "(connection refused); ";
  const lines = linesOf((log) => {
    log.outage({ error, awayMs: 0, hasStood: true });
    log.recovered({ awayMs: 12_000 });
    log.outage({ error, awayMs: 0, hasStood: false });
    log.outage({ error, awayMs: 60_000, hasStood: true });
  });
  assertEquals(lines[0], `${refused}trying until it works`);
  assertEquals(lines[1], "database: works again, after 12.0 s");
  // advice where it may never have been right, and where it has lasted
  assertStringIncludes(lines[2]!, `${refused}trying until it works (check that the server runs`);
  assertStringIncludes(lines[3]!, "database: for 1m 00s: connecting");
  assertStringIncludes(lines[3]!, "; still trying until it works (check that the server runs");
});

Deno.test("a watching ingest waits for a database that comes after it; what is to end by itself fails at once", async () => {
  await withPlace(await testDatabase(), async (place) => {
    await using server = await ownCluster();
    await server.stop("fast");
    const target = { kind: "server" as const, url: server.url };
    const bounded = [
      {},
      { source: folderSource(place, { once: false }), noWait: true },
      { noWait: false },
      {
        source: {
          kind: "stream" as const,
          stream: ReadableStream.from([new TextEncoder().encode(csvText(eventLines(0, 2)))]),
          sourceId: "shop",
        },
        noWait: false,
      },
    ];
    for (const change of bounded) {
      const error = await assertRejects(
        () => ingestOnce(place, { target, ...change }),
        PgsluiceError,
      );
      assertEquals(error.code, "database-unreachable");
    }
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await using watching = new SpawnedIngester(place, { url: server.url });
    await watching.said("no server listens there");
    await server.start();
    await watching.said("works again");
    watching.signal("SIGTERM");
    assertEquals((await watching.ended()).code, 0);
    const lines = watching.stderr.trim().split("\n");
    assertEquals(lines.filter((line) => line.includes("no server listens")).length, 1);
    assertStringIncludes(watching.stderr, "10 loaded");
    // the first line, before anything else
    assertStringIncludes(lines[0]!, "trying until it works");
  });
});

Deno.test("a stop during an outage ends the ingest, and the next one goes on where the ledger stands", async () => {
  await withOwnPlace(async (place) => {
    const load = new SteadyLoad(place);
    const first = load.ingest();
    await load.add(4);
    await first.heard.until(() => first.heard.loaded > 500);
    await place.server.stop("immediate");
    await first.heard.until(() => first.heard.outages.length === 1);
    await first.stop();
    assertEquals(first.heard.recoveries, []);
    await place.server.start();
    await place.reconnect();
    await load.finish(load.ingest());
  });
});

Deno.test("a fault that does not pass ends the ingest at once, watching or not", async () => {
  await withPlace(await testDatabase(), async (place) => {
    const url = place.database.url.replace("postgres@", "nobody_here@");
    const { ended, heard } = ingestWatching(place, {
      noWait: false,
      target: { kind: "server", url },
    });
    const error = await assertRejects(() => ended, PgsluiceError);
    assertEquals(error.code, "database-login");
    assertEquals(heard.outages, []);
    await Deno.stat(join(place.home, "events"));
  });
});
