import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { recountMinutes } from "../../src/sink/begin_minutes.ts";
import {
  csvText,
  eventLine,
  eventLines,
  folderSource,
  HEADER,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** A test with a database and a folder of its own. */
function ingestTest(name: string, run: (place: IngestPlace) => Promise<void>): void {
  Deno.test(name, async () => await withPlace(await testDatabase(), run));
}

async function count(place: IngestPlace, where = "true"): Promise<number> {
  const [row] = await place.database.sql.unsafe<{ count: number }[]>(
    `select count(*)::int as count from user_events where ${where}`,
  );
  return row!.count;
}

async function fileRow(place: IngestPlace, path: string) {
  const [row] = await place.database.sql`
    select state, reason, generation, committed_byte::int as "committedByte", loaded::int,
      rejected::int, duplicate::int, headers::int, provisional_from_byte::int as "provisionalFrom"
    from pgsluice.files where path = ${path} order by generation desc limit 1`;
  return row!;
}

ingestTest(
  "ingest loads every record of every file, and a second run loads nothing",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 500)));
    await writeEvents(place, "b.csv", csvText(eventLines(500, 700)));
    const first = await ingestOnce(place);
    assertEquals([first.loaded, first.rejected, first.duplicate], [700, 0, 0]);
    assertEquals(await count(place), 700);
    const second = await ingestOnce(place);
    assertEquals(second.batches.length, 0);
    assertEquals(
      await verifyExact(place),
      "verified: 700 events = 700 loaded + 0 rejected + 0 duplicates",
    );
  },
);

ingestTest("ingest derives date and hour and keeps where each row came from", async (place) => {
  await writeEvents(place, "a.csv", csvText([eventLine(0), eventLine(1)]));
  await ingestOnce(place, { timeZone: "Asia/Tokyo" });
  const rows = await place.database.sql`
    select event_date::text as date, event_hour as hour, line_number::int as line, path, price::text,
      (event_timestamp at time zone 'UTC')::text as time
    from user_events join pgsluice.files using (file_id) order by line_number`;
  assertEquals(rows.map((row) => ({ ...row })), [
    {
      date: "2026-03-14",
      hour: 19,
      line: 2,
      path: "a.csv",
      price: "12.50",
      time: "2026-03-14 10:00:00",
    },
    {
      date: "2026-03-14",
      hour: 19,
      line: 3,
      path: "a.csv",
      price: "12.50",
      time: "2026-03-14 10:00:01",
    },
  ]);
  await verifyExact(place);
});

ingestTest("ingest keeps rejects with line, bytes and reason, and goes on", async (place) => {
  const bad = eventLine(1, { price: "-1" });
  await writeEvents(place, "a.csv", csvText([eventLine(0), bad, "too,short", eventLine(2)]));
  const heard = await ingestOnce(place);
  assertEquals([heard.loaded, heard.rejected], [2, 2]);
  const rejects = await place.database.sql`
    select line_number::int as line, column_name as column, convert_from(raw, 'UTF8') as raw,
      (end_byte - start_byte)::int as bytes
    from pgsluice.rejects order by line_number`;
  assertEquals(rejects.map((row) => ({ ...row })), [
    { line: 3, column: "price", raw: bad + "\n", bytes: bad.length + 1 },
    { line: 4, column: null, raw: "too,short\n", bytes: 10 },
  ]);
  await verifyExact(place);
});

ingestTest(
  "ingest tells duplicates from key conflicts, within a batch and across",
  async (place) => {
    await writeEvents(place, "a.csv", csvText([...eventLines(0, 10), eventLine(3)]));
    await ingestOnce(place);
    await writeEvents(
      place,
      "b.csv",
      csvText([eventLine(4), eventLine(5, { price: "99.00" }), eventLine(20), eventLine(20)]),
    );
    const heard = await ingestOnce(place);
    assertEquals([heard.loaded, heard.rejected, heard.duplicate], [1, 1, 2]);
    const [reject] = await place.database
      .sql`select code, reason, line_number::int from pgsluice.rejects`;
    assertEquals(reject!.code, "key_conflict");
    assertStringIncludes(reject!.reason, "line 7 of a.csv");
    assertEquals(
      await verifyExact(place),
      "verified: 15 events = 11 loaded + 1 rejected + 3 duplicates",
    );
  },
);

