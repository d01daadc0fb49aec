/** Each report's answer about a shop of fourteen events, worked out by hand from `shop.ts`. */
import { assert, assertEquals } from "@std/assert";
import { csvText, ingestOnce, writeEvents } from "../support/ingest_fixture.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { isoWindow, openShop, pick, shopCase, shopLine, utc } from "./shop.ts";

const NOTHING = [0, 0, 0, 0, "0", null];

shopCase(
  "traffic by hour has every hour of the window, those without events as zeros",
  async ({ ask }) => {
    const answer = await ask("traffic");
    // it would begin 24 h before 22:32, but there is nothing before 22:59; the hour is a whole one
    assertEquals(isoWindow(answer), ["2024-03-30T22:00Z", "2024-03-31T22:32Z"]);
    assertEquals(answer.by, "hour");
    assertEquals(answer.columns.map(({ name, unit }) => `${name} ${unit}`), [
      "hour time",
      "events count",
      "views count",
      "purchases count",
      "units count",
      "revenue money",
      "order_value money",
    ]);
    assertEquals(answer.rows, [
      ["2024-03-30T22:00:00Z", 1, 1, 0, 0, "0", null],
      ["2024-03-30T23:00:00Z", ...NOTHING],
      ["2024-03-31T00:00:00Z", 3, 3, 0, 0, "0", null],
      // two views, 2 lamps for 20.00, 10 pens for 19.90
      ["2024-03-31T01:00:00Z", 4, 2, 2, 12, "39.90", "19.95"],
      ["2024-03-31T02:00:00Z", ...NOTHING],
      // a view, a lamp for 10.00, a rug for 25.50
      ["2024-03-31T03:00:00Z", 3, 1, 2, 2, "35.50", "17.75"],
      ...Array.from({ length: 18 }, (_, hour) => [
        `2024-03-31T${String(hour + 4).padStart(2, "0")}:00:00Z`,
        ...NOTHING,
      ]),
      ["2024-03-31T22:00:00Z", 2, 1, 1, 3, "30.00", "30.00"],
    ]);
  },
);

shopCase("traffic by day has the pipeline's own days, the one of 23 hours too", async ({ ask }) => {
  const answer = await ask("traffic", { by: "day" });
  // Saturday began at 23:00 UTC the day before
  assertEquals(isoWindow(answer), ["2024-03-29T23:00Z", "2024-03-31T22:32Z"]);
  assertEquals(answer.columns[0], {
    name: "day",
    unit: "date",
    description: answer.report.columns[0]!.description,
  });
  assertEquals(answer.rows, [
    ["2024-03-30", 1, 1, 0, 0, "0", null],
    // 20.00 + 19.90 + 10.00 + 25.50 in 4 purchases
    ["2024-03-31", 10, 6, 4, 14, "75.40", "18.85"],
    ["2024-04-01", 2, 1, 1, 3, "30.00", "30.00"],
  ]);
});

shopCase("traffic by minute, within a window that was asked for", async ({ ask }) => {
  const answer = await ask("traffic", {
    by: "minute",
    sinceMs: utc("2024-03-31T01:29:40"),
    untilMs: utc("2024-03-31T01:31:10"),
  });
  // the sums know whole minutes only
  assertEquals(isoWindow(answer), ["2024-03-31T01:29Z", "2024-03-31T01:32Z"]);
  assertEquals(answer.rows, [
    ["2024-03-31T01:29:00Z", ...NOTHING],
    ["2024-03-31T01:30:00Z", 2, 1, 1, 10, "19.90", "19.90"],
    ["2024-03-31T01:31:00Z", ...NOTHING],
  ]);
});

shopCase(
  "hours adds up the same hour of all days, in the pipeline's time zone",
  async ({ ask }) => {
    const answer = await ask("hours");
    assertEquals(answer.by, null);
    assertEquals(isoWindow(answer), ["2024-03-30T22:59Z", "2024-03-31T22:32Z"]);
    const nothing = (hour: number) => [hour, 0, 0, 0, null, "0"];
    assertEquals(answer.rows, [
      [0, 2, 1, 1, 1, "30.00"],
      [1, 3, 3, 0, 0, "0"],
      // from 02:00 to 03:00 there was no time
      nothing(2),
      [3, 4, 2, 2, 1, "39.90"],
      nothing(4),
      [5, 3, 1, 2, 2, "35.50"],
      ...Array.from({ length: 17 }, (_, hour) => nothing(hour + 6)),
      [23, 1, 1, 0, 0, "0"],
    ]);
  },
);

