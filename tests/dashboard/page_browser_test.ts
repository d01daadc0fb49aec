import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import axe from "axe-core/axe.min.js" with { type: "text" };
import type { Page } from "playwright-core";
import { formatMoney, parseMoney } from "../../src/dashboard/page/money.js";
import { safeText } from "../../src/dashboard/page/safe_text.js";
import { pageCase } from "./page_case.ts";
import {
  answer,
  batchRow,
  dayReports,
  fileRow,
  pipelineFacts,
  pulseFacts,
  rejectLine,
  REPORT_COLUMNS,
  totalsFacts,
  trafficReport,
  troubleFacts,
  UNTIL_MS,
} from "./page_facts.ts";
import { LONG_RAW, ODD_NAME, PAGE_STATES } from "./page_states.ts";

// What stands in functions that run in the page, of which these checks know nothing.
// deno-lint-ignore no-explicit-any
type Anything = any;
declare const document: Anything;
declare const getComputedStyle: (element: Anything) => Anything;

/** Of axe, and of those only what hinders somebody. */
async function violations(page: Page): Promise<string[]> {
  return await page.evaluate(async () => {
    const { violations } = await (globalThis as Anything).axe.run(document, {
      resultTypes: ["violations"],
    });
    return violations
      .filter(({ impact }: Anything) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }: Anything) => nodes.map((node: Anything) => `${id}: ${node.html}`));
  });
}

/** px that can be scrolled sideways. */
async function overflow(page: Page): Promise<number> {
  return await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
}

async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent())!.trim();
}

/** Until an element says so. */
async function says(page: Page, selector: string, text: string | RegExp): Promise<void> {
  const wanted = typeof text === "string" ? { text } : { source: text.source };
  await page.waitForFunction(
    ({ selector, text, source }) => {
      const found = document.querySelector(selector)?.textContent?.trim() ?? "";
      return source === undefined ? found === text : new RegExp(source).test(found);
    },
    { selector, ...wanted } as { selector: string; text?: string; source?: string },
  );
}

for (const [state, tell] of Object.entries(PAGE_STATES)) {
  pageCase(
    `page ${state}: nothing hinders anybody, in both themes and on a phone`,
    async (place) => {
      tell(place.server);
      const page = await place.open();
      await page.waitForFunction(() => document.body.dataset.state !== undefined);
      await says(page, "#state-word", /^(?!Connecting)/);
      await page.evaluate(axe);
      for (const line of await page.locator("#lines summary").all()) await line.click();
      for (const table of await page.locator(".table-alternative:visible summary").all()) {
        await table.click();
      }
      for (
        const { width, theme } of [
          { width: 1280, theme: "light" },
          { width: 1280, theme: "dark" },
          { width: 360, theme: "dark" },
          { width: 360, theme: "light" },
        ] as const
      ) {
        await page.setViewportSize({ width, height: 780 });
        await page.emulateMedia({ colorScheme: theme });
        const where = `${width} px, ${theme}`;
        assertEquals(await overflow(page), 0, where);
        assertEquals(await violations(page), [], where);
      }
    },
  );
}

pageCase("what would hinder somebody is found by these tests", async ({ server, open }) => {
  PAGE_STATES.live!(server);
  const page = await open();
  await says(page, "#state-word", "Loading");
  await page.evaluate(axe);
  await page.evaluate(() => {
    document.documentElement.style.setProperty("--muted", "#c8c8c8");
    document.querySelector("#theme legend").remove();
    document.querySelector("#lines .line-whole").removeAttribute("tabindex");
    document.querySelector("#files").style.width = "3000px";
  });
  assertGreater((await violations(page)).length, 20);
  assertGreater(await overflow(page), 1_000);
});

