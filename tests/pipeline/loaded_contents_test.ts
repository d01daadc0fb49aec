import { assertEquals, assertNotEquals } from "@std/assert";
import { connect } from "../../src/database/connect.ts";
import { loadDigests, loadFiles, registerFiles } from "../../src/sink/ledger.ts";
import { contentMark } from "../../src/source/content_hash.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLine,
  eventLines,
  HEADER,
  ingestOnce,
  type IngestPlace,
  verifyExact,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { ledgerFile, rowCount } from "../support/ledger_files.ts";

async function pipelineIdOf({ database }: IngestPlace): Promise<number> {
  const [row] = await database.sql<{ id: number }[]>`
    select pipeline_id::int as id from pgsluice.pipelines`;
  return row!.id;
}

ingestCase("the ledger's mark of a content is the one that is computed here", async (place) => {
  await writeEvents(place, "small.csv", csvText(eventLines(0, 3)));
  await writeEvents(place, "blocks.csv", csvText(eventLines(3, 20_003))); // more than 1 MiB
  await writeEvents(place, "empty.csv", "");
  await ingestOnce(place);
  const { sql } = place.database;
  const files = await loadFiles(sql, await pipelineIdOf(place));
  for (const name of ["small.csv", "blocks.csv"]) {
    const { fileId, contentMark: mark } = files.get(name)!;
    const digests = await loadDigests(sql, fileId);
    assertEquals([name, mark], [name, contentMark(digests!)]);
  }
  const hasBlocks = (await loadDigests(sql, files.get("blocks.csv")!.fileId))!.chain !== null;
  assertEquals([hasBlocks, files.get("empty.csv")!.contentMark], [true, null]);
});

ingestCase("a file sent again is found, in the same run and in a later one", async (place) => {
  const text = csvText(eventLines(0, 3));
  await writeEvents(place, "a.csv", text);
  await writeEvents(place, "b.csv", text);
  const heard = await ingestOnce(place);
  assertEquals([heard.loaded, heard.duplicate], [3, 0]);
  await writeEvents(place, "c.csv", text);
  // of the same size, and another
  await writeEvents(place, "d.csv", text.replaceAll("Lamp", "Pear").replaceAll("-8000-", "-8001-"));
  const later = await ingestOnce(place);
  assertEquals([later.loaded, later.duplicate], [3, 0]);
  const reasons = [];
  for (const name of ["b.csv", "c.csv", "d.csv"]) {
    reasons.push((await ledgerFile(place, name)).reason);
  }
  assertEquals(reasons, ["same as a.csv", "same as a.csv", null]);
  await verifyExact(place);
});

ingestCase("a content that a file had before it grew is not its any more", async (place) => {
  const text = csvText(eventLines(0, 3));
  await writeEvents(place, "a.csv", text);
  await ingestOnce(place);
  await writeEvents(place, "a.csv", text + eventLine(3) + "\n");
  await writeEvents(place, "b.csv", text);
  await ingestOnce(place);
  assertEquals((await ledgerFile(place, "b.csv")).state, "done");
  assertEquals((await ledgerFile(place, "b.csv")).duplicate, 3);
  await verifyExact(place);
});

ingestCase(
  "files with other headers, one after the other, are each read by their own",
  async (place) => {
    const columns = HEADER.split(",");
    const reversed = (line: string) => line.split(",").toReversed().join(",");
    const lines = eventLines(0, 12);
    const texts = [
      csvText(lines.slice(0, 3)),
      [columns.toReversed().join(","), ...lines.slice(3, 6).map(reversed)].join("\n") + "\n",
      "\ufeff" + csvText(lines.slice(6, 9)),
      csvText(lines.slice(9, 12)),
    ];
    for (const [index, text] of texts.entries()) await writeEvents(place, `${index}.csv`, text);
    await ingestOnce(place);
    assertEquals(await rowCount(place), 12);
    await verifyExact(place);
  },
);

ingestCase("entering files does not leave the session with lazy commits", async (place) => {
  await ingestOnce(place);
  const pipelineId = await pipelineIdOf(place);
  const client = await connect(place.database.target, { applicationName: "test" });
  try {
    const setting = async () => {
      const [row] = await client.sql<{ value: string }[]>`
        select current_setting('synchronous_commit') as value`;
      return row!.value;
    };
    const before = await setting();
    const meaning = {
      timeZone: "UTC",
      schemaFingerprint: "x",
      dialect: "rfc4180",
      maxRecordBytes: 1024 * 1024,
    };
    const files = await registerFiles(client.sql, { pipelineId, paths: ["x.csv"], meaning });
    assertEquals(files.map(({ path, state }) => [path, state]), [["x.csv", "open"]]);
    assertEquals(await setting(), before);
    assertNotEquals(before, "off");
  } finally {
    await client.close();
  }
});
