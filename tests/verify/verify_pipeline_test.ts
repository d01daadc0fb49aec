import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import type { Manifest } from "../../src/generate/manifest.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { VerifyOptions } from "../../src/verify/verify_pipeline.ts";
import {
  csvText,
  eventLine,
  eventLines,
  HEADER,
  ingestOnce,
  writeEvents,
} from "../support/ingest_fixture.ts";
import {
  A,
  A_TEXT,
  B,
  byteLength,
  differencesOf,
  expectNoticed,
  ingestAllKinds,
  KEY,
  REJECT_END,
  REJECT_START,
  type Tampering,
  verify,
  verifyTest,
} from "./verify_fixture.ts";

verifyTest(
  "verify finds everything exact after an ingest of all kinds of records",
  async (place) => {
    await ingestAllKinds(place);
    const progress: number[] = [];
    const report = await verify(place, { onProgress: ({ bytesDone }) => progress.push(bytesDone) });
    assertEquals(differencesOf(report), []);
    assertEquals(report.summary, "verified: 10 events = 5 loaded + 3 rejected + 2 duplicates");
    assertEquals([report.isExact, report.differenceCount], [true, 0]);
    assertEquals(
      report.files.map((file) => [
        file.path,
        file.verdict,
        file.loaded,
        file.rejected,
        file.duplicate,
      ]),
      [["a.csv", "exact", 4, 3, 1], ["b.csv", "exact", 1, 0, 1]],
    );
    const sizeBytes = report.files.reduce((sum, file) => sum + file.committedBytes, 0);
    assertEquals(progress.at(-1), sizeBytes);
  },
);

/** Row 6 is taken out of the sums by minute, too. */
const UNCOUNTED = `insert into pgsluice.minute_deltas
      select rollup_id, 'view', '{29558040}', '{-1}', '{-1}', '{-12.50}' from pgsluice.rollups`;

