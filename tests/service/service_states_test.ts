import { assertEquals } from "@std/assert";
import { parseServiceStates } from "../../src/service/service_states.ts";

/** Of `systemctl show 'pgsluice@*.service' --property=…`. */
const SHOWN = `MainPID=0
NRestarts=4
Result=watchdog
MemoryCurrent=[not set]
StatusText=
Id=pgsluice@web-2.service
LoadState=loaded
ActiveState=failed
SubState=failed
StateChangeTimestamp=Sat 2026-03-14 10:02:00 UTC

MainPID=4711
NRestarts=0
Result=success
MemoryCurrent=52428800
StatusText=idle since 2026-03-14 10:00:00 UTC, 20,000 records since the start (a=b)
Id=pgsluice@shop.service
LoadState=loaded
ActiveState=active
SubState=running
StateChangeTimestamp=Sat 2026-03-14 09:59:58 UTC
`;

Deno.test("what systemctl shows is read, in the order of the pipelines", () => {
  assertEquals(parseServiceStates(SHOWN), [
    {
      pipeline: "shop",
      unit: "pgsluice@shop.service",
      load: "loaded",
      state: "active",
      subState: "running",
      result: "success",
      since: "Sat 2026-03-14 09:59:58 UTC",
      doing: "idle since 2026-03-14 10:00:00 UTC, 20,000 records since the start (a=b)",
      processId: 4711,
      restarts: 0,
      memoryBytes: 52428800,
    },
    {
      pipeline: "web-2",
      unit: "pgsluice@web-2.service",
      load: "loaded",
      state: "failed",
      subState: "failed",
      result: "watchdog",
      since: "Sat 2026-03-14 10:02:00 UTC",
      doing: null,
      processId: null,
      restarts: 4,
      memoryBytes: null,
    },
  ]);
});

Deno.test("a unit that is not there, or none at all, is read as that", () => {
  assertEquals(parseServiceStates("\n"), []);
  const [state] = parseServiceStates(
    "Id=pgsluice@x.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n" +
      "MemoryCurrent=18446744073709551615\n",
  );
  assertEquals([state!.load, state!.memoryBytes, state!.since], ["not-found", null, null]);
});
