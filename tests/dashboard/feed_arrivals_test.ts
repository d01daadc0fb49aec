import { assertEquals } from "@std/assert";
import { connect } from "../../src/database/connect.ts";
import { FolderArrivals } from "../../src/dashboard/folder_arrivals.ts";
import { folderStanding } from "../../src/status/folder_standing.ts";
import { readPulse } from "../../src/status/read_pulse.ts";
import type { FolderStanding } from "../../src/status/watch_picture.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, eventLines, ingestOnce, writeEvents } from "../support/ingest_fixture.ts";

function standing(lookedAtMs: number, arrivedBytes: number | null): FolderStanding {
  return { lookedAtMs, arrivedBytes, backlog: null, backlogUnknown: null, isUnfinished: false };
}

Deno.test("how fast bytes come in is what has come between two looks, by the time between", () => {
  const arrivals = new FolderArrivals();
  const rates: (number | null)[] = [];
  const look = (seen: FolderStanding | null) => rates.push(arrivals.bytesPerSecond(seen));
  look(null);
  look(standing(0, 1_000));
  const second = standing(2_000, 5_000);
  look(second);
  look(second);
  look(standing(3_000, 5_000));
  assertEquals(rates, [null, null, 2_000, 2_000, 0]);
  // files were taken away; the folder was away; the clock was set
  look(standing(4_000, 100));
  look(standing(5_000, 600));
  look(standing(6_000, null));
  look(standing(7_000, 900));
  look(standing(6_500, 1_000));
  assertEquals(rates.slice(5), [0, 500, null, null, null]);
});

ingestCase(
  "what has come is the same before and after it is loaded, moved or refused",
  async (place) => {
    const client = await connect(place.database.target, { applicationName: "test" });
    const arrived = async (): Promise<number | null> => {
      const { pipelines } = (await readPulse(client.sql, { pipeline: "default", floor: 0 }))!;
      return (await folderStanding(client.sql, pipelines[0]!)).arrivedBytes;
    };
    try {
      await writeEvents(place, "first.csv", csvText(eventLines(0, 1)));
      await ingestOnce(place);
      const before = (await arrived())!;
      const text = csvText(eventLines(1, 100));
      const html = "<html></html>\n";
      await writeEvents(place, "a.csv", text);
      await writeEvents(place, "same.csv", text);
      await writeEvents(place, "bad.csv", html);
      const expected = before + 2 * text.length + html.length;
      assertEquals(await arrived(), expected);
      await ingestOnce(place);
      assertEquals(await arrived(), expected);
      await Deno.rename(`${place.events}/a.csv`, `${place.home}/elsewhere.csv`);
      assertEquals(await arrived(), expected);
      await Deno.remove(place.events, { recursive: true });
      assertEquals(await arrived(), null);
    } finally {
      await client.close();
    }
  },
);