const TAMPERINGS: readonly Tampering[] = [
  {
    name: "a changed price",
    sql: `update user_events set price = 12.51 where event_id = '${KEY(0)}'`,
    differences: [
      "a.csv:2:price: expected 12.50, found 12.51",
      "a.csv:6:price: expected 12.50, found 12.51 in the row it is a duplicate of",
    ],
  },
  {
    name: "a null that became an empty text",
    sql: `update user_events set category = '' where event_id = '${KEY(5)}'`,
    differences: ['a.csv:12:category: expected null, found ""'],
  },
  {
    name: "a timestamp moved by a microsecond",
    sql: `update user_events set event_timestamp = event_timestamp + interval '1 microsecond'
      where event_id = '${KEY(6)}'`,
    differences: [
      "b.csv:2:event_timestamp: expected 2026-03-14 10:00:06Z, found 2026-03-14 10:00:06.000001Z",
    ],
  },
  {
    name: "a changed derived column",
    sql: `update user_events set event_date = 'infinity', event_hour = 11
      where event_id = '${KEY(6)}'`,
    differences: [
      "b.csv:2:event_date: expected 2026-03-14, found Infinity",
      "b.csv:2:event_hour: expected 10, found 11",
    ],
  },
  {
    name: "a removed row",
    sql: `delete from user_events where event_id = '${KEY(3)}'`,
    differences: [`a.csv:9:-: expected a row with event_id ${KEY(3)}, found none`],
  },
  {
    name: "a removed row that was the original of duplicates",
    sql: `delete from user_events where event_id = '${KEY(1)}'`,
    differences: [
      `a.csv:4:-: expected a row with event_id ${KEY(1)}, found none`,
      `a.csv:8:-: expected key ${KEY(1)} in the table, of which this is a key conflict, ` +
      "found no such row",
      `b.csv:3:-: expected key ${KEY(1)} in the table, of which this is a duplicate, ` +
      "found no such row",
    ],
  },
  {
    name: "a row added on a line of its own",
    sql: `insert into user_events
      select gen_random_uuid(), event_timestamp, event_type, user_id, product_id, product_name,
        category, price, quantity, event_date, event_hour, file_id, 77
      from user_events where event_id = '${KEY(6)}';
      update user_events set event_id = '${KEY(77)}' where line_number = 77`,
    differences: [`b.csv:77:-: expected no such row, found a row with event_id ${KEY(77)}`],
  },
  {
    name: "a row added on a line that has one",
    sql: `insert into user_events
      select '${KEY(77)}', event_timestamp, event_type, user_id, product_id, product_name,
        category, price, quantity, event_date, event_hour, file_id, line_number
      from user_events where event_id = '${KEY(6)}'`,
    differences: [`b.csv:2:-: expected no such row, found a row with event_id ${KEY(77)}`],
  },
  {
    name: "a row added without a place",
    sql: `alter table user_events alter file_id drop not null, alter line_number drop not null;
      insert into user_events
      select '${KEY(77)}', event_timestamp, event_type, user_id, product_id, product_name,
        category, price, quantity, event_date, event_hour, null, null
      from user_events where event_id = '${KEY(6)}'`,
    differences: ["table: 1 row without a file_id"],
  },
  {
    name: "rows of a file that does not exist",
    sql: `update user_events set file_id = 12345 where ${B}`,
    differences: [
      `b.csv:2:-: expected a row with event_id ${KEY(6)}, found none`,
      "table: 1 row with file_id 12345, which is no file that loads into this table",
    ],
  },
  {
    name: "a row moved to another file",
    sql: `update user_events set file_id = (select file_id from pgsluice.files where path = 'b.csv')
      where event_id = '${KEY(3)}'`,
    differences: [
      `a.csv:9:-: expected a row with event_id ${KEY(3)}, found none`,
      `b.csv:9:-: expected no such row, found a row with event_id ${KEY(3)}`,
    ],
  },
  {
    name: "two rows that changed their lines",
    sql: `update user_events set line_number = 6 - line_number
      where event_id in ('${KEY(0)}', '${KEY(1)}')`,
    differences: [
      `a.csv:2:event_id: expected ${KEY(0)}, found ${KEY(1)}`,
      "a.csv:2:event_timestamp: expected 2026-03-14 10:00:00Z, found 2026-03-14 10:00:01Z",
      "a.csv:2:user_id: expected 1, found 2",
      "a.csv:2:product_id: expected 1, found 2",
      'a.csv:2:product_name: expected "Lamp 0", found "Lamp 1"',
      `a.csv:4:event_id: expected ${KEY(1)}, found ${KEY(0)}`,
      "a.csv:4:event_timestamp: expected 2026-03-14 10:00:01Z, found 2026-03-14 10:00:00Z",
      "a.csv:4:user_id: expected 2, found 1",
      "a.csv:4:product_id: expected 2, found 1",
      'a.csv:4:product_name: expected "Lamp 1", found "Lamp 0"',
    ],
  },
  {
    name: "a removed reject",
    sql: `delete from pgsluice.rejects where line_number = 7`,
    differences: [
      'a.csv:7:-: expected a reject (price is "-1"), found none in the ledger',
      "a.csv:-:-: expected 2 rejected in the ledger, found 3",
    ],
  },
  {
    name: "a reject with other bytes",
    sql: `update pgsluice.rejects set raw = 'x' where line_number = 7`,
    differences: [
      "a.csv:7:-: expected a reject with the record's bytes, found one with other bytes",
    ],
  },
  {
    name: "a reject that ends elsewhere",
    sql: `update pgsluice.rejects set end_byte = end_byte + 1 where line_number = 7`,
    differences: [
      `a.csv:7:-: expected a reject of bytes ${REJECT_START} to ${REJECT_END}, ` +
      `found one of line 7, bytes ${REJECT_START} to ${REJECT_END + 1}`,
    ],
  },
  {
    name: "a reject where no record starts",
    sql: `update pgsluice.rejects set start_byte = start_byte + 1 where line_number = 7`,
    differences: [
      'a.csv:7:-: expected a reject (price is "-1"), found none in the ledger',
      `a.csv:7:-: expected no reject at byte ${REJECT_START + 1}, where no record starts, ` +
      "found a reject",
      "a.csv:-:-: expected 2 rejected in the ledger, found 3",
    ],
  },
  {
    name: "a valid record that the ledger calls a reject",
    sql: `delete from user_events where event_id = '${KEY(6)}';
      insert into pgsluice.rejects (file_id, line_number, start_byte, end_byte, code, reason, raw)
      select file_id, 2, ${HEADER.length + 2}, ${HEADER.length + 2 + eventLine(6).length + 2},
        'bad_number', 'odd', convert_to('${eventLine(6)}' || chr(13) || chr(10), 'UTF8')
      from pgsluice.files where path = 'b.csv';
      update pgsluice.files set loaded = 0, rejected = 1 where ${B}`,
    differences: [
      "b.csv:2:-: expected a valid record to be loaded, found a reject (bad_number: odd)",
    ],
  },
  {
    name: "a valid record that the ledger says the database refused",
    sql: `delete from user_events where event_id = '${KEY(6)}';
      insert into pgsluice.rejects (file_id, line_number, start_byte, end_byte, code, reason, raw)
      select file_id, 2, ${HEADER.length + 2}, ${HEADER.length + 2 + eventLine(6).length + 2},
        '23514', 'a check', convert_to('${eventLine(6)}' || chr(13) || chr(10), 'UTF8')
      from pgsluice.files where path = 'b.csv';
      update pgsluice.files set loaded = 0, rejected = 1 where ${B};
      ${UNCOUNTED}`,
    differences: [],
  },
  {
    name: "a valid record that the ledger says a trigger kept out",
    sql: `delete from user_events where event_id = '${KEY(6)}';
      insert into pgsluice.rejects (file_id, line_number, start_byte, end_byte, code, reason, raw)
      select file_id, 2, ${HEADER.length + 2}, ${HEADER.length + 2 + eventLine(6).length + 2},
        'row_skipped', 'a trigger', convert_to('${eventLine(6)}' || chr(13) || chr(10), 'UTF8')
      from pgsluice.files where path = 'b.csv';
      update pgsluice.files set loaded = 0, rejected = 1 where ${B};
      ${UNCOUNTED}`,
    differences: [],
  },
  {
    name: "a key conflict of another key",
    sql: `update pgsluice.rejects set key = '${KEY(2)}' where code = 'key_conflict'`,
    differences: [
      `a.csv:8:-: expected a key conflict of key ${KEY(1)}, found one of key ${KEY(2)}`,
    ],
  },
  {
    name: "an invalid record that the ledger calls a duplicate",
    sql: `with gone as (delete from pgsluice.rejects where line_number = 7 returning *)
      insert into pgsluice.duplicates (file_id, line_number, start_byte, end_byte, key)
      select file_id, line_number, start_byte, end_byte, 'k' from gone;
      update pgsluice.files set rejected = 2, duplicate = 2 where ${A}`,
    differences: ['a.csv:7:-: expected a reject (price is "-1"), found a duplicate'],
  },
  {
    name: "a removed duplicate",
    sql: `delete from pgsluice.duplicates where ${B}`,
    differences: [
      `b.csv:3:-: expected a row with event_id ${KEY(1)}, found none`,
      "b.csv:-:-: expected 2 loaded in the ledger, found 1",
      "b.csv:-:-: expected 0 duplicates in the ledger, found 1",
    ],
  },
  {
    name: "a duplicate of another key",
    sql: `update pgsluice.duplicates set key = '${KEY(2)}' where ${B}`,
    differences: [`b.csv:3:-: expected a duplicate of key ${KEY(1)}, found one of key ${KEY(2)}`],
  },
  {
    name: "a key conflict of a row that has become the same",
    sql: `update user_events set price = 99 where event_id = '${KEY(1)}'`,
    differences: [
      "a.csv:4:price: expected 12.50, found 99.00",
      `a.csv:8:-: expected a duplicate, for the row with key ${KEY(1)} has the same content, ` +
      "found a reject (key_conflict)",
      "b.csv:3:price: expected 12.50, found 99.00 in the row it is a duplicate of",
    ],
  },
  {
    name: "counts of the ledger that are off",
    sql: `update pgsluice.files set loaded = 7, rejected = 1, duplicate = 0, headers = 0,
      committed_line = 11 where ${A}`,
    differences: [
      `a.csv:-:-: expected 12 lines before byte ${byteLength(A_TEXT)}, found 11`,
      "a.csv:-:-: expected 1 repeated headers, found 0",
      "a.csv:-:-: expected 4 loaded in the ledger, found 7",
      "a.csv:-:-: expected 3 rejected in the ledger, found 1",
      "a.csv:-:-: expected 1 duplicates in the ledger, found 0",
    ],
  },
];

