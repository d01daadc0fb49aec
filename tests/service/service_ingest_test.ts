import { assert, assertEquals } from "@std/assert";
import { ingest } from "../../src/pipeline/ingest.ts";
import type { IngestOptions } from "../../src/pipeline/ingest_options.ts";
import { tellAll } from "../../src/pipeline/tell_all.ts";
import { NotifySocket } from "../../src/service/notify_socket.ts";
import { ServiceObserver } from "../../src/service/service_observer.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLines,
  folderSource,
  Heard,
  ingestOptions,
  type IngestPlace,
  ingestWatching,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { type NotifyListener, withNotifyListener } from "./notify_listener.ts";

/** An ingest as a service that systemd listens to, until `stop()`. */
function serve(
  place: IngestPlace,
  listener: NotifyListener,
  { watchdogMs, ...change }: Partial<IngestOptions> & { watchdogMs: number },
): { heard: Heard; stop(): Promise<void> } {
  const heard = new Heard();
  const controller = new AbortController();
  const socket = NotifySocket.open(listener.path, { onTrouble: (message) => heard.fail(message) })!;
  const observer = new ServiceObserver({
    notify: (fields) => socket.notify(fields),
    watchdogMs,
    clock: { now: () => performance.now(), date: () => new Date() },
  });
  controller.signal.addEventListener("abort", () => observer.stopping());
  const ended = ingest(
    ingestOptions(place, {
      source: folderSource(place, { once: false }),
      signal: controller.signal,
      ...change,
    }),
    tellAll([heard, observer]),
  );
  ended.catch((error) => heard.fail(error));
  listener.listen();
  return {
    heard,
    async stop() {
      controller.abort();
      await ended;
      await listener.until(() => listener.fields.includes("STOPPING=1"));
      socket.close();
    },
  };
}

ingestCase(
  "a service is ready after its first scan, lives while it is idle, and says that it stops",
  async (place) => {
    await withNotifyListener(async (listener) => {
      await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
      // an idle loop turns every five seconds: each turn is told
      const service = serve(place, listener, { watchdogMs: 1_000 });
      await listener.until(() => listener.fields.includes("READY=1"));
      assertEquals(service.heard.scans, 1);
      assert(!listener.fields.includes("WATCHDOG=1"));
      await listener.until(() => listener.fields.some((field) => field.startsWith("STATUS=idle")));
      const told = listener.fields.length;
      await listener.until(() => listener.fields.slice(told).includes("WATCHDOG=1"));
      await service.stop();
      assertEquals(service.heard.loaded, 10);
      assertEquals(listener.fields.filter((field) => field === "READY=1").length, 1);
    });
  },
);

ingestCase(
  "a service that finds its pipeline owned stands by, ready, and takes over",
  async (place) => {
    const owner = ingestWatching(place);
    await owner.heard.until(() => owner.heard.scans === 1);
    await withNotifyListener(async (listener) => {
      const service = serve(place, listener, { watchdogMs: 1_000, noWait: false });
      await listener.until(() => listener.fields.includes("READY=1"));
      assertEquals(service.heard.starts, 0);
      assert(listener.fields.some((field) => field.startsWith("STATUS=standing by")));
      await listener.until(() => listener.fields.includes("WATCHDOG=1"));
      await owner.stop();
      await listener.until(() => listener.fields.includes("STATUS=looking through the folder"));
      await service.stop();
    });
  },
);
