import { assert, assertEquals } from "@std/assert";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLine,
  eventLines,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { until } from "../support/until.ts";
import { serve, Told } from "./served_dashboard.ts";

/** Sessions of the dashboard in the place's database. */
async function sessions({ database }: IngestPlace): Promise<number> {
  const [row] = await database.sql<{ count: number }[]>`
    select count(*)::int as count
    from pg_stat_activity
    where datname = current_database() and application_name like 'pgsluice dashboard%'`;
  return row!.count;
}

/** An ingest that ends with the test, whatever becomes of that. */
function watching(place: IngestPlace): ReturnType<typeof ingestWatching> & AsyncDisposable {
  const running = ingestWatching(place);
  return { ...running, [Symbol.asyncDispose]: () => running.stop() };
}

ingestCase("what a page is told moves with an ingest, and is what SQL says", async (place) => {
  await using running = watching(place);
  await running.heard.until(() => running.heard.starts === 1);
  await using dashboard = serve({ target: place.database.target });
  await using told = new Told(dashboard.url);
  await told.until("the pipeline is seen", () => told.pulse?.pipeline?.hasOwner === true);
  assertEquals(told.kinds[0], "hello");
  assertEquals(told.hello, { pageTag: "test" });
  for (let file = 0; file < 10; file++) {
    await writeEvents(
      place,
      `${file}.csv`,
      csvText([
        ...eventLines(file * 100, file * 100 + 100),
        eventLine(0, { key: 10_000 + file }).replace(",view,", ",purchase,"),
        eventLine(0, { key: 20_000 + file, price: "1.005" }),
        eventLine(0),
      ]),
    );
    await told.until(
      `file ${file} is counted`,
      () => (told.totals?.filesByState.done ?? 0) > file,
    );
  }
  await told.until("all is counted", () => told.totals?.loaded === 1_010);
  const { sql } = place.database;
  const [truth] = await sql<Record<string, number>[]>`
    select
      count(*)::int as events,
      count(*) filter (where event_type = 'purchase')::int as purchases,
      sum(price * quantity) filter (where event_type = 'purchase')::text as revenue
    from user_events`;
  // each is asked at its own time
  await told.until("traffic follows", () => told.sum("traffic", "events") === truth!.events);
  await told.until("hours follow", () => told.sum("hours", "events") === truth!.events);
  assertEquals(told.sum("traffic", "purchases"), truth!.purchases);
  assertEquals(told.sum("traffic", "revenue"), Number(truth!.revenue));
  const rejects = () => told.rows("rejects").map(({ reason, rejects }) => [reason, rejects]);
  await told.until("rejects follow", () => rejects()[0]?.[1] === 10);
  assertEquals(rejects(), [["too_many_decimals", 10]]);
  const { rejected, duplicate, filesByState, latency, backlog } = told.totals!;
  assertEquals(
    { rejected, duplicate, filesByState, backlog: backlog?.files },
    { rejected: 10, duplicate: 10, filesByState: { done: 10 }, backlog: 0 },
  );
  const { files, p50Ms, p95Ms, p99Ms } = latency!;
  assertEquals(files, 10);
  assert(p50Ms <= p95Ms && p95Ms <= p99Ms);
  await told.until("its lists follow", () => told.rows("batches").length >= 10);
  await told.until("all rejects are listed", () => told.rows("reject_lines").length === 10);
  const [line] = told.rows("reject_lines");
  assertEquals(
    [line!.file, line!.line, line!.column, line!.code, line!.raw],
    ["9.csv", 103, "price", "too_many_decimals", eventLine(0, { key: 20_009, price: "1.005" })],
  );
  await told.until("all files are listed", () => told.sum("files", "loaded") === 1_010);
  assertEquals(
    told.rows("files").map(({ path }) => path),
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map(
      (file) => `${file}.csv`,
    ),
  );
  // the seconds of the pulse are of what was committed
  await told.until(
    "its second is over",
    () => told.pulse!.past.reduce((sum, { records }) => sum + records, 0) === 1_030,
  );
  assertEquals(told.ids, [...told.ids].sort((a, b) => a - b));
  await running.stop();
  await told.until("the ingester has ended", () => told.pulse?.pipeline?.hasOwner === false);
});

ingestCase("fifty pages are told the same, and cost the database what one does", async (place) => {
  await using running = watching(place);
  await running.heard.until(() => running.heard.starts === 1);
  await using dashboard = serve({ target: place.database.target });
  await using first = new Told(dashboard.url);
  await first.until("it is told", () => first.pulse !== null);
  const pages = Array.from({ length: 49 }, () => new Told(dashboard.url));
  try {
    for (const page of pages) await page.until("it is told", () => page.pulse !== null);
    await writeEvents(place, "a.csv", csvText([...eventLines(0, 500), "1,2"]));
    for (const page of [first, ...pages]) {
      await page.until("all is counted", () => page.totals?.loaded === 500);
      await page.until("the reports follow", () => page.sum("traffic", "events") === 500);
      await page.until("the reject is seen", () => page.rows("reject_lines").length === 1);
      await page.until("all pages are counted", () => page.pulse?.viewers === 50);
      assertEquals(await sessions(place), 2);
    }
    for (const page of pages) {
      assertEquals(page.totals!.rejected, 1);
      await page.until(
        "it has the same",
        () => JSON.stringify(page.reports) === JSON.stringify(first.reports),
      );
    }
  } finally {
    for (const page of pages) await page[Symbol.asyncDispose]();
  }
  await first.until("those who went are not counted", () => first.pulse?.viewers === 1);
});

