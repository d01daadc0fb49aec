import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { undoFile } from "../../src/files/undo_file.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import {
  csvText,
  eventLine,
  eventLines,
  folderSource,
  ingestOnce,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { defaultPipeline, ingestAndRepair, withoutKey } from "./repair_fixture.ts";
import {
  A,
  B,
  differencesOf,
  expectNoticed,
  ingestAllKinds,
  KEY,
  type Tampering,
  verify,
  verifyTest,
} from "./verify_fixture.ts";

const MENDED = "update pgsluice.rejects set mended";

/** After `ingestAndRepair`. */
const MENDED_TAMPERINGS: readonly Tampering[] = [
  {
    name: "a changed row of a mended record",
    sql: `update user_events set price = 12.51 where event_id = '${KEY(2)}'`,
    differences: ["a.csv:7:price: expected 12.50, found 12.51"],
  },
  {
    name: "a removed row of a mended record",
    sql: `delete from user_events where event_id = '${KEY(2)}'`,
    differences: [`a.csv:7:-: expected a row with event_id ${KEY(2)}, found none`],
  },
  {
    name: "a mended record of another content",
    sql: `${MENDED} = convert_to('${withoutKey(eventLine(8, { price: "4" }))}', 'UTF8')
      where line_number = 3`,
    differences: ["c.csv:3:price: expected 4.00, found 3.00"],
  },
  {
    name: "a derived key that is not of the record's place",
    sql: `update user_events set event_id = '${KEY(77)}'
      where line_number = 3 and price = 3`,
    // the derived key is cut out of what is compared here
    differences: ["c.csv:3:event_id"],
  },
  {
    name: "a mended record that is gone",
    sql: `${MENDED} = null where line_number = 7`,
    differences: [
      "a.csv:7:-: expected a mended record that is loaded now, found none is kept",
      `a.csv:7:-: expected no such row, found a row with event_id ${KEY(2)}`,
      "a.csv:-:-: expected 4 loaded in the ledger, found 5",
    ],
  },
  {
    name: "a mended record that is two",
    sql: `${MENDED} = mended || convert_to(chr(10), 'UTF8') || mended where line_number = 7`,
    differences: [
      "a.csv:7:-: expected a mended record that is loaded now, " +
      "found bytes that are not one record",
      `a.csv:7:-: expected no such row, found a row with event_id ${KEY(2)}`,
      "a.csv:-:-: expected 4 loaded in the ledger, found 5",
    ],
  },
  {
    name: "a mended record that is not valid",
    sql: `${MENDED} = raw where line_number = 7`,
    differences: [
      "a.csv:7:-: expected a mended record that is loaded now, " +
      'found one that is not valid (price is "-1")',
      `a.csv:7:-: expected no such row, found a row with event_id ${KEY(2)}`,
      "a.csv:-:-: expected 4 loaded in the ledger, found 5",
    ],
  },
  {
    name: "bytes that a mended reject was not made of",
    sql: "update pgsluice.rejects set raw = mended where line_number = 7",
    differences: [
      "a.csv:7:-: expected a reject with the record's bytes, found one with other bytes",
    ],
  },
  {
    name: "a mended reject that is open again",
    sql: "update pgsluice.rejects set state = 'open' where line_number = 7",
    differences: [
      `a.csv:7:-: expected no such row, found a row with event_id ${KEY(2)}`,
      "a.csv:-:-: expected 4 loaded in the ledger, found 5",
      "a.csv:-:-: expected 2 rejected in the ledger, found 1",
    ],
  },
  {
    name: "a reject mended to a duplicate, of which the ledger has no duplicate",
    sql: "delete from pgsluice.duplicates where line_number = 11",
    differences: [
      "a.csv:11:-: expected a duplicate, to which its reject was mended, found none in the ledger",
      "a.csv:-:-: expected 1 duplicates in the ledger, found 2",
    ],
  },
  {
    name: "a record mended to a duplicate of another row",
    sql: `${MENDED} = convert_to('${eventLine(1)}', 'UTF8') where line_number = 11`,
    differences: [`a.csv:11:-: expected a duplicate of key ${KEY(1)}, found one of key ${KEY(0)}`],
  },
  {
    name: "a changed row that a record was mended to a duplicate of",
    sql: `update user_events set quantity = 2 where event_id = '${KEY(0)}'`,
    differences: [
      "a.csv:2:quantity: expected 1, found 2",
      "a.csv:6:quantity: expected 1, found 2 in the row it is a duplicate of",
      "a.csv:11:quantity: expected 1, found 2 in the row it is a duplicate of",
    ],
  },
  {
    name: "a discarded reject that is gone",
    sql: "delete from pgsluice.rejects where line_number = 8",
    differences: [
      `a.csv:8:-: expected a row with event_id ${KEY(1)}, found none`,
      "a.csv:-:-: expected 6 loaded in the ledger, found 5",
      "a.csv:-:-: expected 0 rejected in the ledger, found 1",
    ],
  },
];

