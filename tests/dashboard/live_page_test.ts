/** The page before a real ingest: it runs, is killed, loses its database, and all figures agree. */
import { assertEquals, assertGreater } from "@std/assert";
import axe from "axe-core/axe.min.js" with { type: "text" };
import type { Page } from "playwright-core";
import { queryCommand } from "../../src/cli/query.ts";
import { serveDashboard } from "../../src/dashboard/dashboard_server.ts";
import { PAGE_ASSETS, PAGE_TAG } from "../../src/dashboard/page_assets.ts";
import { generateEvents } from "../../src/generate/generate_events.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { type OwnPlace, withOwnPlace } from "../outage/own_place.ts";
import { SpawnedIngester } from "../outage/spawned_ingester.ts";
import { verifyExact } from "../support/ingest_fixture.ts";
import { runCommand } from "../support/run_command.ts";
import { until } from "../support/until.ts";
import { CHROMIUM, launchBrowser, NO_CHROMIUM } from "./browser.ts";
import { PACE } from "./served_dashboard.ts";

// deno-lint-ignore no-explicit-any
type Anything = any;
declare const document: Anything;

const EVENTS = 9_000;

if (CHROMIUM === null) console.warn(`left out: the page before a real ingest: ${NO_CHROMIUM}`);

Deno.test({
  name: "the page follows a live ingest through a kill and an outage, and agrees with SQL",
  ignore: CHROMIUM === null,
  async fn() {
    await withOwnPlace(async (place) => {
      const browser = await launchBrowser();
      const dashboard = serveDashboard({
        listen: "127.0.0.1:0",
        target: place.database.target,
        pipeline: "default",
        page: { assets: PAGE_ASSETS, tag: PAGE_TAG },
        say: () => {},
        pace: PACE,
      });
      try {
        const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
        const wrong: string[] = [];
        page.on("pageerror", (error) => wrong.push(String(error.stack)));
        page.on("console", (message) => {
          if (["error", "warning"].includes(message.type())) wrong.push(message.text());
        });
        await page.goto(dashboard.url);
        await follow(page, place);
        assertEquals(wrong, []);
      } finally {
        await browser.close();
        await dashboard.close();
      }
    });
  },
});

async function follow(page: Page, place: OwnPlace): Promise<void> {
  await page.locator("#getting-started").waitFor({ state: "visible" });
  const generation = generateEvents({
    events: EVENTS,
    rate: 1_500,
    rowsPerFile: 100,
    seed: 7,
    start: new Date("2026-03-14T08:00:00Z"),
    dirtyPercent: 3,
    duplicatesPercent: 2,
    schema: USER_EVENTS,
    output: { kind: "folder", directory: place.events },
  });
  const settle = ["--settle", "200ms"];
  const killed = new SpawnedIngester(place, { args: settle });
  try {
    await page.locator("#figures").waitFor({ state: "visible" });
    // numbers move
    const first = await loadedOn(page, (loaded) => loaded > 0);
    await loadedOn(page, (loaded) => loaded > first);
    killed.signal("SIGKILL");
    await killed.ended();
    await says(page, "#ingester-owner", /none|no ingester/i);

    await using _next = new SpawnedIngester(place, { args: settle });
    await says(page, "#ingester-owner", /at work/);
    await place.server.stop("immediate");
    await page.locator("#banner").waitFor({ state: "visible" });
    await says(page, "#banner", /database/i);
    assertGreater(await loadedOn(page, () => true), 0);
    await place.server.start();
    await page.locator("#banner").waitFor({ state: "hidden" });

    const { events } = await generation;
    await place.reconnect();
    await until("all is committed", async () => {
      const [row] = await place.database.sql<{ records: number }[]>`
        select sum(loaded + rejected + duplicate)::float8 as records from pgsluice.files`;
      return row!.records === events;
    });
    await agree(page, place);
    await verifyExact(place);
    await looksRight(page);
  } finally {
    await killed[Symbol.asyncDispose]();
    await generation;
  }
}

