import { assertEquals } from "@std/assert";
import { Screen } from "../../src/cli/status_watch_screen.ts";

function recorded(): { screen: Screen; writes: string[]; now: string[] } {
  const writes: string[] = [];
  const now: string[] = [];
  const screen = new Screen({
    terminal: {
      write(data) {
        writes.push(String(data));
        return Promise.resolve();
      },
    },
    writeNow: (text) => now.push(text),
  });
  return { screen, writes, now };
}

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

Deno.test("a frame is one write that clears no screen, and the terminal is given back", async () => {
  const { screen, writes, now } = recorded();
  await screen.enter();
  await screen.draw(["one", "two"]);
  await screen.draw(["three"]);
  await screen.leave();
  await screen.leave();
  assertEquals(writes, [
    ENTER,
    "\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J",
    "\x1b[Hthree\x1b[K\x1b[J",
    LEAVE,
  ]);
  assertEquals(writes.join("").includes("\x1b[2J"), false);
  assertEquals(now, []);
});

Deno.test("a process that ends in the middle gives the terminal back at once, and only once", async () => {
  const { screen, writes, now } = recorded();
  await screen.enter();
  globalThis.dispatchEvent(new Event("unload"));
  await screen.draw(["late"]);
  await screen.leave();
  globalThis.dispatchEvent(new Event("unload"));
  assertEquals([writes, now], [[ENTER], [LEAVE]]);
});

Deno.test("a process that is stopped and goes on takes the screen again", async () => {
  const { screen, writes, now } = recorded();
  await screen.enter();
  screen.leaveNow();
  await screen.enter();
  await screen.draw(["on"]);
  await screen.leave();
  assertEquals([writes, now], [[ENTER, ENTER, "\x1b[Hon\x1b[K\x1b[J", LEAVE], [LEAVE]]);
});

Deno.test("a terminal that has gone is left without an error", async () => {
  let isGone = false;
  const screen = new Screen({
    terminal: {
      write: () => isGone ? Promise.reject(new Deno.errors.BrokenPipe()) : Promise.resolve(),
    },
    writeNow: () => {},
  });
  await screen.enter();
  isGone = true;
  await screen.leave();
});