pageCase("figures change in place: no node is made anew", async ({ server, open }) => {
  PAGE_STATES.live!(server);
  const page = await open();
  await says(page, "#total-loaded", "1,164,302");
  await says(page, "#batches-table tbody tr:first-child td:nth-child(3)", "200");
  const selectors = ["#rate", "#total-loaded", "#latency-p95", "#revenue", "#state-word"];
  await page.evaluate((selectors) => {
    const marked = [
      ...selectors.map((selector) => document.querySelector(selector)!.firstChild!),
      ...document.querySelectorAll("#figures canvas, #figures tr, #figures li, #spark path"),
    ];
    for (const node of marked) Object.assign(node, { isMarked: true });
  }, selectors);
  const kept = () =>
    page.evaluate((selectors) => {
      const isMarked = (node: Anything) => node.isMarked === true;
      const count = (selector: string) =>
        [...document.querySelectorAll(selector)].filter(isMarked).length;
      return {
        texts: selectors.every((selector) =>
          isMarked(document.querySelector(selector)!.firstChild!)
        ),
        canvases: count("canvas"),
        products: count("#products-table tbody tr"),
        batches: count("#batches-table tbody tr"),
        lines: count("#lines li"),
        steps: count("#funnel-steps li"),
      };
    }, selectors);
  const before = await kept();
  server.tell("totals", totalsFacts({ loaded: 1_164_502, latency: null }));
  const nowMs = Date.now();
  const { batches, reject_lines } = dayReports();
  assert("rows" in batches! && "rows" in reject_lines!);
  server.tell(
    "reports",
    dayReports({
      traffic: trafficReport(UNTIL_MS, 8),
      // as they were, and one more
      batches: answer(REPORT_COLUMNS.batches, [batchRow(6, nowMs + 5_000), ...batches.rows]),
    }),
  );
  server.tell("pulse", pulseFacts({ atMs: nowMs + 5_000 }));
  await says(page, "#total-loaded", "1,164,502");
  await says(page, "#latency-p95", "–");
  await page.waitForFunction(() =>
    document.querySelectorAll("#batches-table tbody tr").length === 8
  );
  const after = await kept();
  assertEquals([after.texts, after.canvases], [true, before.canvases]);
  assertEquals([after.products, after.steps], [before.products, before.steps]);
  assertGreater(after.canvases, 1);
});

pageCase("nothing on the page moves while its figures change", async ({ server, open }) => {
  PAGE_STATES.live!(server);
  for (const width of [1280, 360]) {
    const page = await open({ width });
    await says(page, "#sales-window", /Berlin$/);
    await says(page, "#arriving", /iB/);
    const places = () =>
      page.evaluate(() =>
        [
          ...document.querySelectorAll(
            "#attention, .station, .station h3, .facts, .spark, .panel, .panel h2, .sums, .chart",
          ),
        ].map((each: Anything) => {
          const { top, height } = each.getBoundingClientRect();
          return `${each.id || each.closest("[id]").id} ${top} ${height}`;
        })
      );
    const before = await places();
    for (let round = 1; round <= 12; round++) {
      const lookedAtMs = Date.now() + round * 60_000;
      server.tell("pulse", pulseFacts({ atMs: lookedAtMs }));
      server.tell(
        "totals",
        totalsFacts({
          lookedAtMs,
          loaded: 10 ** (round % 8) * 7,
          rejected: 3 ** round,
          duplicate: round % 2,
          latency: round % 3 === 0 ? null : { files: round, p50Ms: 2 ** round, p95Ms: 9, p99Ms: 1 },
          backlog: {
            files: round % 4,
            sizeBytes: 9 ** round,
            oldestChangeMs: round % 4 === 0 ? null : lookedAtMs - 7 ** round,
          },
          arrivedBytesPerSecond: round % 5 === 0 ? null : 11 ** round,
        }),
      );
      server.tell("reports", dayReports({ traffic: trafficReport(UNTIL_MS, round) }));
      await says(page, "#total-rejected", (3 ** round).toLocaleString("en-US"));
      assertEquals(await places(), before, `${width} px, round ${round}`);
    }
  }
});

