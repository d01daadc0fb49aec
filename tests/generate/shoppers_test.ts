import { assert, assertEquals } from "@std/assert";
import { Catalogue } from "../../src/generate/catalogue.ts";
import { startOfSpan, trafficAt } from "../../src/generate/daily_rhythm.ts";
import { Random } from "../../src/generate/random.ts";
import type { ShopEvent } from "../../src/generate/shop_event.ts";
import { Shoppers } from "../../src/generate/shoppers.ts";

const START_MS = Date.parse("2026-03-01T00:00:00Z");
const CATALOGUE = new Catalogue(7);

/** The first so many events; each is a copy. */
function* firstEvents(count: number, startMs = START_MS, seed = 7): Generator<ShopEvent> {
  const shoppers = new Shoppers(CATALOGUE, { startMs, random: new Random(seed, 1) });
  const event = shoppers.blankEvent();
  for (let index = 0; index < count; index++) {
    shoppers.next(event);
    yield { ...event };
  }
}

Deno.test("shoppers buy only what they viewed in the hours before", () => {
  const views = new Map<string, number>();
  let purchaseCount = 0;
  for (const { user, product, isPurchase, timeMs } of firstEvents(100_000)) {
    const pair = `${user.id} ${product.id}`;
    if (!isPurchase) {
      views.set(pair, timeMs);
      continue;
    }
    purchaseCount++;
    const viewedMs = views.get(pair);
    assert(viewedMs !== undefined && viewedMs <= timeMs && timeMs - viewedMs < 3 * 3_600_000);
  }
  assert(purchaseCount > 5_000 && purchaseCount < 20_000, `${purchaseCount} purchases`);
});

Deno.test("shoppers' sessions interleave", () => {
  let last = "";
  let changeCount = 0;
  for (const { user } of firstEvents(10_000)) {
    if (String(user.id) !== last) changeCount++;
    last = String(user.id);
  }
  assert(changeCount > 8_000, `${changeCount} changes of user`);
});

Deno.test("shoppers' time never goes back, and starts no earlier than asked", () => {
  let lastMs = START_MS;
  for (const { timeMs } of firstEvents(50_000)) {
    assert(Number.isInteger(timeMs) && timeMs >= lastMs);
    lastMs = timeMs;
  }
});

Deno.test("shoppers' ids ascend within a millisecond", () => {
  let before: ShopEvent | null = null;
  let sameCount = 0;
  for (const event of firstEvents(50_000)) {
    assert(event.idCounter < 4096);
    if (before?.timeMs === event.timeMs) {
      sameCount++;
      assert(event.idCounter > before.idCounter);
    }
    before = event;
  }
  assert(sameCount > 0, "a checkout of several products is one moment");
});

Deno.test("shoppers prefer few products, and yet look at most", () => {
  const counts = new Map<number, number>();
  for (const { product } of firstEvents(200_000)) {
    counts.set(product.rank, (counts.get(product.rank) ?? 0) + 1);
  }
  const sorted = [...counts.values()].sort((a, b) => b - a);
  const shareOf = (from: number, until: number) =>
    sorted.slice(from, until).reduce((sum, count) => sum + count, 0) / 200_000;
  const productCount = CATALOGUE.products.length;
  const head = shareOf(0, productCount / 100);
  const tail = shareOf(productCount / 2, productCount);
  assert(head > 0.2 && head < 0.5, `the top 1 % have ${head}`);
  assert(tail > 0.05 && tail < 0.2, `the lower half has ${tail}`);
  assert(sorted.length > 0.95 * productCount, `${sorted.length} products`);
});

Deno.test("shoppers come as the hours of the day have it", () => {
  const counts = new Array<number>(24).fill(0);
  let eventCount = 0;
  const endMs = START_MS + 5 * 86_400_000;
  for (const { timeMs } of firstEvents(1_000_000)) {
    if (timeMs >= endMs) break;
    counts[new Date(timeMs).getUTCHours()]!++;
    eventCount++;
  }
  assert(Math.abs(eventCount - 5 * 86_400) < 0.05 * 5 * 86_400, `${eventCount} events in 5 days`);
  const evening = counts[20]! / counts[4]!;
  assert(evening > 8 && evening < 20, `8 pm has ${evening} times what 4 am has`);
});

Deno.test("trafficAt averages to one over a day", () => {
  let sum = 0;
  for (let hour = 0; hour < 24; hour++) sum += trafficAt(START_MS + hour * 3_600_000);
  assertEquals(Math.round(sum * 1e9) / 1e9, 24);
});

Deno.test("startOfSpan makes the last event fall shortly before the end", () => {
  const ends = ["2026-03-14T03:30:00Z", "2026-03-14T20:59:59.999Z", "2026-03-15T00:00:00Z"];
  for (const end of ends) {
    const endMs = Date.parse(end);
    for (const eventCount of [1, 1_000, 20_000, 200_000]) {
      const startMs = startOfSpan(endMs, eventCount);
      assertEquals(startMs % 1000, 0);
      let lastMs = 0;
      for (const { timeMs } of firstEvents(eventCount, startMs)) lastMs = timeMs;
      const beforeMs = endMs - lastMs;
      // at night a missing event takes up to ten seconds
      const toleranceMs = (600 + 20 * Math.sqrt(eventCount)) * 10_000;
      assert(
        beforeMs > 0 && beforeMs < toleranceMs,
        `${end}, ${eventCount}: ${beforeMs} ms before`,
      );
    }
  }
});

Deno.test("startOfSpan ends at 1970 for more events than time has had", () => {
  assertEquals(startOfSpan(Date.parse("2026-03-14T03:30:00Z"), 1e13), 0);
});