ingestTest("ingest goes on where the ledger stands when a file grows", async (place) => {
  const path = join(place.events, "a.csv");
  await Deno.writeTextFile(path, csvText(eventLines(0, 100)) + eventLine(100).slice(0, 60));
  const { heard, stop } = ingestWatching(place, { settleMs: 3_600_000 });
  await heard.until(() => heard.loaded === 100);
  await Deno.writeTextFile(path, eventLine(100).slice(60) + "\n" + eventLine(101) + "\n", {
    append: true,
  });
  await heard.until(() => heard.loaded === 102);
  await stop();
  assertEquals((await fileRow(place, "a.csv")).state, "done");
  await verifyExact(place);
});

ingestTest("ingest resumes in the middle of a file of many blocks", async (place) => {
  const lines = eventLines(0, 30_000);
  const path = join(place.events, "a.csv");
  await Deno.writeTextFile(path, csvText(lines.slice(0, 20_000)));
  await ingestOnce(place, { limits: { rows: 777, sizeBytes: 1e9, lingerMs: 20 } });
  await Deno.writeTextFile(path, lines.slice(20_000).map((line) => line + "\n").join(""), {
    append: true,
  });
  const heard = await ingestOnce(place);
  assertEquals(heard.loaded, 10_000);
  await verifyExact(place);
});

ingestTest("a file whose last record fills a batch is done with it", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 40)));
  const heard = await ingestOnce(place, { limits: { rows: 20, sizeBytes: 1e9, lingerMs: 20 } });
  assertEquals(heard.batches.map(({ files }) => files[0]!.isDone), [false, true]);
  assertEquals((await fileRow(place, "a.csv")).state, "done");
});

ingestTest(
  "a last record without newline is taken at the end of --once, and taken back when it grows",
  async (place) => {
    const path = join(place.events, "a.csv");
    const cut = eventLine(1).slice(0, -4); // the price is cut to 12.
    await Deno.writeTextFile(path, csvText([eventLine(0)]) + `${cut}0,1`);
    await ingestOnce(place);
    assertEquals(await count(place), 2);
    const before = await fileRow(place, "a.csv");
    assertEquals(before.provisionalFrom, csvText([eventLine(0)]).length);
    await Deno.writeTextFile(path, `7\n${eventLine(2)}\n`, { append: true });
    await ingestOnce(place);
    assertEquals(await count(place), 3);
    assertEquals(await count(place, "quantity = 17"), 1);
    assertEquals((await fileRow(place, "a.csv")).provisionalFrom, null);
    await verifyExact(place);
  },
);

ingestTest("what was counted of a last line is taken back with it", async (place) => {
  const path = join(place.events, "a.csv");
  const local = eventLine(1).replace("2026-03-14T10:00:01Z", "2026-10-25 02:30:00");
  const berlin = { timeZone: "Europe/Berlin" };
  for (const last of [HEADER, local]) {
    await Deno.writeTextFile(path, csvText([eventLine(0)]) + last);
    await ingestOnce(place, berlin);
    await Deno.writeTextFile(path, `\n${eventLine(2)}\n`, { append: true });
    await ingestOnce(place, berlin);
    const [row] = await place.database.sql`
      select headers::int, ambiguous_times::int as times from pgsluice.files
      where state = 'done' order by generation desc limit 1`;
    assertEquals({ ...row }, last === HEADER ? { headers: 1, times: 0 } : { headers: 0, times: 1 });
    await verifyExact(place);
  }
});

ingestTest(
  "a watching ingest takes a last record without newline once its file is quiet",
  async (place) => {
    const { heard, stop } = ingestWatching(place, { settleMs: 50 });
    await heard.until(() => heard.starts === 1);
    await writeEvents(place, "a.csv", csvText([eventLine(0)]) + eventLine(1));
    await heard.until(() => heard.loaded === 2);
    await stop();
    await verifyExact(place);
  },
);

