import { assert, assertEquals } from "@std/assert";
import { backOffMs } from "../../src/pipeline/back_off.ts";
import { OutageWatch } from "../../src/pipeline/outage_watch.ts";

Deno.test({
  name: "back-off doubles, half of it by chance, from 100 ms to 15 s and never beyond",
  permissions: "none",
  fn() {
    const shortest = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((attempt) => backOffMs(attempt, 0));
    assertEquals(shortest, [100, 200, 400, 800, 1_600, 3_200, 6_400, 7_500, 7_500]);
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((attempt) => backOffMs(attempt, 1));
    assertEquals(longest, [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000]);
    assertEquals(backOffMs(1, 0.5), 150);
    // a weekend of attempts
    for (const attempt of [100, 1_000, 20_000]) assert(backOffMs(attempt, 0.999) <= 15_000);
  },
});

Deno.test({
  name: "an outage is told when it begins, every 30 s while it lasts, and when it is over",
  permissions: "none",
  fn() {
    const outages = new OutageWatch();
    assertEquals(outages.worked(500), null);
    const told = [1_000, 1_200, 30_999, 31_000, 45_000, 61_500].map((ms) => outages.failed(ms));
    assertEquals(told, [{ awayMs: 0 }, null, null, { awayMs: 30_000 }, null, { awayMs: 60_500 }]);
    assertEquals(outages.worked(70_000), { awayMs: 69_000 });
    assertEquals(outages.worked(70_001), null);
    assertEquals(outages.failed(80_000), { awayMs: 0 });
  },
});