/** What the page shows is what the database has, and what `pgsluice query` tells. */
async function agree(page: Page, { database: { sql, url } }: OwnPlace): Promise<void> {
  const [table] = await sql<
    { loaded: number; views: number; purchases: number; revenue: string }[]
  >`
    select
      count(*)::int as loaded,
      count(*) filter (where event_type = 'view')::int as views,
      count(*) filter (where event_type = 'purchase')::int as purchases,
      (sum(price * quantity) filter (where event_type = 'purchase'))::text as revenue
    from user_events`;
  const [ledger] = await sql<{ rejected: number; duplicate: number }[]>`
    select sum(rejected)::int as rejected, sum(duplicate)::int as duplicate from pgsluice.files`;
  const { loaded, views, purchases, revenue } = table!;
  const shown = (value: number) => value.toLocaleString("en-US");
  await says(page, "#total-loaded", shown(loaded));
  await says(page, "#total-rejected", shown(ledger!.rejected));
  await says(page, "#total-duplicate", shown(ledger!.duplicate));
  await says(page, "#views", shown(views));
  await says(page, "#purchases", shown(purchases));
  const [whole, cents] = revenue.split(".");
  await says(page, "#revenue", `${Number(whole).toLocaleString("en-US")}.${cents}`);

  const { output } = await runCommand(
    queryCommand,
    ...["traffic", "--since", "24h", "--format", "json", "--database", url],
  );
  const { rows } = JSON.parse(output.slice(0, output.lastIndexOf("}") + 1));
  const sum = (column: string) =>
    rows.reduce((sum: number, row: Anything) => sum + Number(row[column]), 0);
  assertEquals([sum("views"), sum("purchases")], [views, purchases]);
  assertEquals(sum("revenue").toFixed(2), revenue);

  // each reject of the page is one of the ledger, with its place
  const line = await page.locator("#lines li").first().textContent();
  const [newest] = await sql<{ path: string; lineNumber: number; reason: string }[]>`
    select path, line_number::int as "lineNumber", rejects.reason
    from pgsluice.rejects
    join pgsluice.files using (file_id)
    order by reject_id desc
    limit 1`;
  for (const part of [newest!.path, `line ${newest!.lineNumber}`]) {
    assertEquals(line?.includes(part), true, `${part} in ${line}`);
  }
}

/** Whatever the real figures are: nothing hinders anybody, on any screen. */
async function looksRight(page: Page): Promise<void> {
  await page.evaluate(axe);
  for (const theme of ["light", "dark"] as const) {
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize({ width, height: 800 });
      const found = await page.evaluate(async () => {
        const { scrollWidth, clientWidth } = document.documentElement;
        const { violations } = await (globalThis as Anything).axe.run();
        return {
          overflow: scrollWidth - clientWidth,
          violations: violations
            .filter(({ impact }: Anything) => impact === "serious" || impact === "critical")
            .map(({ id, nodes }: Anything) => `${id}: ${nodes[0].html}`),
        };
      });
      assertEquals(found, { overflow: 0, violations: [] }, `${theme}, ${width} px`);
    }
  }
}

async function says(page: Page, selector: string, text: string | RegExp): Promise<void> {
  try {
    await until(`${selector} says ${text}`, async () => {
      const found = (await page.locator(selector).textContent())!.trim();
      return typeof text === "string" ? found === text : text.test(found);
    });
  } catch (error) {
    const found = await page.locator(selector).textContent();
    throw new Error(`${selector} says ${JSON.stringify(found)}, expected ${text}`, {
      cause: error,
    });
  }
}

/** Rows loaded as the page has it, when they are as wanted. */
async function loadedOn(page: Page, isWanted: (loaded: number) => boolean): Promise<number> {
  let loaded = NaN;
  await until("rows are loaded on the page", async () => {
    const text = (await page.locator("#total-loaded").textContent())!;
    loaded = Number(text.replaceAll(",", ""));
    return !Number.isNaN(loaded) && isWanted(loaded);
  });
  return loaded;
}