pageCase("a newest line comes on top; those below stay the nodes they are", async (place) => {
  const { server, open } = place;
  const rows = Array.from({ length: 14 }, (_, index) => rejectLine(index));
  const tellFrom = (first: number) =>
    server.tell(
      "reports",
      dayReports({ reject_lines: answer(REPORT_COLUMNS.reject_lines, rows.slice(first)) }),
    );
  PAGE_STATES.live!(server);
  tellFrom(4);
  const page = await open();
  const first = page.locator("#lines li:first-child");
  await says(page, "#lines li:first-child .line-number", "line 69");
  await first.evaluate((node) => Object.assign(node, { isMarked: true }));
  tellFrom(3);
  await says(page, "#lines li:first-child .line-number", "line 56");
  const second = page.locator("#lines li:nth-child(2)");
  assert(await second.evaluate((node) => "isMarked" in node));
  assertEquals(await page.locator("#lines li").count(), 10);

  // while somebody reads, nothing moves
  await second.locator("summary").click();
  await page.mouse.move(0, 0);
  tellFrom(1);
  await says(page, "#newer-lines", "Show 2 newer");
  await says(page, "#lines li:first-child .line-number", "line 56");
  await page.locator("#newer-lines").click();
  await says(page, "#lines li:first-child .line-number", "line 30");
  assertEquals(await page.locator("#lines details[open]").count(), 0);
  assert(await page.locator("#newer-lines").isHidden());
  // the focus is on a line, which counts as reading
  await page.locator("#lines summary").first().blur();
  tellFrom(0);
  await says(page, "#lines li:first-child .line-number", "line 17");
});

pageCase("what a file says stays text, whatever it says", async ({ server, open }) => {
  PAGE_STATES.odd!(server);
  const page = await open();
  await says(page, "#lines li:first-child .line-file", safeText(ODD_NAME));
  for (const line of await page.locator("#lines summary").all()) await line.click();
  assertEquals(await page.locator("#lines .line-whole").first().textContent(), LONG_RAW);
  assertEquals(
    await page.locator("#lines .line-whole").nth(1).textContent(),
    "a\\u0000b\\tc\\r\\nd\\u001b[31m,طلب,🎁",
  );
  assertEquals(await page.locator("#lines mark").allTextContents(), []);
  assertEquals(await page.locator("main img, main script, main b b, main i").count(), 0);
  assertEquals(await textOf(page, "#files-table .file-path >> nth=0"), safeText(ODD_NAME));
  assertEquals(await textOf(page, "#funnel-steps li:nth-child(2) .funnel-name"), "<i>tried on</i>");
  assertEquals(await page.title(), "Loading · default · pgsluice");
});

pageCase("the value that was wrong is marked in its line", async ({ server, open }) => {
  PAGE_STATES.live!(server);
  const page = await open();
  await page.locator("#lines summary").first().click();
  assertEquals(await page.locator("#lines li:first-child mark").allTextContents(), ["10000000000"]);
  assertEquals(
    await textOf(page, "#last-reject-text"),
    'events-00005970.csv line 17: price is "10000000000": expected a number of 0 or more',
  );
});

