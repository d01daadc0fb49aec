import { assertEquals } from "@std/assert";
import { Health } from "../../src/metrics/health.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, eventLines, writeEvents } from "../support/ingest_fixture.ts";
import { OperatedIngest } from "./operated_ingest.ts";

const STARTING = "the database has not answered yet";
const STANDBY = "another ingester owns the pipeline: standing by";
const SCANNING = "the files that were there at the start have not all been looked at";

ingestCase("an ingester is ready when it has looked at all that was there", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await using operated = new OperatedIngest(place);
  const { heard } = operated;
  await heard.until(() => heard.scans === 1);
  assertEquals(operated.readiness, [[STARTING], [SCANNING], []]);
  assertEquals(await operated.get("/readyz"), {
    status: 200,
    type: "text/plain; charset=utf-8",
    text: "ready\n",
  });
});

ingestCase("one that stands by is live and not ready, until the other one ends", async (place) => {
  await using first = new OperatedIngest(place);
  await first.heard.until(() => first.heard.scans === 1);
  await using second = new OperatedIngest(place);
  await second.heard.until(() => second.heard.standbys === 1);
  const { status, text } = await second.get("/readyz");
  assertEquals([status, text], [503, `not ready: ${STANDBY}\n`]);
  assertEquals((await second.get("/livez")).text, "live\n");
  assertEquals(await second.value("pgsluice_owner"), 0);
  assertEquals(await second.value("pgsluice_database_up"), 1);
  assertEquals(await second.value("pgsluice_backlog_files"), null);
  await first.stop();
  await second.heard.until(() => second.heard.scans === 1);
  assertEquals(second.readiness, [[STARTING], [STANDBY], [SCANNING], []]);
  assertEquals((await second.get("/readyz")).status, 200);
  assertEquals(await second.value("pgsluice_owner"), 1);
});

Deno.test("a loop that does not come round for too long is neither live nor ready", () => {
  let nowMs = 0;
  const health = new Health({ hangMs: 10_000, now: () => nowMs });
  health.started();
  health.scanned();
  nowMs = 10_000;
  assertEquals([health.notLive(), health.notReady()], [[], []]);
  nowMs = 12_000;
  const hangs = ["the loop has not come round for 12 s: something hangs"];
  assertEquals([health.notLive(), health.notReady()], [hangs, hangs]);
  health.turned();
  assertEquals([health.notLive(), health.notReady()], [[], []]);
});

Deno.test("an outage ends when something was loaded, not when a session stands; its error's text is not told", () => {
  let nowMs = 0;
  const health = new Health({ now: () => nowMs });
  health.started();
  health.scanned();
  const error = new PgsluiceError("database-full", "no space for secret.example", { hint: "" });
  health.outage({ error, awayMs: 0 });
  nowMs = 3_000;
  const down = "the database is down, for 3 s (database-full)";
  assertEquals(health.notReady(), [down]);
  health.started();
  assertEquals(health.notReady(), [down, SCANNING]);
  health.scanned();
  assertEquals(health.notReady(), [down]);
  nowMs = 33_000;
  health.outage({ error: new Error("secret"), awayMs: 33_000 });
  assertEquals(health.notReady(), ["the database is down, for 33 s"]);
  health.started();
  health.scanned();
  health.recovered();
  assertEquals(health.notReady(), []);
});
