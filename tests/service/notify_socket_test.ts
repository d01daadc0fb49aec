import { assert, assertEquals, assertLess } from "@std/assert";
import { join } from "@std/path";
import { NotifySocket } from "../../src/service/notify_socket.ts";
import { until } from "../support/until.ts";
import { NotifyListener, withNotifyListener } from "./notify_listener.ts";

/** A socket, and what it complained of. */
function openAt(address: string | undefined): { socket: NotifySocket | null; troubles: string[] } {
  const troubles: string[] = [];
  const socket = NotifySocket.open(address, { onTrouble: (message) => troubles.push(message) });
  return { socket, troubles };
}

Deno.test("systemd is told fields, a line each", async () => {
  await withNotifyListener(async (listener) => {
    listener.listen();
    const { socket, troubles } = openAt(listener.path);
    socket!.notify({ READY: "1", STATUS: "of ä\nWATCHDOG=trigger" });
    await listener.until(() => listener.messages.length === 1);
    assertEquals(listener.messages, ["READY=1\nSTATUS=of ä WATCHDOG=trigger\n"]);
    assertEquals(troubles, []);
    socket!.close();
    socket!.close();
    socket!.notify({ READY: "1" });
  });
});

Deno.test("without a notify socket nobody is told, and nothing is said of it", () => {
  for (const address of [undefined, ""]) {
    assertEquals(openAt(address), { socket: null, troubles: [] });
  }
});

Deno.test("an abstract notify socket is said to be out of reach", () => {
  for (const address of ["@/org/freedesktop/systemd1", "vsock:2:1"]) {
    assertEquals(openAt(address), {
      socket: null,
      troubles: [`systemd is not told anything: NOTIFY_SOCKET=${address} is not a path`],
    });
  }
});

Deno.test("what is told while systemd does not listen waits in one message", async () => {
  await withNotifyListener(async (listener) => {
    const { socket, troubles } = openAt(listener.path);
    // far more than any queue of a socket holds, each message after the one before has gone or waits
    for (let number = 0; number < 2_000; number++) {
      socket!.notify({ STATUS: String(number) });
      await Promise.resolve();
    }
    socket!.notify({ READY: "1", STATUS: "last" });
    listener.listen();
    await listener.until(() => listener.fields.includes("STATUS=last"));
    assert(listener.fields.includes("READY=1"));
    assertLess(listener.messages.length, 1_000);
    assertEquals(troubles, []);
    socket!.close();
  });
});

Deno.test("READY is not lost when systemd goes away for a while, which is said once", async () => {
  const directory = await Deno.makeTempDir();
  const { socket, troubles } = openAt(join(directory, "notify"));
  socket!.notify({ READY: "1" });
  await until("the trouble is said", () => troubles.length === 1);
  socket!.notify({ STATUS: "a" });
  await new Promise((resolve) => setTimeout(resolve));
  const listener = new NotifyListener(directory);
  listener.listen();
  socket!.notify({ STATUS: "b" });
  await listener.until(() => listener.messages.length === 1);
  assertEquals(listener.messages, ["READY=1\nSTATUS=b\n"]);
  assertEquals(troubles.length, 1);
  socket!.close();
  await listener.close();
  await Deno.remove(directory, { recursive: true });
});