pageCase("sums, chart and table are of the part of the window that is chosen", async (place) => {
  PAGE_STATES.live!(place.server);
  const page = await place.open();
  const traffic = trafficReport();
  assert("rows" in traffic);
  const expected = (minutes: number) => {
    const rows = traffic.rows.slice(-minutes);
    const sum = (place: number) => rows.reduce((sum, row) => sum + Number(row[place]), 0);
    const revenue = rows.reduce((sum, row) => sum + parseMoney(row[5]!)!, 0n);
    return {
      views: sum(2).toLocaleString("en-US"),
      purchases: sum(3).toLocaleString("en-US"),
      revenue: formatMoney(revenue),
      order: formatMoney(revenue / BigInt(sum(3))),
    };
  };
  const shown = async () => ({
    views: await textOf(page, "#views"),
    purchases: await textOf(page, "#purchases"),
    revenue: await textOf(page, "#revenue"),
    order: await textOf(page, "#average-order"),
  });
  await says(page, "#sales-window", "14 Mar 2026, 11:23 – 15 Mar 2026, 11:23 Europe/Berlin");
  assertEquals(await shown(), expected(1_440));
  assertEquals(await textOf(page, "#range-all"), "24 h");
  assertEquals(await textOf(page, ".chart-title .per >> nth=0"), "per 5 minutes");
  await page.getByText("Last 1 h").click();
  await says(page, "#sales-window", "15 Mar 2026, 10:23 – 11:23 Europe/Berlin");
  assertEquals(await shown(), expected(60));
  assertEquals(await textOf(page, ".chart-title .per >> nth=0"), "per minute");
  await page.getByText("The same by hour, as a table").click();
  const cells = await page.locator("#sales-table tbody tr").evaluateAll((rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent))
  );
  assertEquals(cells.map(([hour]) => hour), ["15 Mar 2026, 11:00", "15 Mar 2026, 10:00"]);
  const views = cells.reduce((sum, row) => sum + Number(row[3]!.replaceAll(",", "")), 0);
  assertEquals(views.toLocaleString("en-US"), expected(60).views);
});

pageCase("the charts tell a moment's figures, by pointer and by keys", async ({ server, open }) => {
  PAGE_STATES.live!(server);
  const page = await open();
  await says(page, "#sales-window", /Berlin$/);
  const idle = /^Point at a chart/;
  assertMatch(await textOf(page, "#readout"), idle);
  await page.locator("#charts").focus();
  await page.keyboard.press("End");
  await says(
    page,
    "#readout",
    /^15 Mar 2026, 11:20 – 11:25 Europe\/Berlin, so far: revenue [\d,.]+ · \d+ views · \d+ purchases$/,
  );
  await page.keyboard.press("ArrowLeft");
  await says(page, "#readout", /^15 Mar 2026, 11:15 – 11:20 Europe\/Berlin: revenue/);
  // it stays there while figures come
  server.tell("reports", dayReports({ traffic: trafficReport(UNTIL_MS, 9) }));
  await page.keyboard.press("ArrowLeft");
  await says(page, "#readout", /^15 Mar 2026, 11:10 – 11:15 Europe\/Berlin: revenue/);
  await page.keyboard.press("Escape");
  await says(page, "#readout", idle);
  const chart = (await page.locator("#events-chart .u-over").boundingBox())!;
  await page.mouse.move(chart.x + chart.width / 2, chart.y + 20);
  await says(page, "#readout", /^14 Mar 2026, 23:\d\d – 23:\d\d Europe\/Berlin: revenue/);
  assertMatch(
    (await page.locator("#charts").getAttribute("aria-label"))!,
    /Most revenue: [\d,.]+ at /,
  );
});

pageCase("the charts are as wide as their place, and of the theme's colours", async (place) => {
  PAGE_STATES.live!(place.server);
  const page = await place.open();
  await says(page, "#sales-window", /Berlin$/);
  const drawn = (property: string) =>
    page.locator("#events-chart canvas").evaluate((canvas, property) => {
      const probe = document.body.appendChild(document.createElement("i"));
      probe.style.color = `var(${property})`;
      const [red, green, blue] = getComputedStyle(probe).color.match(/\d+/g)!.map(Number);
      probe.remove();
      const { width, height } = canvas as Anything;
      const copy = document.createElement("canvas");
      Object.assign(copy, { width, height });
      const context = copy.getContext("2d", { willReadFrequently: true });
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, width, height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) count++;
      }
      return { count, color: `${red} ${green} ${blue}` };
    }, property);
  const widths = () =>
    page.evaluate(() =>
      [...document.querySelectorAll(".chart")].map((chart) =>
        chart.clientWidth - chart.querySelector("canvas")!.clientWidth
      )
    );
  for (const property of ["--views", "--purchases"]) {
    assertGreater((await drawn(property)).count, 50, property);
  }
  const light = await drawn("--views");
  await page.locator("#theme").getByText("Dark").click();
  const dark = await drawn("--views");
  assert(dark.color !== light.color);
  assertGreater(dark.count, 50);
  for (const width of [700, 360, 1600]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForFunction(() =>
      [...document.querySelectorAll(".chart")].every((chart) =>
        chart.clientWidth === chart.querySelector("canvas")!.clientWidth
      )
    );
    assertEquals(await widths(), [0, 0]);
  }
});