ingestTest("files that nobody here generated are loaded", async (place) => {
  const cases: [name: string, text: string][] = [
    [
      "order.csv",
      "price,user_id,event_type,product_id,event_timestamp\n1.5,7,view,8,2026-01-02T03:04:05Z\n",
    ],
    [
      "extra.csv",
      "colour,price,user_id,event_type,product_id,timestamp\nred,1,7,view,9,2026-01-02 03:04:05\n",
    ],
    ["crlf.csv", "price,user_id,event_type,product_id,event_time\r\n1,7,view,10,1767323045\r\n"],
    [
      "bom.csv",
      "\ufeffprice,user_id,event_type,product_id,event_timestamp\n1,7,view,11,2026-01-02T03:04:05+01:00\n",
    ],
    [
      "alias.csv",
      ' Timestamp , VisitorId ,EVENT,itemid,price\n"1767323045000",7,purchase,12,"1"\n',
    ],
    [
      "quoted.csv",
      'price,user_id,event_type,product_id,event_timestamp,product_name\n1,7,view,13,2026-01-02T03:04:05Z,"Lamp, 5"" wide\nand tall"\n',
    ],
    [
      "inch.csv",
      'price,user_id,event_type,product_id,event_timestamp,product_name\n1,7,view,14,2026-01-02T03:04:05Z,5" lamp\n',
    ],
  ];
  for (const [name, text] of cases) await writeEvents(place, name, text);
  const heard = await ingestOnce(place);
  assertEquals([heard.loaded, heard.rejected], [cases.length, 0]);
  const rows = await place.database.sql`
    select product_id::int as product, product_name as name from user_events order by 1`;
  assertEquals(rows.map(({ product }) => product), [8, 9, 10, 11, 12, 13, 14]);
  assertEquals(rows[5]!.name, 'Lamp, 5" wide\nand tall');
  assertEquals(rows[6]!.name, '5" lamp');
  assertEquals(heard.notes.map(({ note }) => note), ["columns not loaded: colour"]);
  await verifyExact(place);
});

ingestTest(
  "what is no CSV of this schema fails with its reason and blocks no other file",
  async (place) => {
    await writeEvents(place, "a.csv", "<!doctype html><html></html>\n");
    await writeEvents(place, "b.csv", csvText([eventLine(0)]));
    await writeEvents(place, "c.csv", HEADER.replace("price", "cost") + "\n");
    const heard = await ingestOnce(place);
    assertEquals(heard.loaded, 1);
    assertEquals(heard.troubles.map(({ path, state }) => [path, state]), [
      ["a.csv", "failed"],
      ["c.csv", "failed"],
    ]);
    assertStringIncludes((await fileRow(place, "c.csv")).reason, "price");
    await writeEvents(place, "c.csv", csvText([eventLine(1)]));
    assertEquals((await ingestOnce(place)).loaded, 1);
    assertEquals((await fileRow(place, "c.csv")).state, "done");
    await verifyExact(place);
  },
);

ingestTest("empty files and files of a header alone are done", async (place) => {
  await writeEvents(place, "empty.csv", "");
  await writeEvents(place, "header.csv", HEADER + "\n");
  await ingestOnce(place);
  assertEquals((await fileRow(place, "empty.csv")).state, "done");
  const header = await fileRow(place, "header.csv");
  assertEquals([header.state, header.committedByte], ["done", HEADER.length + 1]);
  await verifyExact(place);
});

ingestTest("a file whose content was loaded under another name loads nothing", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await ingestOnce(place);
  await Deno.rename(join(place.events, "a.csv"), join(place.events, "renamed.csv"));
  const heard = await ingestOnce(place);
  assertEquals(heard.batches.length, 0);
  const row = await fileRow(place, "renamed.csv");
  assertEquals([row.state, row.reason], ["same", "same as a.csv"]);
});

ingestTest(
  "a replaced file is loaded as a new generation, repeats counted as duplicates",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await ingestOnce(place);
    await writeEvents(place, "a.csv", csvText(eventLines(5, 12)));
    const heard = await ingestOnce(place);
    assertEquals([heard.loaded, heard.duplicate], [2, 5]);
    assertEquals((await fileRow(place, "a.csv")).generation, 2);
    assertEquals(await count(place), 12);
  },
);