ingestCase(
  "while nobody looks, nothing is asked; who comes back sees what is new",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 50)));
    await ingestOnce(place);
    await using dashboard = serve({ target: place.database.target });
    assertEquals(await sessions(place), 0);
    const first = new Told(dashboard.url);
    await first.until("it is told", () => first.sum("traffic", "events") === 50);
    assertEquals(await sessions(place), 2);
    await first[Symbol.asyncDispose]();
    await until("the connections are closed", async () => await sessions(place) === 0);
    await writeEvents(place, "b.csv", csvText(eventLines(50, 80)));
    await ingestOnce(place);
    await using second = new Told(dashboard.url);
    await second.until("it is told", () => second.totals !== null);
    // nothing of what was told to others is left
    assertEquals(second.totals!.loaded, 80);
    await second.until("the reports are new", () => second.reports.traffic !== undefined);
    assertEquals(second.sum("traffic", "events"), 80);
  },
);

ingestCase("a page waits for a ledger, and for the pipeline, which then appears", async (place) => {
  await using dashboard = serve({ target: place.database.target });
  await using told = new Told(dashboard.url);
  await told.until("it is told", () => told.pulse !== null);
  assertEquals([told.pulse!.pipeline, told.pulse!.otherNames, told.trouble], [null, [], null]);
  assertEquals(told.pulse!.past.length, 60);
  await writeEvents(place, "a.csv", csvText(eventLines(0, 5)));
  await ingestOnce(place, { pipelineName: "shop" });
  await told.until("others are named", () => told.pulse!.otherNames.length > 0);
  assertEquals([told.pulse!.pipeline, told.pulse!.otherNames], [null, ["shop"]]);
  assertEquals([told.totals, told.reports], [null, {}]);
  await ingestOnce(place, { table: "other_events" });
  await told.until("it appears", () => told.sum("traffic", "events") === 5);
  const { name, targetTable, timeZone } = told.pulse!.pipeline!;
  assertEquals([name, targetTable, timeZone], ["default", '"other_events"', "UTC"]);
});

ingestCase("files that need a person come first, then the newest", async (place) => {
  for (let file = 0; file < 60; file++) {
    await writeEvents(place, `${file}.csv`, csvText(eventLines(file, file + 1)));
  }
  await writeEvents(place, "bad.csv", "<html>\n");
  await ingestOnce(place).catch(() => {}); // it is told of the failed file
  const { sql } = place.database;
  await sql`
    update pgsluice.files set updated_at = now() - interval '1 day' where path = 'bad.csv'`;
  await sql`update pgsluice.files set updated_at = now() + interval '1 day' where path = '7.csv'`;
  await using dashboard = serve({ target: place.database.target });
  await using told = new Told(dashboard.url);
  await told.until("they are listed", () => told.rows("files").length > 0);
  const files = told.rows("files");
  assertEquals(files.length, 50);
  assertEquals(files.slice(0, 2).map(({ path, state }) => [path, state]), [
    ["bad.csv", "failed"],
    ["7.csv", "done"],
  ]);
  assertEquals(files[0]!.reason, "not_csv: it is HTML or XML, expected CSV");
});

ingestCase("what a CSV holds is bounded and shown as text, however long and odd", async (place) => {
  const long = eventLine(1).replace("Lamp 1", "L".repeat(10_000));
  const bytes = new TextEncoder().encode(csvText([
    eventLine(0).replace(",view,", ",purchase,").replace("Lamp 0", "P".repeat(10_000)),
    long.replace("12.50", "x"),
    eventLine(2).replace("Lamp", "#") + "\x1b[2J",
  ]));
  bytes[bytes.lastIndexOf("#".charCodeAt(0))] = 0xff; // no UTF-8
  await writeEvents(place, "a.csv", bytes);
  await ingestOnce(place);
  await using dashboard = serve({ target: place.database.target });
  await using told = new Told(dashboard.url);
  await told.until("rejects are listed", () => told.rows("reject_lines").length === 2);
  const [odd, cut] = told.rows("reject_lines").map(({ raw }) => String(raw));
  assertEquals(odd!.includes("\\xff 2") && odd!.endsWith("\\u001b[2J"), true, odd);
  assertEquals(cut!.length < 500 && cut!.endsWith("LLL …"), true, cut);
  await told.until("products are listed", () => told.rows("top").length > 0);
  assertEquals(String(told.rows("top")[0]!.name).length, 502);
});