pageCase("a theme that was chosen is kept, and auto follows the system", async (place) => {
  PAGE_STATES.live!(place.server);
  const page = await place.open({ theme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground();
  assert(light !== dark);
  await page.locator("#theme").getByText("Light").click();
  assertEquals(await ground(), light);
  await page.reload();
  assertEquals(await ground(), light);
  assert(await page.locator("#theme input[value=light]").isChecked());
  await page.locator("#theme").getByText("Auto").click();
  assertEquals(await ground(), dark);
  await page.reload();
  assertEquals(await ground(), dark);
});

pageCase("where storage is forbidden the page works all the same", async ({ server, open }) => {
  PAGE_STATES.live!(server);
  const page = await open({
    before: () => {
      for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(globalThis, name, {
          get() {
            throw new DOMException("denied", "SecurityError");
          },
        });
      }
    },
  });
  await says(page, "#state-word", "Loading");
  await page.locator("#theme").getByText("Dark").click();
  assertEquals(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
});

pageCase("all that can be done can be done by keys", async ({ server, open }) => {
  PAGE_STATES.live!(server);
  const page = await open({ width: 360 });
  await says(page, "#sales-window", /Berlin$/);
  const reached: string[] = [];
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement!;
      if (element === document.body) return null;
      const { outlineStyle } = getComputedStyle(element);
      const beside = element.nextElementSibling;
      const isSeen = outlineStyle !== "none" ||
        (beside !== null && getComputedStyle(beside).outlineStyle !== "none");
      const name = element.closest("[id]:not([id=''])")?.id ?? "page";
      return `${name}${isSeen ? "" : " unseen"}`;
    });
    if (focused === null) break;
    reached.push(focused);
  }
  assertEquals(reached.filter((name) => name.endsWith(" unseen")), []);
  const [first] = reached;
  assertEquals(first, "page", "the skip link comes first");
  const places = [
    "theme",
    "last-reject",
    "troubled-files",
    "ranges",
    "charts",
    "sales-details",
    "lines",
  ];
  assertEquals(places.filter((place) => !reached.includes(place)), []);
});

pageCase("the skip link leads to the figures, and a summary opens by keys", async (place) => {
  PAGE_STATES.live!(place.server);
  const page = await place.open();
  await says(page, "#sales-window", /Berlin$/);
  await page.keyboard.press("Tab");
  assertEquals(await textOf(page, ":focus"), "Skip to the figures");
  await page.keyboard.press("Enter");
  assertEquals(await page.evaluate(() => document.activeElement!.id), "main");
  await page.locator("#lines summary").first().focus();
  await page.keyboard.press("Enter");
  assertEquals(await page.locator("#lines details[open]").count(), 1);
});

