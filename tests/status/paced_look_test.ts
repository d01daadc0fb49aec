import { assert, assertEquals, assertRejects } from "@std/assert";
import { PacedLook } from "../../src/status/paced_look.ts";
import { until } from "../support/until.ts";

Deno.test("a look that is dear is not waited for, nor taken again soon", async () => {
  let looks = 0;
  const gate = Promise.withResolvers<void>();
  const look = new PacedLook(async () => {
    looks++;
    await gate.promise;
    return looks;
  }, { intervalMs: 0 });
  assertEquals(await look.get(), null);
  assertEquals(await look.get(), null);
  gate.resolve();
  await look.ended();
  // it took 0.4 s or more, so that the next is due in 8 s
  assertEquals([await look.get(), await look.get(), looks], [1, 1, 1]);
});

Deno.test("a look that is quick is always new", async () => {
  let looks = 0;
  const look = new PacedLook(() => Promise.resolve(++looks), { intervalMs: 0 });
  await until("many looks are taken", async () => await look.get() === 5);
  assert(looks >= 5);
});

Deno.test("a look keeps its interval however quick it is", async () => {
  let looks = 0;
  const look = new PacedLook(() => Promise.resolve(++looks), { intervalMs: 3_600_000 });
  assertEquals([await look.get(), await look.get()], [1, 1]);
});

Deno.test("what a look throws is thrown, also by those who come later", async () => {
  const look = new PacedLook(() => Promise.reject(new Error("lost")), { intervalMs: 0 });
  await assertRejects(() => look.get(), Error, "lost");
  await assertRejects(() => look.get(), Error, "lost");
  await look.ended();
});