verifyTest("verify notices whatever was changed behind the pipeline's back", async (place) => {
  await ingestAllKinds(place);
  await expectNoticed(place, TAMPERINGS);
});

verifyTest("verify counts differences beyond the first ten of a file", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 1_200)));
  await ingestOnce(place);
  await place.database.sql`update user_events set price = 1 where line_number > 100`;
  const report = await verify(place);
  assertEquals(report.differenceCount, 1_101);
  assertEquals(report.files[0]!.differences.length, 10);
  assertEquals(report.files[0]!.differences[0]!.lineNumber, 101);
  assertEquals(report.summary, "differs: 1101 differences in 1 of 1 files");
});

/** With a column that is not loaded. */
const FILE_TEXT = [`${HEADER},note`, ...eventLines(0, 4).map((line) => `${line},x`)]
  .map((line) => `${line}\n`).join("");

interface FileChange {
  name: string;
  change: (path: string) => Promise<void>;
  verdict: string;
  /** Of the report, in part. */
  reason: string | null;
  isExact: boolean;
}

const FILE_CHANGES: FileChange[] = [
  {
    name: "a file that has grown since",
    change: (path) => Deno.writeTextFile(path, "more", { append: true }),
    verdict: "exact",
    reason: null,
    isExact: true,
  },
  {
    name: "a file that is gone",
    change: (path) => Deno.remove(path),
    verdict: "source gone",
    reason: "it is no longer there",
    isExact: true,
  },
  {
    name: "a file that has become shorter",
    change: (path) => Deno.truncate(path, 200),
    verdict: "differs",
    reason: `it has 200 bytes, of which ${FILE_TEXT.length} were loaded`,
    isExact: false,
  },
  {
    name: "a byte that makes no difference to any row",
    change: async (path) => {
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replace("note", "nota"));
    },
    verdict: "differs",
    reason: "its bytes have changed since they were loaded",
    isExact: false,
  },
  {
    name: "a file whose header has become another",
    change: async (path) => {
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replace("user_id", "user_ix"));
    },
    verdict: "differs",
    reason: "its first line is no header of this schema: it has no column user_id",
    isExact: false,
  },
  {
    name: "a folder in the file's place",
    change: async (path) => {
      await Deno.remove(path);
      await Deno.mkdir(path);
    },
    verdict: "differs",
    reason: null,
    isExact: false,
  },
];