pageCase(
  "trouble is told, the last figures stay with their age, and recovery ends it",
  async (place) => {
    const { server, open } = place;
    PAGE_STATES.live!(server);
    const page = await open();
    await says(page, "#total-loaded", "1,164,302");
    server.tell("trouble", troubleFacts());
    await says(
      page,
      "#banner-title",
      /^Database down since \d\d:\d\d:\d\d Europe\/Berlin \(1m 1\ds\)$/,
    );
    assertEquals(
      await textOf(page, "#banner-hint"),
      "Start it, or see whether --database says where it is.",
    );
    assertEquals(await page.title(), "Database down · default · pgsluice");
    assertEquals(await textOf(page, "#announcement"), "Database down");
    assertEquals(await page.evaluate(() => document.body.dataset.stale), "true");
    assertEquals(await textOf(page, "#total-loaded"), "1,164,302");
    await says(page, "#banner-text", /The figures below are \d+ s old\.$/);
    server.tell("pulse", pulseFacts());
    await says(page, "#state-word", "Loading");
    assert(await page.locator("#banner").isHidden());
    assertEquals(await page.evaluate(() => document.body.dataset.stale), "false");
    assertEquals(await textOf(page, "#announcement"), "Loading");
  },
);

pageCase("a report that fails says so in its panel, over the answer before", async (place) => {
  const { server, open } = place;
  PAGE_STATES.live!(server);
  const page = await open();
  await says(page, "#products-table tbody tr:first-child th", "Handmade Granite Chair, set of 2");
  const failure = { lookedAtMs: Date.now(), error: "it took longer than 5 s", hint: "wait" };
  server.tell("reports", dayReports({ top: failure }));
  await says(page, "#products .panel-error", "It took longer than 5 s. Wait.");
  assert(await page.locator("#products-table").isVisible());
  assert(await page.locator("#hours .panel-error").isHidden());
  server.tell("reports", dayReports());
  await page.locator("#products .panel-error").waitFor({ state: "hidden" });
});

pageCase("a server that is stopped and started anew is found again", async ({ server, open }) => {
  PAGE_STATES.live!(server);
  const page = await open();
  await says(page, "#total-loaded", "1,164,302");
  await server.stop();
  await says(page, "#banner-title", "Lost connection to pgsluice, trying again");
  await says(page, "#banner-hint", /start it again: pgsluice dashboard/);
  assertEquals(await page.title(), "Not connected · default · pgsluice");
  assertEquals(await textOf(page, "#total-loaded"), "1,164,302");
  await page.evaluate(() => Object.assign(globalThis, { isSame: true }));
  server.start();
  server.tell("totals", totalsFacts({ loaded: 1_164_999 }));
  await says(page, "#total-loaded", "1,164,999");
  assert(await page.locator("#banner").isHidden());
  await says(page, "#state-word", "Loading");
  // the page was the right one
  assert(await page.evaluate(() => "isSame" in globalThis));
}, { mayFail: true });

pageCase("a page of another version loads itself anew, once", async ({ server, open }) => {
  PAGE_STATES.live!(server);
  const page = await open();
  await says(page, "#state-word", "Loading");
  await page.evaluate(() => Object.assign(globalThis, { isSame: true }));
  const loads = () => server.asked.filter((path) => path === "GET /").length;
  assertEquals(loads(), 1);
  server.pageTag = "of another version";
  server.drop();
  await page.waitForFunction(() => !("isSame" in globalThis));
  // what comes is the old page again, as from a cache between
  await says(page, "#state-word", "Loading");
  assertEquals(loads(), 2);
  server.tell("totals", totalsFacts({ loaded: 5 }));
  await says(page, "#total-loaded", "5");
  assertEquals(loads(), 2);
});

pageCase(
  "an answer that is no stream is asked for again, and told for what it is",
  async (place) => {
    const { server, open } = place;
    PAGE_STATES.live!(server);
    server.eventsStatus = 503;
    const page = await open();
    await says(page, "#state-word", "Not connected");
    await says(page, "#banner-hint", /takes no more viewers/);
    server.eventsStatus = 200;
    await says(page, "#state-word", "Loading");
    assert(await page.locator("#banner").isHidden());
  },
  { mayFail: true },
);

