import { assertEquals } from "@std/assert";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { findNamedPipeline } from "../../src/sink/named_pipeline.ts";
import { Snapshot } from "../../src/verify/snapshot.ts";
import { csvText, eventLines, ingestOnce, writeEvents } from "../support/ingest_fixture.ts";
import { verifyTest } from "./verify_fixture.ts";

verifyTest(
  "verify's snapshot gives a file's rows after those of another were left unread",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
    await ingestOnce(place);
    await writeEvents(place, "b.csv", csvText(eventLines(3, 5)));
    await ingestOnce(place);
    await place.database.sql.begin("isolation level repeatable read", async (sql) => {
      const pipeline = await findNamedPipeline(sql, {
        name: "default",
        schema: USER_EVENTS,
        table: undefined,
      });
      const snapshot = new Snapshot(sql, { schema: USER_EVENTS, pipeline, paths: null });
      const first = await snapshot.rowsOf(1).next();
      assertEquals((first.value as unknown[]).length, 3);
      const pages = await Array.fromAsync(snapshot.rowsOf(2));
      assertEquals(pages.map((rows) => rows.map(({ lineNumber }) => lineNumber)), [[2, 3]]);
    });
  },
);
