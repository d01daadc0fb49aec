import { assert, assertEquals, assertRejects } from "@std/assert";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { findReportPipeline } from "../../src/query/find_report_pipeline.ts";
import { REPORTS } from "../../src/query/reports.ts";
import { runReport } from "../../src/query/run_report.ts";
import { csvText, ingestOnce, writeEvents } from "../support/ingest_fixture.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { testDatabase } from "../support/test_database.ts";
import { isoWindow, openShop, pick, shopCase, shopLine, utc } from "./shop.ts";

const HOUR_MS = 3_600_000;

async function refused(answer: Promise<unknown>): Promise<PgsluiceError> {
  return await assertRejects(() => answer, PgsluiceError);
}

shopCase("a window ends just after the newest event unless it is told where", async ({ ask }) => {
  // the newest minute that has events is 22:31
  const last = await ask("funnel", { sinceAgoMs: HOUR_MS });
  assertEquals(isoWindow(last), ["2024-03-31T21:32Z", "2024-03-31T22:32Z"]);
  const until = await ask("funnel", { sinceAgoMs: HOUR_MS, untilMs: utc("2024-03-31T02:00:00") });
  assertEquals(isoWindow(until), ["2024-03-31T01:00Z", "2024-03-31T02:00Z"]);
  // the report's own length
  const own = await ask("funnel", { untilMs: utc("2024-03-31T02:00:00") });
  assertEquals(isoWindow(own), ["2024-03-31T01:00Z", "2024-03-31T02:00Z"]);
  // to the ms, where events are read one by one
  const exact = await ask("conversion", { sinceMs: utc("2024-03-31T01:30:20") });
  assertEquals(isoWindow(exact)[0], "2024-03-31T01:30Z", "the sums by minute are read");
  const viewed = await ask("funnel", { sinceMs: utc("2024-03-31T22:30:00.001") });
  assertEquals(viewed.rows[0], ["viewed", 0, null, null, null]);
});

shopCase("a window does not begin before the first event", async ({ ask }) => {
  const answer = await ask("traffic", { by: "minute", sinceMs: 0 });
  assertEquals(isoWindow(answer), ["2024-03-30T22:59Z", "2024-03-31T22:32Z"]);
  assertEquals(answer.rows.length, 23 * 60 + 33);
  // but what was asked about the time before it is answered
  const before = await ask("traffic", {
    sinceMs: utc("2024-03-30T10:00:00"),
    untilMs: utc("2024-03-30T11:00:00"),
  });
  assertEquals(pick(before, "hour", "events"), [["2024-03-30T10:00:00Z", 0]]);
});

ingestCase("an event in the future does not move the window there", async (place) => {
  const now = Date.now();
  const time = (ms: number) => new Date(ms).toISOString().slice(0, -1);
  const lines = [
    shopLine(1, { time: time(now - 10 * HOUR_MS), user: 1, product: 1 }),
    shopLine(2, { time: "2999-01-01T00:00:00", user: 1, product: 1 }),
  ];
  await writeEvents(place, "a.csv", csvText(lines));
  await ingestOnce(place);
  const { ask } = await openShop(place);
  const newest = Math.floor((now - 10 * HOUR_MS) / 60_000 + 1) * 60_000;
  const answer = await ask("hours");
  assertEquals(answer.window.untilMs, newest);
  assertEquals(pick(answer, "events").reduce((sum, [events]) => sum + Number(events), 0), 1);
  // it is there for who asks
  const asked = await ask("traffic", {
    by: "day",
    sinceMs: utc("2998-12-31T00:00:00"),
    untilMs: utc("2999-01-02T00:00:00"),
  });
  assertEquals(pick(asked, "day", "events"), [["2998-12-31", 0], ["2999-01-01", 1]]);
});