ingestTest("a replaced file without keys is held, not loaded twice", async (place) => {
  const text = (price: string) =>
    `price,user_id,event_type,product_id,event_timestamp\n${price},7,view,8,2026-01-02T03:04:05Z\n`;
  await writeEvents(place, "a.csv", text("1.00"));
  await ingestOnce(place);
  await writeEvents(place, "a.csv", text("2.00"));
  const heard = await ingestOnce(place);
  assertEquals(heard.loaded, 0);
  assertEquals(heard.troubles[0]!.state, "held");
  assertEquals(await count(place), 1);
});

ingestTest("a header that comes again in the middle is counted as a header", async (place) => {
  await writeEvents(place, "a.csv", csvText([eventLine(0)]) + csvText([eventLine(1)]));
  const heard = await ingestOnce(place);
  assertEquals([heard.loaded, heard.rejected], [2, 0]);
  assertEquals((await fileRow(place, "a.csv")).headers, 1);
  await verifyExact(place);
});

ingestTest(
  "a stream is loaded as it comes, and again with its id passes over what is loaded",
  async (place) => {
    const text = csvText(eventLines(0, 1_000));
    const source = (content: string) => ({
      kind: "stream" as const,
      stream: ReadableStream.from([new TextEncoder().encode(content)]),
      sourceId: "shop",
    });
    const first = await ingestOnce(place, { source: source(text), pipelineName: "stdin" });
    assertEquals(first.loaded, 1_000);
    assertEquals((await fileRow(place, "shop")).state, "done");
    const more = text + eventLine(1_000) + "\n";
    const second = await ingestOnce(place, { source: source(more), pipelineName: "stdin" });
    assertEquals(second.loaded, 1);
    const other = source(csvText(eventLines(7, 2_000)));
    await assertRejects(
      () => ingestOnce(place, { source: other, pipelineName: "stdin" }),
      PgsluiceError,
      "is not the stream that was loaded before as shop",
    );
  },
);

ingestTest("a pipe that comes in many pieces is read to its end", async (place) => {
  const ingester = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "-A", MAIN, "ingest", "-", "--quiet"],
      ...["--database", place.database.url, "--checkpoints", join(place.home, "checkpoints")],
    ],
    stdin: "piped",
    stdout: "null",
  }).spawn();
  await ReadableStream.from([new TextEncoder().encode(csvText(eventLines(0, 30_000)))])
    .pipeTo(ingester.stdin);
  assertEquals((await ingester.status).code, 0);
  assertEquals(await count(place), 30_000);
  await verifyExact(place, "stdin");
});

ingestTest("a stream that ended within a record goes on in the next run", async (place) => {
  const text = csvText([eventLine(0), eventLine(1)]);
  const source = (content: string) => ({
    kind: "stream" as const,
    stream: ReadableStream.from([new TextEncoder().encode(content)]),
    sourceId: "shop",
  });
  const run = (content: string) =>
    ingestOnce(place, { source: source(content), pipelineName: "stdin" });
  await run(text.slice(0, -2));
  await run(text + eventLine(2) + "\n");
  assertEquals(await count(place), 3);
  const [row] = await place.database.sql`
    select loaded::int, rejected::int from pgsluice.files where path = 'shop'`;
  assertEquals({ ...row }, { loaded: 3, rejected: 0 });
});

ingestTest("a pipeline is bound to its source and table", async (place) => {
  await writeEvents(place, "a.csv", csvText([eventLine(0)]));
  await ingestOnce(place);
  const other = join(place.home, "other");
  await Deno.mkdir(other);
  const error = await assertRejects(
    () => ingestOnce(place, { source: folderSource(place, { directory: other }) }),
    PgsluiceError,
    place.events,
  );
  assertEquals(error.code, "pipeline-bound");
  assertStringIncludes(error.message, other);
  assertStringIncludes(error.hint, "--pipeline");
});

ingestTest("a second ingester stands by, or says so and leaves", async (place) => {
  const { heard, stop } = ingestWatching(place);
  await heard.until(() => heard.starts === 1);
  const error = await assertRejects(
    () => ingestOnce(place),
    PgsluiceError,
    "another ingester owns",
  );
  assertEquals(error.exitCode, 75);
  const second = ingestWatching(place, { noWait: false });
  await second.heard.until(() => second.heard.standbys === 1);
  await stop();
  await second.heard.until(() => second.heard.starts === 1);
  await writeEvents(place, "a.csv", csvText([eventLine(0)]));
  await second.heard.until(() => second.heard.loaded === 1);
  await second.stop();
  await verifyExact(place);
});

