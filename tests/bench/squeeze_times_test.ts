import { assertEquals } from "@std/assert";
import { squeezeTimes } from "./squeeze_times.ts";

Deno.test("squeezeTimes moves events towards the origin and leaves all else as it is", () => {
  const key = "019ca6b1-dc00-7001-b923-a6f407cf948b";
  const text = (times: readonly string[]) =>
    [
      "event_id,event_timestamp,event_type",
      ...times.map((time) => `${key},${time},view`),
      `short,${times[0]},view`,
      `"${key}",2026-03-01T00:00:10.000Z,view`,
      `${key},2026-03-01T00:00:99.000Z,view`,
      `${key},2026-03-01 00:00:10.000Z,view`,
      `${key},2026-02-28T00:00:10.000Z,view`,
    ].join("\n");
  const bytes = new TextEncoder().encode(text([
    "2026-03-01T00:00:00.000Z",
    "2026-03-01T00:00:10.001Z",
    "2026-03-11T00:00:00.000Z",
  ]));
  const count = squeezeTimes(bytes, { originMs: Date.UTC(2026, 2, 1), factor: 10 });
  assertEquals([count, new TextDecoder().decode(bytes)], [
    3,
    text([
      "2026-03-01T00:00:00.000Z",
      "2026-03-01T00:00:01.000Z",
      "2026-03-02T00:00:00.000Z",
    ]),
  ]);
});