verifyTest("verify reads each file as it is now, up to where it was committed", async (place) => {
  const path = join(place.events, "a.csv");
  await writeEvents(place, "a.csv", FILE_TEXT);
  await ingestOnce(place);
  for (const { name, change, verdict, reason, isExact } of FILE_CHANGES) {
    await change(path);
    const report = await verify(place);
    const [file] = report.files;
    assertEquals([file!.verdict, file!.reason], [verdict, reason], name);
    assertEquals(report.isExact, isExact, name);
    await Deno.remove(path, { recursive: true }).catch(() => {});
    await Deno.writeTextFile(path, FILE_TEXT);
  }
  assert((await verify(place)).isExact);
});

verifyTest("verify compares the ledger of a lost file with the table", async (place) => {
  await ingestAllKinds(place);
  await Deno.remove(join(place.events, "a.csv"));
  const exact = await verify(place);
  assertEquals(exact.files.map(({ verdict }) => verdict), ["source gone", "exact"]);
  assertEquals(exact.summary, "verified: 10 events = 5 loaded + 3 rejected + 2 duplicates");
  await place.database.sql`delete from user_events where event_id = ${KEY(3)}`;
  await place.database.sql`delete from pgsluice.rejects where line_number = 7`;
  await place.database.sql`delete from pgsluice.duplicates where line_number = 6`;
  assertEquals(differencesOf(await verify(place)), [
    "a.csv:-:-: expected 4 rows in the table, found 3",
    "a.csv:-:-: expected 3 rejects in the ledger, found 2",
    "a.csv:-:-: expected 1 duplicates in the ledger, found 0",
  ]);
});

