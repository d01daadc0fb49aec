import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { generateEvents } from "../../src/generate/generate_events.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { verifyPipeline } from "../../src/verify/verify_pipeline.ts";
import { withPlace } from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";

const KILLS = 20;
/** Set to 1000000 for the long run that the README quotes. */
const EVENTS = Number(Deno.env.get("PGSLUICE_TEST_KILL_EVENTS") ?? 200_000);
/** So many batches that every kill finds one open. */
const BATCHES = 400;

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

Deno.test(`${KILLS} kills of the ingester, each with a batch open, lose and double nothing`, async () => {
  await withPlace(await testDatabase(), async (place) => {
    const { sql, url } = place.database;
    const manifest = await generateEvents({
      events: EVENTS,
      rowsPerFile: Math.ceil(EVENTS / 25),
      seed: 7,
      start: new Date("2026-03-14T00:00:00Z"),
      dirtyPercent: 1,
      duplicatesPercent: 1,
      schema: USER_EVENTS,
      output: { kind: "folder", directory: place.events },
    });
    const start = () =>
      new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--quiet", "-A", MAIN, "ingest", place.events, "--once"],
          ...["--database", url, "--checkpoints", join(place.home, "checkpoints")],
          ...["--batch-rows", String(Math.ceil(EVENTS / BATCHES))],
        ],
        stdout: "null",
        stderr: "piped",
      }).spawn();
    const openBatches = async () =>
      (await sql`
        select 1 from pg_stat_activity
        where application_name like 'pgsluice:%' and datname = current_database()
          and xact_start is not null`).length;
    const committed = async () => {
      const [row] = await sql<{ records: number }[]>`
        select coalesce(sum(loaded + rejected + duplicate), 0)::int as records
        from pgsluice.files`;
      return row!.records;
    };
    let kills = 0;
    while (kills < KILLS) {
      const child = start();
      const stderr = new Response(child.stderr).text();
      let hasEnded = false;
      child.status.then(() => hasEnded = true);
      // each life does a part of the work, so that the last kill falls near the end
      const until = manifest.events * (kills + 0.5) / (KILLS + 1);
      while (!hasEnded) {
        const isThere = await sql`select to_regclass('pgsluice.files') as files`;
        if (isThere[0]!.files !== null && await committed() >= until && await openBatches() > 0) {
          child.kill("SIGKILL");
          kills++;
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const status = await child.status;
      assertEquals(status.signal, "SIGKILL", `it ended before kill ${kills + 1}: ${await stderr}`);
      await stderr;
    }
    assert(await committed() < manifest.events, "the kills came after the work was done");
    const last = start();
    const said = await new Response(last.stderr).text();
    assertEquals((await last.status).code, 0, said);
    const report = await verifyPipeline({
      sql,
      schema: USER_EVENTS,
      pipeline: "default",
      manifest,
    });
    assert(report.isExact, JSON.stringify(report, null, 2));
  });
});
