import { assertEquals } from "@std/assert";
import type { CommittedBatch, StartFacts } from "../../src/pipeline/ingest_observer.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { ServiceObserver } from "../../src/service/service_observer.ts";
import { noStages } from "../../src/sink/batch_stages.ts";

const WATCHDOG_MS = 180_000;

/** An observer with a clock that the test moves, and what it told, as in `READY=1`. */
class Told {
  readonly observer: ServiceObserver;
  #fields: string[] = [];
  #nowMs = 0;

  constructor(watchdogMs: number | null = WATCHDOG_MS) {
    this.observer = new ServiceObserver({
      notify: (fields) => {
        for (const [name, value] of Object.entries(fields)) this.#fields.push(`${name}=${value}`);
      },
      watchdogMs,
      clock: {
        now: () => this.#nowMs,
        date: () => new Date(Date.UTC(2026, 2, 14, 10) + this.#nowMs),
      },
    });
  }

  pass(seconds: number): void {
    this.#nowMs += seconds * 1_000;
  }

  /** What was told since the last call. */
  take(): string[] {
    const fields = this.#fields;
    this.#fields = [];
    return fields;
  }

  /** Up to where it loads. */
  start(): void {
    this.observer.turned();
    this.observer.started(START);
    this.observer.turned();
    this.observer.scanned();
    this.take();
  }

  /** How often the fields begin so. */
  count(name: string): number {
    return this.take().filter((field) => field.startsWith(`${name}=`)).length;
  }
}

const START: StartFacts = {
  epoch: 1,
  source: "/srv/events",
  table: "user_events",
  did: [],
  backlog: () => ({ files: 12, sizeBytes: 3 * 2 ** 20, oldestModifiedMs: 0 }),
};

function batchOf(loaded: number): CommittedBatch {
  return {
    files: [],
    loaded,
    rejected: 0,
    duplicate: 0,
    sizeBytes: loaded * 100,
    rejectsByCode: new Map(),
    stages: noStages(),
    backlogBytes: 0,
  };
}

/** Without rights: it is pure. */
function pureTest(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

pureTest("READY is told once, after the first scan with a live database", () => {
  const told = new Told();
  told.observer.turned();
  assertEquals(told.take(), [
    "STATUS=connecting to the database",
    "EXTEND_TIMEOUT_USEC=600000000",
  ]);
  told.observer.started(START);
  told.observer.turned();
  told.observer.committed(batchOf(100));
  assertEquals(told.take(), ["STATUS=looking through the folder"]);
  told.observer.scanned();
  assertEquals(told.take(), ["READY=1"]);
  told.observer.started(START);
  told.observer.scanned();
  assertEquals(told.count("READY"), 0);
});

pureTest("an ingester that stands by is ready, so that systemd does not end it", () => {
  const told = new Told();
  told.observer.standby();
  assertEquals(told.take(), [
    "STATUS=connecting to the database",
    "STATUS=standing by: another ingester owns the pipeline",
    "READY=1",
  ]);
  told.observer.turned();
  assertEquals(told.take(), ["WATCHDOG=1"]);
  told.observer.started(START);
  told.observer.scanned();
  assertEquals(told.take(), ["STATUS=looking through the folder"]);
});

pureTest(
  "a start that waits for its database asks for time as its turns come, and is not ready",
  () => {
    const told = new Told();
    told.take();
    const error = new PgsluiceError("database-unreachable", "nothing listens there", { hint: "-" });
    told.observer.outage({ error, awayMs: 0, hasStood: false });
    assertEquals(told.take(), [
      "STATUS=waiting for the database since 2026-03-14 10:00:00 UTC: nothing listens there",
    ]);
    for (let second = 0; second < 600; second += 5) {
      told.observer.turned();
      told.pass(5);
    }
    assertEquals(told.count("EXTEND_TIMEOUT_USEC"), 20);
    told.pass(3_600);
    assertEquals(told.take(), []);
  },
);

pureTest("WATCHDOG is told while the loop turns, a quarter of the time apart at most", () => {
  const told = new Told();
  told.start();
  let longestSilenceS = 0;
  let silenceS = 0;
  for (let second = 0; second < 1_800; second += 5) {
    told.pass(5);
    told.observer.turned();
    silenceS += 5;
    if (told.count("WATCHDOG") === 0) continue;
    longestSilenceS = Math.max(longestSilenceS, silenceS);
    silenceS = 0;
  }
  assertEquals(longestSilenceS, WATCHDOG_MS / 1_000 / 4);
});

pureTest("WATCHDOG is told by commits as well", () => {
  const told = new Told();
  told.start();
  told.pass(60);
  told.observer.committed(batchOf(1));
  assertEquals(told.count("WATCHDOG"), 1);
});

pureTest("a loop that hangs tells nothing, whatever else happens", () => {
  const told = new Told();
  told.start();
  for (let minute = 0; minute < 10; minute++) {
    told.pass(60);
    told.observer.fileNote();
    told.observer.readError();
    told.observer.journalTrouble();
    told.observer.outage({ error: "x", awayMs: minute * 60_000, hasStood: true });
  }
  assertEquals(told.count("WATCHDOG"), 0);
});

pureTest("without a watchdog no WATCHDOG is told", () => {
  const told = new Told(null);
  told.start();
  told.pass(3_600);
  told.observer.turned();
  assertEquals(told.count("WATCHDOG"), 0);
});

pureTest("the status says the rate and what is to do, at most once in five seconds", () => {
  const told = new Told(null);
  told.start();
  for (let tenth = 0; tenth < 100; tenth++) {
    told.pass(0.1);
    told.observer.committed(batchOf(1_000));
    told.observer.turned();
  }
  assertEquals(told.take(), [
    "STATUS=loading 10,000 records/s, 12 files (3.0 MiB) to go",
    "STATUS=loading 10,000 records/s, 12 files (3.0 MiB) to go",
  ]);
});

pureTest("files that come one by one are a rate, and their end is being idle", () => {
  const told = new Told(null);
  told.start();
  for (let second = 0; second < 10; second++) {
    told.pass(1);
    told.observer.committed(batchOf(2_000));
    told.observer.caughtUp();
  }
  assertEquals(told.take(), [
    "STATUS=loading 2,000 records/s, 12 files (3.0 MiB) to go",
    "STATUS=loading 2,000 records/s, 12 files (3.0 MiB) to go",
  ]);
  for (let second = 0; second < 60; second += 5) {
    told.pass(5);
    told.observer.turned();
  }
  assertEquals(told.take(), [
    "STATUS=idle since 2026-03-14 10:00:10 UTC, 20,000 records since the start",
  ]);
});

pureTest("what passed while it was idle is no part of the rate", () => {
  const told = new Told(null);
  told.start();
  told.observer.caughtUp();
  assertEquals(told.take(), [
    "STATUS=idle since 2026-03-14 10:00:00 UTC, 0 records since the start",
  ]);
  told.pass(3_600);
  told.observer.committed(batchOf(500));
  assertEquals(told.take(), []);
  told.pass(5);
  told.observer.committed(batchOf(500));
  assertEquals(told.take(), ["STATUS=loading 200 records/s, 12 files (3.0 MiB) to go"]);
});

pureTest("the status says since when the database is away, until it loads again", () => {
  const told = new Told(null);
  told.start();
  told.pass(60);
  told.observer.outage({ error: new TypeError("reset"), awayMs: 30_000, hasStood: true });
  told.observer.turned();
  assertEquals(told.take(), [
    "STATUS=the database is away since 2026-03-14 10:00:30 UTC: TypeError: reset",
  ]);
  told.observer.started(START);
  told.observer.recovered();
  told.observer.caughtUp();
  assertEquals(told.take(), [
    "STATUS=looking through the folder",
    "STATUS=idle since 2026-03-14 10:01:00 UTC, 0 records since the start",
  ]);
});

pureTest("a stop is told at once, and no other status after it", () => {
  const told = new Told(null);
  told.start();
  told.observer.stopping();
  told.pass(10);
  told.observer.committed(batchOf(10));
  told.observer.caughtUp();
  assertEquals(told.take(), [
    "STOPPING=1",
    "STATUS=stopping, the open batch is finished first",
  ]);
});