shopCase("conversion by product, category and hour", async ({ ask }) => {
  const byProduct = await ask("conversion");
  assertEquals(byProduct.columns.map(({ name, unit }) => `${name} ${unit}`), [
    "product text",
    "name text",
    "views count",
    "purchases count",
    "conversion ratio",
    "revenue money",
  ]);
  assertEquals(byProduct.rows, [
    // lines 1, 2, 3 and 14; bought 2, 1 and 3
    ["1", "Lamp", 4, 3, 0.75, "60.00"],
    ["2", "Rug", 2, 1, 0.5, "25.50"],
    ["3", "Pen", 1, 1, 1, "19.90"],
    ["4", null, 1, 0, 0, "0"],
  ]);
  const byCategory = await ask("conversion", { by: "category" });
  assertEquals(byCategory.columns[0]!.name, "category");
  assertEquals(byCategory.rows, [
    ["Home", 6, 4, 4 / 6, "85.50"],
    ["Office", 1, 1, 1, "19.90"],
    [null, 1, 0, 0, "0"],
  ]);
  const byHour = await ask("conversion", { by: "hour" });
  assertEquals(byHour.columns[0]!.unit, "time");
  // no zeros here: no views are no conversion
  assertEquals(byHour.rows, [
    ["2024-03-30T22:00:00Z", 1, 0, 0, "0"],
    ["2024-03-31T00:00:00Z", 3, 0, 0, "0"],
    ["2024-03-31T01:00:00Z", 2, 2, 1, "39.90"],
    ["2024-03-31T03:00:00Z", 1, 2, 2, "35.50"],
    ["2024-03-31T22:00:00Z", 1, 1, 1, "30.00"],
  ]);
  const bought = await ask("conversion", { sinceMs: utc("2024-03-31T22:31:00") });
  assertEquals(bought.rows, [["1", "Lamp", 0, 1, null, "30.00"]], "no views, no ratio");
});

shopCase("top ranks products and categories by revenue", async ({ ask }) => {
  const answer = await ask("top", { sinceAgoMs: 86_400_000 });
  assertEquals(answer.columns.map(({ name }) => name), [
    "product",
    "name",
    "revenue",
    "units",
    "purchases",
    "viewers",
    "conversion",
  ]);
  assertEquals(answer.rows, [
    // viewed by users 1 and 2, who both bought it; user 5 bought it unseen
    ["1", "Lamp", "60.00", 6, 3, 2, 1],
    // viewed by 1 and 2, bought by 1
    ["2", "Rug", "25.50", 1, 1, 2, 0.5],
    ["3", "Pen", "19.90", 10, 1, 1, 1],
  ]);
  const byCategory = await ask("top", { sinceAgoMs: 86_400_000, by: "category" });
  assertEquals(byCategory.rows, [
    ["Home", "85.50", 7, 4, 2, 1],
    ["Office", "19.90", 10, 1, 1, 1],
  ]);
  const lastHour = await ask("top");
  assertEquals(isoWindow(lastHour), ["2024-03-31T21:32Z", "2024-03-31T22:32Z"]);
  // viewed by user 1, bought by user 5
  assertEquals(lastHour.rows, [["1", "Lamp", "30.00", 3, 1, 1, 0]]);
});

ingestCase("top has what has no category as well, and no more than twenty", async (place) => {
  const lines = Array.from({ length: 25 }, (_, index) => {
    const [id, time] = shopLine(index, { time: "2024-05-01T10:00:00", user: 1, product: 4 }).split(
      ",",
    );
    return `${id},${time},purchase,1,${index + 1},,,${index + 1}.00,1`;
  });
  await writeEvents(place, "a.csv", csvText(lines));
  await ingestOnce(place);
  const { ask } = await openShop(place);
  const products = await ask("top");
  assertEquals(
    pick(products, "product", "revenue"),
    Array.from({ length: 20 }, (_, index) => [String(25 - index), `${25 - index}.00`]),
  );
  // 1 + 2 + … + 25
  assertEquals((await ask("top", { by: "category" })).rows, [[null, "325.00", 25, 25, 0, null]]);
});

shopCase("users tells the new from those who return", async ({ ask }) => {
  const byHour = await ask("users");
  assertEquals(isoWindow(byHour), ["2024-03-30T22:00Z", "2024-03-31T22:32Z"]);
  assertEquals(byHour.rows.filter(([, active]) => active !== 0), [
    ["2024-03-30T22:00:00Z", 1, 1, 0], // 2
    ["2024-03-31T00:00:00Z", 2, 1, 1], // 1, and 2 again
    ["2024-03-31T01:00:00Z", 3, 1, 2], // 3; 1 and 2 again
    ["2024-03-31T03:00:00Z", 3, 1, 2], // 4; 1 and 2 again
    ["2024-03-31T22:00:00Z", 2, 1, 1], // 5; 1 again
  ]);
  assertEquals(byHour.rows.length, 25);
  const byDay = await ask("users", { by: "day" });
  assertEquals(byDay.rows, [
    ["2024-03-30", 1, 1, 0],
    ["2024-03-31", 4, 3, 1],
    ["2024-04-01", 2, 1, 1],
  ]);
  // who is known from before the window is not new in it
  const later = await ask("users", { sinceMs: utc("2024-03-31T03:00:00") });
  assertEquals(later.rows[0], ["2024-03-31T03:00:00Z", 3, 1, 2]);
  assertEquals(later.rows.at(-1), ["2024-03-31T22:00:00Z", 2, 1, 1]);
});