ingestTest(
  "the journal is rebuilt from the ledger when it is missing, torn or damaged",
  async (place) => {
    await writeEvents(place, "a.csv", csvText([eventLine(0)]));
    await ingestOnce(place);
    const path = join(place.home, "checkpoints", "default", "journal.jsonl");
    const whole = await Deno.readTextFile(path);
    const cases: [string, () => Promise<void>][] = [
      ["missing", () => Deno.remove(path)],
      ["torn", () => Deno.writeTextFile(path, whole.slice(0, -5))],
      ["damaged", () => Deno.writeTextFile(path, whole.replace("default", "defauld"))],
    ];
    for (const [kind, damage] of cases) {
      await damage();
      const heard = await ingestOnce(place);
      assert(heard.journals.includes(kind), `${kind}: ${heard.journals}`);
      assertEquals(heard.loaded, 0);
    }
  },
);

ingestTest("a database that lost commits is healed from the files", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 100)));
  await ingestOnce(place, { limits: { rows: 10, sizeBytes: 1e9, lingerMs: 20 } });
  await place.database.sql.unsafe(`
    delete from user_events where line_number > 51;
    delete from pgsluice.files where path = 'none';`);
  const bytes = csvText(eventLines(0, 50)).length;
  const digests = await digestsOf(csvText(eventLines(0, 50)));
  await place.database.sql`
    update pgsluice.files set committed_byte = ${bytes}, committed_line = 51, loaded = 50,
      state = 'open', tail_hash = ${digests}`;
  const table = `"user_events"`;
  await recountMinutes(place.database.sql, { schema: USER_EVENTS, table });
  const heard = await ingestOnce(place);
  assert(heard.journals.includes("ahead"));
  assertEquals(heard.loaded, 50);
  await verifyExact(place);
});

ingestTest("the journal of another database stops the ingest", async (place) => {
  await writeEvents(place, "a.csv", csvText([eventLine(0)]));
  await ingestOnce(place);
  await place.database.sql`update pgsluice.pipelines set identity = gen_random_uuid()`;
  const error = await assertRejects(() => ingestOnce(place), PgsluiceError, "of another database");
  assertEquals(error.code, "other-database");
});

ingestTest("sessions whose backends are terminated come back and lose nothing", async (place) => {
  for (let file = 0; file < 20; file++) {
    await writeEvents(place, `${file}.csv`, csvText(eventLines(file * 500, file * 500 + 500)));
  }
  const { heard, stop } = ingestWatching(place, {
    limits: { rows: 100, sizeBytes: 1e9, lingerMs: 1 },
  });
  for (const loaded of [500, 3_000, 6_000]) {
    await heard.until(() => heard.loaded >= loaded);
    await place.database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name like 'pgsluice%' and datname = current_database()
        and pid <> pg_backend_pid()`;
  }
  await heard.until(() => heard.outages.length > 0 && heard.starts > 1);
  while (await count(place) < 10_000) await new Promise((resolve) => setTimeout(resolve, 5));
  await stop();
  assertEquals(
    await verifyExact(place),
    "verified: 10000 events = 10000 loaded + 0 rejected + 0 duplicates",
  );
});

ingestTest("two connections that carry the same keys make no deadlock", async (place) => {
  const lines = eventLines(0, 2_000);
  await writeEvents(place, "a.csv", csvText([...lines, ...lines.toReversed(), ...lines]));
  const heard = await ingestOnce(place, {
    limits: { rows: 250, sizeBytes: 1e9, lingerMs: 20 },
    connections: 4,
  });
  assertEquals([heard.loaded, heard.duplicate], [2_000, 4_000]);
  await verifyExact(place);
});

ingestTest("a table of somebody else's making is compared before anything loads", async (place) => {
  await place.database.sql`create table user_events (event_id uuid primary key, price float8)`;
  await writeEvents(place, "a.csv", csvText([eventLine(0)]));
  const error = await assertRejects(() => ingestOnce(place), PgsluiceError, "price");
  assertStringIncludes(error.message, "double precision");
});

async function digestsOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
