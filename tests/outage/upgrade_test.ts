import { assertEquals, assertRejects } from "@std/assert";
import { targetDatabase, withDatabase } from "../../src/database/database_target.ts";
import { type Migration, MIGRATIONS } from "../../src/database/migrate.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { OWNER_TIMES } from "../../src/sink/pipeline_owner.ts";
import {
  csvText,
  eventLines,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { SpawnedIngester } from "./spawned_ingester.ts";

/** What a newer version would bring. */
const NEWER: readonly Migration[] = [...MIGRATIONS, {
  number: MIGRATIONS.length + 1,
  name: "9999_newer",
  text: "alter table pgsluice.files add column from_the_future text not null default 'yes'",
}];

async function newestMigration({ database }: IngestPlace): Promise<string> {
  const [row] = await database.sql`
    select name from pgsluice.migrations order by number desc limit 1`;
  return row!.name;
}

Deno.test("a newer version stands by without touching the ledger, migrates when the older one stops, and nothing is lost", async () => {
  await withPlace(await testDatabase(), async (place) => {
    await using older = new SpawnedIngester(place, { args: ["--batch-rows", "100"] });
    await older.said("ingesting");
    const newer = ingestWatching(place, { noWait: false, migrations: NEWER });
    await newer.heard.until(() => newer.heard.standbys === 1);
    for (let file = 0; file < 10; file++) {
      await writeEvents(place, `${file}.csv`, csvText(eventLines(file * 500, file * 500 + 500)));
    }
    // in the middle of its work, with the newer one waiting
    while ((await place.database.sql`select 1 from pgsluice.batches`).length < 3);
    assertEquals(await newestMigration(place), MIGRATIONS.at(-1)!.name);
    assertEquals(newer.heard.starts, 0);
    older.signal("SIGTERM");
    assertEquals((await older.ended()).code, 0);
    await newer.heard.until(() => newer.heard.starts === 1);
    assertEquals(newer.heard.did, ["applied migration 9999_newer"]);
    while (
      (await place.database.sql`select 1 from pgsluice.files where state = 'done'`).length < 10
    );
    await newer.stop();
    assertEquals(
      await verifyExact(place),
      "verified: 5000 events = 5000 loaded + 0 rejected + 0 duplicates",
    );
  });
});

Deno.test("a running older version whose ledger became newer stops at its next session, and says why", async () => {
  await withPlace(await testDatabase(), async (place) => {
    const older = ingestWatching(place, { noWait: false });
    await older.heard.until(() => older.heard.starts === 1);
    const newer = ingestWatching(place, {
      noWait: false,
      migrations: NEWER,
      times: { owner: { ...OWNER_TIMES, standbyPollMs: 5 } },
    });
    await newer.heard.until(() => newer.heard.standbys === 1);
    while (newer.heard.starts === 0) {
      const starts = older.heard.starts;
      // the older one is cut off for a moment
      await place.database.sql`
        select pg_terminate_backend(pid) from pg_locks
        where locktype = 'advisory' and granted
          and database = (select oid from pg_database where datname = current_database())`;
      // either of the two may be the quicker one
      await Promise.any([
        newer.heard.until(() => newer.heard.starts > 0),
        older.heard.until(() => older.heard.starts > starts),
      ]);
    }
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await newer.heard.until(() => newer.heard.loaded === 10);
    await newer.stop();
    const error = await assertRejects(() => older.ended, PgsluiceError);
    assertEquals(error.code, "ledger-newer");
    await verifyExact(place);
  });
});

Deno.test("ingesters that start at once make the database, the ledger and the table once", async () => {
  await withPlace(await testDatabase(), async (place) => {
    const name = `${targetDatabase(place.database.target)}_made`;
    const target = withDatabase(place.database.target, name);
    try {
      await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
      const all = [1, 2, 3].map(() => ingestWatching(place, { noWait: false, target }));
      const heard = all.map((ingester) => ingester.heard);
      const loaded = () => heard.reduce((sum, one) => sum + one.loaded, 0);
      while (all.length > 0) {
        // one after the other owns it
        const owner = await Promise.any(all.map(async (ingester) => {
          await ingester.heard.until(() => ingester.heard.starts === 1);
          return ingester;
        }));
        all.splice(all.indexOf(owner), 1);
        if (all.length === 0) await owner.heard.until(() => loaded() === 10);
        await owner.stop();
      }
      const did = heard.flatMap((one) => one.did);
      assertEquals(did.filter((what) => what.startsWith("made database")).length, 1);
      assertEquals(did.filter((what) => what.startsWith("made table")).length, 1);
      assertEquals(new Set(did).size, did.length);
    } finally {
      await place.database.sql.unsafe(`drop database if exists ${name} with (force)`);
    }
  });
});