shopCase("funnel follows users from a product's first view to its purchase", async ({ ask }) => {
  const answer = await ask("funnel", { sinceAgoMs: 86_400_000 });
  const minute = 60_000;
  assertEquals(answer.rows, [
    // users 1 to 4
    ["viewed", 4, null, null, null],
    // 1: lamp after 55 min, rug after 150 min. 2: lamp, viewed first at 22:59, after 241 min.
    // 3 viewed after the purchase, 5 never. The median is 150 min, 95 % lie at
    // 150 + 0.9 * (241 - 150) = 231.9 min
    ["purchased", 2, 0.5, 150 * minute, 231.9 * minute],
    // 1: lamp at 01:05, rug at 03:20
    ["purchased again", 1, 0.5, 135 * minute, 135 * minute],
  ]);
  const lastHour = await ask("funnel");
  assertEquals(lastHour.rows, [
    ["viewed", 1, null, null, null],
    ["purchased", 0, 0, null, null],
    ["purchased again", 0, null, null, null],
  ]);
});

shopCase("rejects by reason and by file, each with its last line", async ({ ask, place }) => {
  const answer = await ask("rejects");
  assertEquals(answer.window, { sinceMs: null, untilMs: null });
  assertEquals(answer.columns[0]!.name, "reason");
  // 17 records in all
  assertEquals(
    pick(answer, "reason", "rejects", "open", "share", "last_file", "last_line", "last_record"),
    [
      // the header is line 1
      ["bad_number", 2, 2, 2 / 17, "b.csv", 6, answer.rows[0]!.at(-1)!],
      ["short_record", 1, 1, 1 / 17, "b.csv", 5, "\u00e9\\u001b,too short"],
    ],
  );
  assert(/^0+-.*,Lamp,Home,-x,$/.test(String(answer.rows[0]!.at(-1))), String(answer.rows[0]));
  const [[sentence]] = pick(answer, "last_reason") as [[string]];
  assert(sentence.startsWith('price is "-x"'), sentence);
  const [[firstAt, lastAt]] = pick(answer, "first_at", "last_at") as [[string, string]];
  assert(Date.parse(firstAt) < Date.parse(lastAt), `${firstAt} < ${lastAt}`);

  const byFile = await ask("rejects", { by: "file" });
  assertEquals(pick(byFile, "file", "rejects", "share", "last_line"), [
    ["b.csv", 2, 2 / 7, 6],
    ["a.csv", 1, 1 / 10, 10],
  ]);

  const afterFirst = await ask("rejects", { sinceMs: Date.parse(firstAt) + 1 });
  assertEquals(afterFirst.rows.reduce((sum, [, rejects]) => sum + Number(rejects), 0), 2);

  const { sql } = place.database;
  await sql`update pgsluice.rejects set state = 'discarded' where code = 'short_record'`;
  await sql`
    update pgsluice.rejects set state = 'loaded'
    where reject_id = (select max(reject_id) from pgsluice.rejects where code = 'bad_number')`;
  // what was mended is no reject any more
  assertEquals(pick(await ask("rejects"), "reason", "rejects", "open", "last_file"), [
    ["bad_number", 1, 1, "a.csv"],
    ["short_record", 1, 0, "b.csv"],
  ]);
});

shopCase("late finds events behind later ones of their file, and duplicates", async ({ ask }) => {
  const answer = await ask("late");
  assertEquals(pick(answer, "file", "records", "late", "late_share", "latest_ms", "duplicates"), [
    // line 9, behind the event of 01:30:30, of 9 events
    ["a.csv", 10, 1, 1 / 9, 20.5 * 60_000, 0],
    // 5 events, none late
    ["b.csv", 7, 0, 0, null, 1],
  ]);
});