verifyTest("verify looks for the file whose content another one has", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await ingestOnce(place);
  await writeEvents(place, "b.csv", csvText(eventLines(0, 10)));
  await ingestOnce(place);
  const report = await verify(place);
  assertEquals(report.files.map(({ verdict, reason }) => [verdict, reason]), [
    ["exact", null],
    ["same", "same as a.csv"],
  ]);
  assertEquals(report.summary, "verified: 10 events = 10 loaded + 0 rejected + 0 duplicates");
  await Deno.writeTextFile(join(place.events, "b.csv"), csvText(eventLines(1, 11)));
  assertEquals(differencesOf(await verify(place)), [
    "b.csv:-:-: expected a loaded file with its content (same as a.csv), found none",
  ]);
});

verifyTest(
  "verify shows files that were not loaded, and finds them no difference",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
    await writeEvents(place, "page.csv", "<html>\n<body>\n");
    await ingestOnce(place);
    const report = await verify(place);
    assertEquals(report.files.map(({ path, verdict }) => [path, verdict]), [
      ["a.csv", "exact"],
      ["page.csv", "failed"],
    ]);
    assertStringIncludes(report.files[1]!.reason!, "HTML");
    assert(report.isExact);
  },
);

verifyTest("verify takes files by their place in the source, here or absolutely", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
  await writeEvents(place, "b.csv", csvText(eventLines(3, 5)));
  await ingestOnce(place);
  await place.database.sql`update user_events set price = 1 where ${place.database.sql.unsafe(A)}`;
  for (const file of ["b.csv", join(place.events, "b.csv")]) {
    const report = await verify(place, { files: [file] });
    assertEquals(
      report.summary,
      "verified: 2 events = 2 loaded + 0 rejected + 0 duplicates",
      file,
    );
  }
  assertEquals((await verify(place, { files: ["b.csv", "a.csv"] })).differenceCount, 3);
});

verifyTest("verify compares the manifest with ledger and table", async (place) => {
  await ingestAllKinds(place);
  const manifest: Manifest = {
    format: "pgsluice-manifest/1",
    seed: 1,
    start: "2026-01-01T00:00:00Z",
    files: 2,
    events: 10,
    valid: 5,
    duplicates: 2,
    defects: { negative: 3 },
    rejected: 3,
    priceSum: "62.50",
  };
  const exact = await verify(place, { manifest });
  assertEquals([exact.manifest, exact.isExact], [[], true]);
  const other = await verify(place, {
    manifest: { ...manifest, events: 12, valid: 6, duplicates: 1, rejected: 5, priceSum: "62.51" },
  });
  assertEquals(differencesOf(other), [
    "manifest: events expected 12, found 10",
    "manifest: valid events, loaded expected 6, found 5",
    "manifest: duplicates expected 1, found 2",
    "manifest: rejected expected 5, found 3",
    "manifest: sum of prices expected 62.51, found 62.50",
  ]);
  assertEquals(other.summary, "differs: 5 differences in the manifest");
});

verifyTest("verify compares a stream's ledger with the table", async (place) => {
  const stream = new Blob([csvText(eventLines(0, 20))]).stream();
  await ingestOnce(place, { source: { kind: "stream", stream, sourceId: "till 1" } });
  const report = await verify(place);
  assertEquals(report.files.map(({ path, verdict }) => [path, verdict]), [
    ["till 1", "source gone"],
  ]);
  assertEquals(report.summary, "verified: 20 events = 20 loaded + 0 rejected + 0 duplicates");
  await place.database.sql`delete from user_events where line_number = 2`;
  assertEquals((await verify(place)).isExact, false);
});