pageCase("a token that is good no more is told", async ({ server, open }) => {
  PAGE_STATES.live!(server);
  const page = await open();
  await says(page, "#state-word", "Loading");
  server.eventsStatus = 401;
  server.pageStatus = 401;
  server.drop();
  await says(page, "#banner-hint", /another token: open the address that it printed/);
  assertEquals(await textOf(page, "#total-loaded"), "1,164,302");
}, { mayFail: true });

pageCase("where there are other pipelines they are named", async ({ server, open }) => {
  PAGE_STATES["other-pipelines"]!(server);
  const page = await open();
  await says(page, "#start-title", "Nothing has been ingested into this pipeline yet");
  await says(page, "#other-names", "default, nightly");
  assert(await page.locator("#figures").isHidden());
  // as soon as there is one, it is shown
  PAGE_STATES.live!(server);
  await says(page, "#total-loaded", "1,164,302");
  assert(await page.locator("#getting-started").isHidden());
  await page.waitForFunction(() => {
    const chart = document.querySelector("#revenue-chart");
    return chart.clientWidth > 900 &&
      chart.querySelector("canvas").clientWidth === chart.clientWidth;
  });
});

pageCase("while nobody looks only the title is kept; then all is caught up", async (place) => {
  const { server, open } = place;
  PAGE_STATES.live!(server);
  const page = await open();
  await says(page, "#total-loaded", "1,164,302");
  const turn = (isHidden: boolean) =>
    page.evaluate((isHidden) => {
      Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
  await turn(true);
  server.tell("totals", totalsFacts({ loaded: 1_164_303 }));
  server.tell("trouble", troubleFacts());
  await page.waitForFunction(() => document.title.startsWith("Database down"));
  assertEquals(await textOf(page, "#total-loaded"), "1,164,302");
  assertEquals(await textOf(page, "#state-word"), "Loading");
  await turn(false);
  await says(page, "#total-loaded", "1,164,303");
  await says(page, "#state-word", "Database down");
});

pageCase("a page that is open for long grows neither in nodes nor in memory", async (place) => {
  const { browser, server, open } = place;
  PAGE_STATES.live!(server);
  const page = await open();
  await says(page, "#sales-window", /Berlin$/);
  const session = await browser.contexts()[0]!.newCDPSession(page);
  await session.send("Performance.enable");
  let told = 0;
  /** As many seconds as the page would see. */
  const live = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      told++;
      const atMs = Date.now() + told * 1_000;
      server.tell("pulse", pulseFacts({ atMs, pipeline: pipelineFacts({ lastBatchAtMs: atMs }) }));
      server.tell(
        "reports",
        dayReports({
          traffic: trafficReport(UNTIL_MS + told * 60_000, told),
          batches: answer(
            REPORT_COLUMNS.batches,
            Array.from({ length: 50 }, (_, index) => batchRow(told * 3 - index, atMs)),
          ),
          reject_lines: answer(
            REPORT_COLUMNS.reject_lines,
            Array.from({ length: 20 }, (_, index) => rejectLine(index, { line: told * 5 - index })),
          ),
          files: answer(
            REPORT_COLUMNS.files,
            Array.from({ length: 50 }, (_, index) => fileRow(index - told * 2)),
          ),
        }),
      );
      server.tell("totals", totalsFacts({ loaded: told }));
      await says(page, "#total-loaded", told.toLocaleString("en-US"));
    }
  };
  const measure = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const of = (name: string) => metrics.find((each) => each.name === name)!.value;
    return { nodes: of("Nodes"), listeners: of("JSEventListeners"), heap: of("JSHeapUsedSize") };
  };
  await live(60);
  const before = await measure();
  await live(240);
  const after = await measure();
  assertEquals(after.listeners, before.listeners);
  assertLess(after.nodes - before.nodes, 100);
  assertLess(after.heap - before.heap, 1_000_000);
});
