import { assert, assertEquals } from "@std/assert";
import { RateLimiter } from "../../src/generate/rate_limiter.ts";

Deno.test("RateLimiter releases each row at its time and not before", () => {
  const limiter = new RateLimiter({ perSecond: 4, startMs: 1000 });
  assertEquals(limiter.due(1000), 0);
  assertEquals(limiter.nextDueMs(1000), 1250);
  assertEquals(limiter.due(1249), 0);
  assertEquals(limiter.due(1250), 1);
  limiter.take(1);
  assertEquals(limiter.due(1250), 0);
  assertEquals(limiter.due(2000), 3);
});

Deno.test("RateLimiter has a row due at the very time it said", () => {
  for (const perSecond of [1, 3, 7, 999, 12_345]) {
    const limiter = new RateLimiter({ perSecond, startMs: 123.456 });
    let nowMs = 123.456;
    for (let round = 0; round < 1000; round++) {
      nowMs = limiter.nextDueMs(nowMs);
      const dueCount = limiter.due(nowMs);
      assert(dueCount >= 1, `rate ${perSecond}, round ${round}`);
      limiter.take(dueCount);
    }
  }
});

Deno.test("RateLimiter makes a short stall up, and at most ten seconds of a long one", () => {
  const limiter = new RateLimiter({ perSecond: 100, startMs: 0 });
  assertEquals(limiter.due(3_000), 300);
  limiter.take(300);
  assertEquals(limiter.due(60_000), 1_000);
  limiter.take(1_000);
  assertEquals(limiter.due(60_000), 0);
  assertEquals(limiter.due(61_000), 100);
});