ingestCase("a window ends now while events come in", async (place) => {
  const { sql } = place.database;
  await writeEvents(
    place,
    "a.csv",
    csvText([shopLine(1, {
      // the end of its minute lies in the future
      time: new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString().slice(0, -1),
      user: 1,
      product: 1,
    })]),
  );
  await ingestOnce(place);
  const { ask } = await openShop(place);
  const [clock] = await sql<{ ms: number }[]>`
    select ceil(extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  const { window } = await ask("funnel");
  const [later] = await sql<{ ms: number }[]>`
    select ceil(extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  const [minuteEnd] = await sql<{ ms: number }[]>`
    select (extract(epoch from max(minute) + interval '1 minute') * 1000)::float8 as ms
    from pgsluice.events_by_minute`;
  assert(window.untilMs! <= Math.min(later!.ms, minuteEnd!.ms), `${window.untilMs}`);
  assert(window.untilMs! >= Math.min(clock!.ms, minuteEnd!.ms), `${window.untilMs}`);
});

shopCase("what was undone moves the window's end back", async ({ ask, place }) => {
  const { sql } = place.database;
  // the last minute that has events is 03:20 then; its sums are zeros, here merged and there not
  await sql`
    insert into pgsluice.minute_deltas
    select
      rollup_id, event_type, array[extract(epoch from minute)::bigint / 60], array[-events],
      array[-units], array[-amount]
    from pgsluice.events_by_minute join pgsluice.rollups using (target_table)
    where minute >= '2024-03-31T22:00Z'`;
  assertEquals(isoWindow(await ask("top")), ["2024-03-31T02:21Z", "2024-03-31T03:21Z"]);
  await sql`
    insert into pgsluice.minute_deltas
    select
      rollup_id, event_type, array[extract(epoch from minute)::bigint / 60], array[-events],
      array[-units], array[-amount]
    from pgsluice.events_by_minute join pgsluice.rollups using (target_table)`;
  const answer = await ask("traffic");
  assertEquals(pick(answer, "events").flat().every((events) => events === 0), true);
  await sql`insert into pgsluice.minutes select 1, '2024-04-20', 'view', 0, 0, 0`;
  assertEquals(pick(await ask("traffic"), "events").flat().every((events) => events === 0), true);
});

ingestCase("a dense hour is shortened to whole minutes, unless it was asked for", async (place) => {
  // 10:00 to 10:09, as many events in each minute as its number, then 3 in the last one
  const lines: string[] = [];
  for (let minute = 0; minute < 10; minute++) {
    for (let second = 0; second < minute; second++) {
      const time = `2024-05-01T10:0${minute}:${String(second).padStart(2, "0")}`;
      lines.push(shopLine(lines.length, { time, user: second + 1, product: 1 }));
    }
  }
  await writeEvents(place, "a.csv", csvText(lines));
  await ingestOnce(place);
  const { ask } = await openShop(place);
  const funnel = REPORTS.get("funnel")!;
  const window = async (maxEvents: number, request = {}) =>
    isoWindow(await ask("funnel", { report: { ...funnel, maxEvents }, ...request }));
  // 9 + 8 + 7 = 24, and 6 more are 30
  assertEquals(await window(24), ["2024-05-01T10:07Z", "2024-05-01T10:10Z"]);
  assertEquals(await window(29), ["2024-05-01T10:07Z", "2024-05-01T10:10Z"]);
  assertEquals(await window(30), ["2024-05-01T10:06Z", "2024-05-01T10:10Z"]);
  // the last minute at least
  assertEquals(await window(2), ["2024-05-01T10:09Z", "2024-05-01T10:10Z"]);
  // all of them: the hour is as long as it was, since the first event
  assertEquals(await window(45), ["2024-05-01T10:01Z", "2024-05-01T10:10Z"]);
  assertEquals(await window(24, { sinceAgoMs: 5 * 60_000 }), [
    "2024-05-01T10:05Z",
    "2024-05-01T10:10Z",
  ]);
  assertEquals(await window(24, { sinceMs: utc("2024-05-01T10:02:00") }), [
    "2024-05-01T10:02Z",
    "2024-05-01T10:10Z",
  ]);
  const until = { untilMs: utc("2024-05-01T10:09:00") };
  // 8 + 7 = 15
  assertEquals(await window(20, until), ["2024-05-01T10:07Z", "2024-05-01T10:09Z"]);
  const shortened = await ask("funnel", { report: { ...funnel, maxEvents: 24 } });
  assertEquals(shortened.rows[0]!.slice(0, 2), ["viewed", 9]);
});

shopCase("a window without length, or with too many rows, is refused", async ({ ask }) => {
  const empty = await refused(ask("traffic", { sinceMs: utc("2025-01-01T00:00:00") }));
  assertEquals(empty.code, "empty-window");
  assertEquals(
    empty.message,
    "report traffic: its window would begin at 2025-01-01T00:00:00Z and end just after the " +
      "newest event, at 2024-03-31T22:32:00Z",
  );
  const turned = await refused(
    ask("late", { sinceMs: utc("2024-01-02T00:00:00"), untilMs: utc("2024-01-01T00:00:00") }),
  );
  assertEquals(turned.code, "empty-window");
  assertEquals(
    turned.message,
    "report late: its window would begin at 2024-01-02T00:00:00Z and end at 2024-01-01T00:00:00Z",
  );
  const long = await refused(
    ask("traffic", { by: "minute", sinceMs: 0, untilMs: utc("2024-07-01T00:00:00") }),
  );
  assertEquals(long.code, "window-too-long");
  assertEquals(
    long.message,
    "report traffic by minute from 2024-03-30T22:59:00Z to 2024-07-01T00:00:00Z would have more " +
      "than 100000 rows",
  );
});

shopCase("a grouping that a report does not have is refused", async ({ ask }) => {
  const other = await refused(ask("traffic", { by: "week" }));
  assertEquals([other.code, other.message, other.hint, other.exitCode], [
    "no-such-grouping",
    "report traffic cannot group by week",
    "it groups by hour, minute, day",
    2,
  ]);
  const none = await refused(ask("funnel", { by: "hour" }));
  assertEquals(none.hint, "leave --by out: it has one form only");
});

shopCase(
  "a report that takes too long is stopped, by a limit of its own only",
  async ({ ask, place }) => {
    const { sql } = place.database;
    const slow = {
      ...REPORTS.get("funnel")!,
      text: "select pg_sleep(60)::text, 1, 1.0::float8, 1.0::float8, 1.0::float8",
    };
    const error = await refused(ask("funnel", { report: slow, statementTimeoutMs: 20 }));
    assertEquals([error.code, error.message], [
      "query-timeout",
      "report funnel took longer than 0.02 s, and was told to stop",
    ]);
    const [after] = await sql`show statement_timeout`;
    assertEquals(after, { statement_timeout: "0" });
  },
);

shopCase(
  "no report on events meets them in a loop for each, of which statistics know nothing",
  async ({ ask }) => {
    for (const [name, known] of REPORTS) {
      if (known.clock !== "event") continue;
      const report = {
        ...known,
        text: "select current_setting('enable_nestloop') as loops",
        columns: [{ name: "loops", unit: "text", description: "" }] as const,
      };
      assertEquals((await ask(name, { report })).rows, [["off"]], name);
    }
  },
);

shopCase(
  "top and funnel find their window by the index, whatever the statistics say",
  async ({ ask }) => {
    for (const name of ["top", "funnel"]) {
      const report = REPORTS.get(name)!;
      const explain = {
        ...report,
        columns: [{ name: "plan", unit: "text", description: "" }] as const,
        text: `explain ${report.text}`,
      };
      const { rows } = await ask(name, { report: explain });
      const plan = rows.flat().join("\n");
      assert(plan.includes("Bitmap Index Scan on user_events_event_timestamp_idx"), plan);
      // of a table as small as this one
      assert(!plan.includes("Seq Scan"), plan);
    }
  },
);

shopCase("a report cannot write", async ({ ask }) => {
  const writing = {
    ...REPORTS.get("funnel")!,
    text: "select nextval('pgsluice.files_file_id_seq')",
  };
  const error = await assertRejects(() => ask("funnel", { report: writing }), Error);
  assertEquals((error as { code?: string }).code, "25006");
});

shopCase(
  "a table whose sums were not begun is told, where they are read",
  async ({ ask, place }) => {
    await place.database.sql`delete from pgsluice.rollups`;
    const error = await refused(ask("traffic"));
    assertEquals([error.code, error.message], [
      "no-minutes",
      'the events of table "user_events" are not summed up by minute yet',
    ]);
    assert(error.hint.includes("pgsluice ingest --pipeline default"), error.hint);
    assertEquals((await ask("rejects")).rows.length, 2, "which needs none");
  },
);

ingestCase(
  "a report on a pipeline that has loaded nothing is empty, and no error",
  async (place) => {
    await ingestOnce(place);
    const { ask } = await openShop(place);
    for (const report of REPORTS.values()) {
      for (const by of report.groupings.length > 0 ? report.groupings : [undefined]) {
        const { rows, columns } = await ask(report.name, { ...(by !== undefined && { by }) });
        // zeros by time, and none of anything else
        const values = rows.flatMap((row) =>
          row.filter((_, place) => columns[place]!.unit === "count")
        );
        if (report.name !== "hours") {
          assertEquals(values.filter((value) => value !== 0), [], `${report.name} by ${by}`);
        }
      }
    }
    assertEquals(
      (await ask("traffic")).rows.length,
      25,
      "the last 24 hours and what there is of this one",
    );
    assertEquals((await ask("top")).rows, []);
    assertEquals((await ask("rejects")).rows, []);
  },
);

ingestCase("reports read the table and the zone of their own pipeline", async (place) => {
  await writeEvents(
    place,
    "a.csv",
    csvText([shopLine(1, { time: "2024-05-01T10:00:00", user: 1, product: 1 })]),
  );
  await ingestOnce(place);
  await writeEvents(
    place,
    "b.csv",
    csvText([shopLine(2, { time: "2024-05-02T11:00:00", user: 2, product: 2 })]),
  );
  const odd = {
    pipelineName: "odd",
    table: 'public."Odd "" name"',
    timeZone: "Asia/Kolkata",
  };
  const { setUp } = await import("../../src/database/set_up.ts");
  const { USER_EVENTS } = await import("../../src/schema/user_events.ts");
  await setUp(place.database.target, { schema: USER_EVENTS, table: odd.table });
  await Deno.remove(`${place.events}/a.csv`);
  await ingestOnce(place, odd);
  const { sql } = place.database;
  for (const [name, product, hour] of [["default", "1", 10], ["odd", "2", 16]] as const) {
    const pipeline = await findReportPipeline(sql, name);
    const views = await runReport(sql, { pipeline, report: REPORTS.get("conversion")! });
    assertEquals(pick(views, "product"), [[product]]);
    const hours = await runReport(sql, { pipeline, report: REPORTS.get("hours")! });
    assertEquals(pick(hours, "hour", "events").filter(([, events]) => events !== 0), [[hour, 1]]);
  }
});

Deno.test("without a ledger, or without the pipeline, the error says what there is", async () => {
  await using empty = await testDatabase();
  assertEquals((await refused(findReportPipeline(empty.sql, "default"))).code, "no-ledger");
  await using database = await testDatabase({ setUp: true });
  assertEquals(
    (await refused(findReportPipeline(database.sql, "default"))).code,
    "no-such-pipeline",
  );
  // of a pgsluice that kept no sums by minute
  await database.sql`delete from pgsluice.migrations where number > 3`;
  const older = await refused(findReportPipeline(database.sql, "default"));
  assertEquals([older.code, older.hint], ["ledger-older", "`pgsluice setup` brings it up to date"]);
});
