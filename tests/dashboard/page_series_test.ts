import { assertEquals } from "@std/assert";
import { movingMean } from "../../src/dashboard/page/moving_mean.js";
import { listChanges } from "../../src/dashboard/page/list_changes.js";
import { sparkPath } from "../../src/dashboard/page/spark_path.js";
import {
  bucketLengthMs,
  bucketName,
  lineAndTail,
  sumMinutes,
  trafficMinutes,
  trafficSeries,
} from "../../src/dashboard/page/traffic_series.js";
import { fuzz } from "../support/fuzz.ts";
import { answer, REPORT_COLUMNS, trafficReport, UNTIL_MS } from "./page_facts.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

Deno.test("the chart's points add up to the report's rows, however many there are", () => {
  const facts = trafficReport();
  const minutes = trafficMinutes(facts);
  assertEquals(minutes.length, 1_440);
  const sums = sumMinutes(minutes);
  for (const bucketMs of [1, 2, 5, 15, 30, 60].map((each) => each * MINUTE_MS)) {
    // from a whole bucket on, so that none is left out
    const sinceMs = Math.floor((UNTIL_MS - DAY_MS) / HOUR_MS) * HOUR_MS;
    const series = trafficSeries(minutes, { sinceMs, untilMs: UNTIL_MS, bucketMs });
    assertEquals(series.views.reduce((a, b) => a + b, 0), sums.views);
    assertEquals(series.purchases.reduce((a, b) => a + b, 0), sums.purchases);
    assertEquals(series.revenue.reduce((a, b) => a + b, 0n), sums.revenue);
    assertEquals(series.startsMs.length, Math.ceil((UNTIL_MS - sinceMs) / bucketMs));
    assertEquals(series.hasTail, UNTIL_MS % bucketMs !== 0);
  }
});

Deno.test("a bucket that began before the window is left out, one that has only begun is a tail", () => {
  const startMs = Date.UTC(2026, 2, 14, 10, 0);
  const rows = [0, 3, 4, 5, 11].map((minute) => [
    new Date(startMs + minute * MINUTE_MS).toISOString(),
    2,
    1,
    1,
    1,
    "1.50",
    "1.50",
  ]);
  const minutes = trafficMinutes(answer(REPORT_COLUMNS.traffic, rows));
  const series = trafficSeries(minutes, {
    sinceMs: startMs + 3 * MINUTE_MS,
    untilMs: startMs + 12 * MINUTE_MS,
    bucketMs: 5 * MINUTE_MS,
  });
  assertEquals(series.startsMs.map((ms) => (ms - startMs) / MINUTE_MS), [5, 10]);
  assertEquals([series.views, series.revenue, series.hasTail], [
    [1, 1],
    [1_500_000n, 1_500_000n],
    true,
  ]);
  assertEquals(lineAndTail(series.revenue, true), [[1.5, null], [1.5, 1.5]]);
  assertEquals(lineAndTail([3, 4], false), [[3, 4], [null, null]]);
  assertEquals(lineAndTail([], false), [[], []]);
});

Deno.test("there are no more points than can be seen, whatever the window's length", () => {
  assertEquals(bucketLengthMs(DAY_MS, 300), 5 * MINUTE_MS);
  assertEquals(bucketLengthMs(DAY_MS, 70), 30 * MINUTE_MS);
  assertEquals(bucketLengthMs(HOUR_MS, 300), MINUTE_MS);
  for (const lengthMs of [1, MINUTE_MS, 7 * DAY_MS, 400 * DAY_MS, 40_000 * DAY_MS]) {
    for (const most of [20, 71, 300]) {
      const bucketMs = bucketLengthMs(lengthMs, most);
      assertEquals(lengthMs / bucketMs <= most, true, `${lengthMs} by ${bucketMs}`);
    }
  }
  assertEquals(
    [1, 5, 60, 180, 1_440, 2_880].map((minutes) => bucketName(minutes * MINUTE_MS)),
    ["minute", "5 minutes", "hour", "3 hours", "day", "2 days"],
  );
});

Deno.test("what a report of another version says of traffic is nothing, and no error", () => {
  assertEquals(trafficMinutes(answer(["hour", "events"], [["2026-03-14T10:00:00Z", 5]])), []);
  assertEquals(trafficMinutes({ lookedAtMs: 0, error: "no", hint: null }), []);
  const [minute] = trafficMinutes(answer(["minute"], [["2026-03-14T10:00:00Z"]]));
  assertEquals(minute, { startMs: Date.UTC(2026, 2, 14, 10), views: 0, purchases: 0, revenue: 0n });
});

Deno.test("a sparkline is as high as its greatest value, and flat without any", () => {
  const size = { width: 30, height: 10 };
  assertEquals(sparkPath([0, 5, 10, 5], size).line, "M0 10L10 5L20 0L30 5");
  assertEquals(sparkPath([0, 0], size).line, "M0 10L30 10");
  assertEquals(sparkPath([0, 10], size).area, "M0 10L30 0L30 10L0 10Z");
  assertEquals(sparkPath([1], size), { line: "", area: "" });
});

Deno.test("a list becomes another one, with no node made anew or moved that need not be", async () => {
  await fuzz(400, (random) => {
    const alphabet = [..."abcdefghijkl"];
    const some = () =>
      alphabet.filter(() => random.fraction() < 0.6)
        .map((key) => ({ key, rank: random.fraction() }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ key }) => key);
    const present = some();
    const wanted = some();
    const list = [...present];
    let placed = 0;
    for (const change of listChanges(present, wanted)) {
      if (list.includes(change.key)) list.splice(list.indexOf(change.key), 1);
      if (change.kind === "remove") continue;
      placed++;
      assertEquals(change.isNew, !present.includes(change.key));
      const at = change.before === null ? list.length : list.indexOf(change.before);
      list.splice(at, 0, change.key);
    }
    assertEquals(list, wanted);
    const stay = present.filter((key) => wanted.includes(key));
    assertEquals(placed, wanted.length - longestCommon(stay, wanted));
  });
});

Deno.test("a newest line on top places one node, and removes the oldest", () => {
  assertEquals(listChanges(["c", "b", "a"], ["d", "c", "b"]), [
    { kind: "remove", key: "a" },
    { kind: "place", key: "d", before: "c", isNew: true },
  ]);
  assertEquals(listChanges(["a", "b"], ["a", "b"]), []);
});

/** By trying: how many keys keep their order. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      table[i]![j] = a[i - 1] === b[j - 1]
        ? table[i - 1]![j - 1]! + 1
        : Math.max(table[i - 1]![j]!, table[i]![j - 1]!);
    }
  }
  return table[a.length]![b.length]!;
}

Deno.test("a moving mean is of the values so far where there are too few", () => {
  assertEquals(movingMean([0, 4, 8, 0, 4], 3), [0, 2, 4, 4, 4]);
  assertEquals(movingMean([], 3), []);
});