verifyTest(
  "verify reads mended records as they were mended, at their old places",
  async (place) => {
    await ingestAndRepair(place);
    const report = await verify(place);
    assertEquals(differencesOf(report), []);
    assertEquals(
      report.files.map(({ path, verdict, loaded, rejected, duplicate }) => [
        path,
        verdict,
        loaded,
        rejected,
        duplicate,
      ]),
      [["a.csv", "exact", 5, 1, 2], ["b.csv", "exact", 1, 0, 1], ["c.csv", "exact", 3, 0, 0]],
    );
    assertEquals(report.summary, "verified: 13 events = 9 loaded + 1 rejected + 3 duplicates");
  },
);

verifyTest("verify notices whatever was changed of what was mended", async (place) => {
  await ingestAndRepair(place);
  const { sql } = place.database;
  const [derived] = await sql<{ key: string }[]>`
    select event_id::text as key from user_events where line_number = 3 and price = 3`;
  await expectNoticed(
    place,
    MENDED_TAMPERINGS.map((tampering) => ({
      ...tampering,
      differences: tampering.differences.map((difference) =>
        difference === "c.csv:3:event_id"
          ? `${difference}: expected ${derived!.key}, found ${KEY(77)}`
          : difference
      ),
    })),
  );
});

verifyTest("verify counts what was mended when the file is gone", async (place) => {
  await ingestAndRepair(place);
  await Deno.remove(join(place.events, "a.csv"));
  const gone = await verify(place);
  assertEquals(differencesOf(gone), []);
  assertEquals(gone.files[0]!.verdict, "source gone");
  await place.database.sql`
    update pgsluice.rejects set state = 'open' where line_number = 7`;
  assertEquals(differencesOf(await verify(place)), [
    "a.csv:-:-: expected 1 rejects in the ledger, found 2",
  ]);
});

verifyTest("verify expects nothing to be left of a file that was undone", async (place) => {
  await ingestAllKinds(place);
  const { sql } = place.database;
  await undoFile(sql, {
    pipeline: await defaultPipeline(sql),
    schema: USER_EVENTS,
    file: "b.csv",
  });
  const undone = await verify(place);
  assertEquals(undone.files.map(({ path, verdict }) => [path, verdict]), [
    ["a.csv", "exact"],
    ["b.csv", "undone"],
  ]);
  assertEquals(undone.summary, "verified: 8 events = 4 loaded + 3 rejected + 1 duplicates");
  await expectNoticed(place, [
    {
      name: "a row",
      sql: `update user_events set file_id = (select file_id from pgsluice.files where ${B})
        where event_id = '${KEY(3)}'`,
      differences: [
        `a.csv:9:-: expected a row with event_id ${KEY(3)}, found none`,
        "b.csv:-:-: expected 0 rows in the table, found 1",
      ],
    },
    {
      name: "a reject",
      sql: `insert into pgsluice.rejects (
          file_id, line_number, start_byte, end_byte, code, reason, raw, state
        )
        select file_id, 2, 90, 91, 'bad_number', 'odd', 'x', 'discarded'
        from pgsluice.files where ${B}`,
      differences: ["b.csv:-:-: expected 0 rejects in the ledger, found 1"],
    },
    {
      name: "a duplicate",
      sql: `insert into pgsluice.duplicates
        select file_id, 2, 90, 91, 'k' from pgsluice.files where ${B}`,
      differences: ["b.csv:-:-: expected 0 duplicates in the ledger, found 1"],
    },
    {
      name: "counts",
      sql: `update pgsluice.files set loaded = 1, rejected = 1 where ${B}`,
      differences: ["b.csv:-:-: expected 0 records counted in the ledger, found 2"],
    },
  ]);
});

verifyTest("verify misses the original of a double that was undone", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await ingestOnce(place);
  await writeEvents(place, "b.csv", csvText(eventLines(0, 10)));
  await ingestOnce(place);
  const { sql } = place.database;
  await sql`delete from user_events`;
  await sql`update pgsluice.files set state = 'undone', loaded = 0 where path = 'a.csv'`;
  assertEquals(differencesOf(await verify(place)), [
    "b.csv:-:-: expected a loaded file with its content (same as a.csv), found none",
  ]);
});