shopCase(
  "latency and throughput tell what the ledger has of files and batches",
  async ({ ask, place }) => {
    const { sql } = place.database;
    // a.csv was committed 1 s after its last change, b.csv 4 s after it, in the next hour
    await sql`
    update pgsluice.files
    set
      updated_at = '2024-05-01T10:59:50Z',
      modified_ms = extract(epoch from timestamptz '2024-05-01T10:59:49Z') * 1000
    where path = 'a.csv'`;
    await sql`
    update pgsluice.files
    set
      updated_at = '2024-05-01T11:00:04Z',
      modified_ms = extract(epoch from timestamptz '2024-05-01T11:00:00Z') * 1000
    where path = 'b.csv'`;
    await sql`update pgsluice.pipelines set created_at = '2024-05-01T10:58:30Z'`;
    await sql`delete from pgsluice.batches`;
    const insert = (at: string, loaded: number, readMs: number | null) =>
      sql`
      insert into pgsluice.batches (
        pipeline_id, epoch, files, bytes, loaded, rejected, duplicate, route, elapsed_ms, copy_ms,
        committed_at, read_ms, connections
      ) values (
        1, 1, 1, 1000, ${loaded}, 10, 2, 'copy', 100, 50, ${at}::text::timestamptz, ${readMs}, 2
      )`;
    await insert("2024-05-01T10:59:50Z", 88, 1);
    await insert("2024-05-01T10:59:55Z", 188, 3);
    await insert("2024-05-01T11:00:14.999Z", 288, null);
    const latency = await ask("latency");
    assertEquals(latency.rows, [
      ["2024-05-01T10:59:00Z", 1, 1000, 1000, 1000, 1000],
      ["2024-05-01T11:00:00Z", 1, 4000, 4000, 4000, 4000],
    ]);
    const byDay = await ask("latency", { by: "day" });
    // of 1 s and 4 s: 1 + 3 * 0.5, 0.95, 0.99
    assertEquals(byDay.rows, [["2024-05-01", 2, 2500, 3850, 3970, 4000]]);
    const throughput = await ask("throughput");
    // just after the last batch
    assertEquals(throughput.window, {
      sinceMs: utc("2024-05-01T10:58:00"),
      untilMs: utc("2024-05-01T11:00:15"),
    });
    const names = ["minute", "batches", "records", "bytes", "elapsed_ms", "copy_ms", "read_ms"];
    assertEquals(pick(throughput, ...names), [
      ["2024-05-01T10:58:00Z", 0, 0, 0, null, null, null],
      ["2024-05-01T10:59:00Z", 2, 300, 2000, 100, 50, 2],
      ["2024-05-01T11:00:00Z", 1, 300, 1000, 100, 50, null],
    ]);
    // the last minute has 15 s so far
    assertEquals(pick(throughput, "records_per_second"), [[0], [5], [20]]);
    const byHour = await ask("throughput", { by: "hour" });
    assertEquals(pick(byHour, "hour", "records", "records_per_second"), [
      ["2024-05-01T10:00:00Z", 300, 300 / 3600],
      ["2024-05-01T11:00:00Z", 300, 20],
    ]);
  },
);

ingestCase(
  "an hour that comes twice is two hours of traffic, and one hour of the day",
  async (place) => {
    // On 2024-10-27 clocks in Berlin go from 03:00 (01:00 UTC) to 02:00.
    await writeEvents(
      place,
      "a.csv",
      csvText([
        shopLine(1, { time: "2024-10-26T22:00:00", user: 1, product: 1 }), // 00:00
        shopLine(2, { time: "2024-10-27T00:30:00", user: 1, product: 1 }), // 02:30, summer
        shopLine(3, { time: "2024-10-27T01:30:00", user: 1, product: 1 }), // 02:30, winter
        shopLine(4, { time: "2024-10-27T22:59:59", user: 1, product: 1 }), // 23:59
      ]),
    );
    await ingestOnce(place, { timeZone: "Europe/Berlin" });
    const { ask, pipeline } = await openShop(place);
    // the day has so many hours
    const day = { sinceAgoMs: 25 * 3_600_000 };
    const byHour = pick(await ask("traffic", day), "hour", "events");
    assertEquals(byHour.length, 25);
    assertEquals(byHour.filter(([, events]) => events !== 0), [
      ["2024-10-26T22:00:00Z", 1],
      ["2024-10-27T00:00:00Z", 1],
      ["2024-10-27T01:00:00Z", 1],
      ["2024-10-27T22:00:00Z", 1],
    ]);
    assertEquals(pick(await ask("traffic", { by: "day" }), "day", "events"), [["2024-10-27", 4]]);
    const byHourOfDay = pick(await ask("hours"), "hour", "events");
    assertEquals(byHourOfDay[2], [2, 2]);
    assertEquals(byHourOfDay.filter(([, events]) => events !== 0).length, 3);

    // in India hours begin at half past, UTC
    const inIndia = await ask("traffic", {
      ...day,
      pipeline: { ...pipeline, timeZone: "Asia/Kolkata" },
    });
    assertEquals(pick(inIndia, "hour", "events").filter(([, events]) => events !== 0), [
      ["2024-10-26T21:30:00Z", 1],
      ["2024-10-27T00:30:00Z", 1],
      ["2024-10-27T01:30:00Z", 1],
      ["2024-10-27T22:30:00Z", 1],
    ]);
    assertEquals(inIndia.rows.length, 26);
  },
);
