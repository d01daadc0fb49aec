import { assertEquals } from "@std/assert";
import { openService, watchdogMs } from "../../src/service/open_service.ts";
import { withNotifyListener } from "./notify_listener.ts";

/** The variables of a process. */
class Variables {
  readonly left: Map<string, string>;

  constructor(variables: Record<string, string>) {
    this.left = new Map(Object.entries(variables));
  }

  get(name: string): string | undefined {
    return this.left.get(name);
  }

  delete(name: string): void {
    this.left.delete(name);
  }
}

Deno.test("a service takes its socket out of the environment, before it starts a server", async () => {
  await withNotifyListener(async (listener) => {
    listener.listen();
    const environment = new Variables({
      NOTIFY_SOCKET: listener.path,
      WATCHDOG_USEC: "180000000",
      WATCHDOG_PID: String(Deno.pid),
      HOME: "/var/lib/pgsluice",
    });
    const troubles: string[] = [];
    const onTrouble = (message: string) => troubles.push(message);
    const service = openService({ environment, onTrouble });
    assertEquals([...environment.left.keys()], ["HOME"]);
    await listener.until(() => listener.fields.length === 1);
    assertEquals(listener.fields, ["STATUS=connecting to the database"]);
    service!.close();
    assertEquals(openService({ environment, onTrouble }), null);
    assertEquals(troubles, []);
  });
});

Deno.test("systemd's watchdog is heeded if it is for this process", () => {
  const cases: readonly [string | undefined, string | undefined, number | null][] = [
    ["180000000", undefined, 180_000],
    ["180000000", "4711", 180_000],
    ["180000000", "1", null],
    [undefined, undefined, null],
    ["0", "4711", null],
    ["soon", "4711", null],
  ];
  for (const [watchdogUsec, watchdogPid, expected] of cases) {
    assertEquals(watchdogMs({ watchdogUsec, watchdogPid }, 4711), expected, watchdogUsec);
  }
});