verifyTest("verify expects nothing of a file that was there before --from now", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
  await ingestOnce(place, { source: folderSource(place, { fromNow: true }) });
  await writeEvents(place, "b.csv", csvText(eventLines(3, 5)));
  await ingestOnce(place, { source: folderSource(place, { fromNow: true }) });
  const report = await verify(place);
  assertEquals(report.files.map(({ path, verdict, loaded }) => [path, verdict, loaded]), [
    ["a.csv", "skipped", 0],
    ["b.csv", "exact", 2],
  ]);
  assertEquals(report.summary, "verified: 2 events = 2 loaded + 0 rejected + 0 duplicates");
  await place.database.sql`
    update user_events set file_id = (select file_id from pgsluice.files where path = 'a.csv')
    where line_number = 3`;
  assertEquals(differencesOf(await verify(place)), [
    "a.csv:-:-: expected 0 rows in the table, found 1",
    `b.csv:3:-: expected a row with event_id ${KEY(4)}, found none`,
  ]);
});

interface Archived {
  readonly name: string;
  /** Contents at the file's path and in the archive; null: no file there. */
  readonly original: string | null;
  readonly archived: string | null;
  readonly state?: string;
  readonly verdict: string;
  /** Of the report, in part. */
  readonly reason: string | null;
}

const LOADED = csvText(eventLines(0, 4));
const OTHER = csvText(eventLines(10, 14));

const ARCHIVED: readonly Archived[] = [
  {
    name: "a file that is about to be moved",
    original: LOADED,
    archived: null,
    verdict: "exact",
    reason: null,
  },
  {
    name: "a file that was moved",
    original: null,
    archived: LOADED,
    verdict: "exact",
    reason: "read at ",
  },
  {
    name: "a file that was moved, and another at its path",
    original: OTHER,
    archived: LOADED,
    verdict: "exact",
    reason: "read at ",
  },
  {
    name: "a file that is about to be moved to where another one came to be",
    original: LOADED,
    archived: OTHER,
    verdict: "exact",
    reason: null,
  },
  {
    name: "a file that was changed in the archive",
    original: null,
    archived: OTHER,
    verdict: "differs",
    reason: "its bytes have changed since they were loaded",
  },
  {
    name: "a file that is neither here nor there",
    original: OTHER,
    archived: LOADED.slice(0, -1),
    verdict: "differs",
    reason: `it has ${LOADED.length - 1} bytes, of which ${LOADED.length} were loaded`,
  },
  {
    name: "a file that is gone from both places",
    original: null,
    archived: null,
    verdict: "source gone",
    reason: "it is no longer there, nor at ",
  },
  {
    name: "a replaced generation that was moved before",
    original: OTHER,
    archived: LOADED,
    state: "superseded",
    verdict: "exact",
    reason: "read at ",
  },
  {
    name: "a replaced generation that is in no archive",
    original: LOADED,
    archived: null,
    state: "superseded",
    verdict: "source gone",
    reason: "replaced by a later generation, and not at ",
  },
];

verifyTest("verify reads a file that was archived where it is now", async (place) => {
  const original = join(place.events, "a.csv");
  const archived = join(place.home, "a.1.csv");
  await writeEvents(place, "a.csv", LOADED);
  await ingestOnce(place);
  const { sql } = place.database;
  for (const each of ARCHIVED) {
    await writeOrRemove(original, each.original);
    await writeOrRemove(archived, each.archived);
    await sql`
      update pgsluice.files
      set archived_path = ${archived}, state = ${each.state ?? "done"}`;
    const [file] = (await verify(place)).files;
    assertEquals(file!.verdict, each.verdict, each.name);
    if (each.reason === null) assertEquals(file!.reason, null, each.name);
    else assertStringIncludes(file!.reason!, each.reason, each.name);
  }
});

async function writeOrRemove(path: string, text: string | null): Promise<void> {
  if (text === null) await Deno.remove(path).catch(() => {});
  else await Deno.writeTextFile(path, text);
}

verifyTest(
  "verify compares the ledger of a file deleted on purpose with the table",
  async (place) => {
    await ingestAllKinds(place);
    await Deno.remove(join(place.events, "a.csv"));
    const { sql } = place.database;
    await sql`
    update pgsluice.files set deleted_at = '2026-03-14 12:00:00Z' where ${sql.unsafe(A)}`;
    const report = await verify(place);
    assertEquals([report.files[0]!.verdict, report.files[0]!.reason], [
      "source gone",
      "it was deleted after it was loaded, 2026-03-14T12:00:00.000Z",
    ]);
    assert(report.isExact);
    // another file of that name is none of its business
    await writeEvents(place, "a.csv", csvText(eventLines(20, 22)));
    assert((await verify(place)).isExact);
    await sql`delete from user_events where event_id = ${KEY(3)}`;
    assertEquals(differencesOf(await verify(place)), [
      "a.csv:-:-: expected 4 rows in the table, found 3",
    ]);
  },
);