verifyTest("verify says what it cannot find", async (place) => {
  const refused = async (options: Partial<VerifyOptions>) => {
    const error = await assertRejects(() => verify(place, options), PgsluiceError);
    return [error.code, error.message, error.hint];
  };
  assertEquals((await refused({}))[0], "no-ledger");
  await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
  await ingestOnce(place);
  assertEquals(await refused({ pipeline: "other" }), [
    "no-such-pipeline",
    "this database has no pipeline other",
    "name one of these with --pipeline: default",
  ]);
  assertEquals((await refused({ files: ["z.csv"] }))[0], "no-such-file");
  assertEquals((await refused({ table: "others" }))[0], "other-table");
  assert((await verify(place, { table: "User_Events" })).isExact);
  const schema = { ...USER_EVENTS, columns: USER_EVENTS.columns.slice(0, -1) };
  assertEquals((await refused({ schema }))[0], "other-schema");
});

verifyTest("verify ends with the signal's reason when it is aborted", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
  await ingestOnce(place);
  const controller = new AbortController();
  await assertRejects(
    () =>
      verify(place, {
        signal: controller.signal,
        onProgress: () => controller.abort(new Error("enough")),
      }),
    Error,
    "enough",
  );
  assert((await verify(place)).isExact);
});

verifyTest("verify compares what a replaced file had loaded with the table", async (place) => {
  const withoutKey = (text: string) => text.replaceAll(/^[^,]*,/gm, "");
  const first = csvText(eventLines(0, 5));
  const second = csvText([...eventLines(0, 2), ...eventLines(10, 14)]);
  await writeEvents(place, "keyed.csv", first);
  await writeEvents(place, "keyless.csv", withoutKey(first));
  await ingestOnce(place);
  await writeEvents(place, "keyed.csv", second);
  await writeEvents(place, "keyless.csv", withoutKey(second));
  await ingestOnce(place);
  const report = await verify(place);
  assertEquals(differencesOf(report), []);
  assertEquals(
    report.files.map(({ path, generation, verdict, loaded, duplicate }) => [
      path,
      generation,
      verdict,
      loaded,
      duplicate,
    ]),
    [
      ["keyed.csv", 1, "source gone", 5, 0],
      ["keyed.csv", 2, "exact", 4, 2],
      ["keyless.csv", 1, "held", 5, 0],
    ],
  );
  assertEquals(report.summary, "verified: 16 events = 14 loaded + 0 rejected + 2 duplicates");
  await place.database.sql`delete from user_events where line_number = 3`;
  assertEquals(differencesOf(await verify(place)), [
    "keyed.csv:-:-: expected 5 rows in the table, found 4",
    `keyed.csv:3:-: expected key ${KEY(1)} in the table, of which this is a duplicate, ` +
    "found no such row",
    "keyless.csv:-:-: expected 5 rows in the table, found 4",
  ]);
});

verifyTest("verify takes a last record without newline as one, and its place", async (place) => {
  const path = join(place.events, "a.csv");
  await writeEvents(place, "a.csv", csvText(eventLines(0, 2)).trimEnd());
  await ingestOnce(place);
  assertEquals(
    (await verify(place)).summary,
    "verified: 2 events = 2 loaded + 0 rejected + 0 duplicates",
  );
  await place.database.sql`update pgsluice.files set provisional_from_byte = null`;
  const start = csvText(eventLines(0, 1)).length;
  assertEquals(differencesOf(await verify(place)), [
    `a.csv:-:-: expected a last record without newline, from byte ${start}, as provisional, ` +
    "found none",
  ]);
  await place.database.sql`update pgsluice.files set provisional_from_byte = ${start}`;
  await Deno.writeTextFile(path, `00\n${eventLine(7)}\n`, { append: true });
  await ingestOnce(place);
  assertEquals(
    (await verify(place)).summary,
    "verified: 3 events = 3 loaded + 0 rejected + 0 duplicates",
  );
});
