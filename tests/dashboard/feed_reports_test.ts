import { assert, assertEquals, assertGreater } from "@std/assert";
import type { Reports } from "../../src/dashboard/dashboard_facts.ts";
import type { DashboardReport } from "../../src/dashboard/dashboard_report.ts";
import { ReportLooks } from "../../src/dashboard/report_looks.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLines,
  ingestOnce,
  type IngestPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { until } from "../support/until.ts";

const SHARE = 0.5;

/** When a report was asked, and how long it took. */
interface Ask {
  readonly beganMs: number;
  tookMs: number;
}

/** A report whose answer is a number, from the asks so far. */
function report(name: string, answer: (asks: number) => number, sleepS = 0) {
  const asks: Ask[] = [];
  const made: DashboardReport = {
    name,
    async ask(sql) {
      const ask: Ask = { beganMs: performance.now(), tookMs: 0 };
      asks.push(ask);
      await sql`select pg_sleep(${sleepS})`;
      ask.tookMs = performance.now() - ask.beganMs;
      const window = { sinceMs: null, untilMs: null };
      return { window, columns: ["n"], rows: [[answer(asks.length)]] };
    },
  };
  return { ...made, asks };
}

async function looking(
  place: IngestPlace,
  reports: readonly DashboardReport[],
  use: (told: readonly Reports[]) => Promise<void>,
): Promise<void> {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 1)));
  await ingestOnce(place);
  const told: Reports[] = [];
  const looks = new ReportLooks({
    target: place.database.target,
    pipeline: "default",
    intervalMs: 10,
    share: SHARE,
    silenceMs: 60_000,
    isAway: () => false,
    tell: (found) => told.push(found),
    reports,
  });
  const stop = new AbortController();
  const running = looks.run(stop.signal);
  try {
    await use(told);
  } finally {
    stop.abort();
    await running;
  }
}

ingestCase(
  "reports are asked so seldom that they keep their share, the dear ones less often",
  async (place) => {
    const cheap = report("cheap", (n) => n);
    const dear = report("dear", (n) => n, 0.1);
    await looking(place, [cheap, dear], async () => {
      await until("the dear one is asked again", () => dear.asks.length >= 4);
    });
    assertGreater(cheap.asks.length, dear.asks.length);
    for (const { asks } of [cheap, dear]) {
      for (const [index, { beganMs, tookMs }] of asks.slice(0, -1).entries()) {
        const intervalMs = asks[index + 1]!.beganMs - beganMs;
        assert(intervalMs >= tookMs / SHARE - 5, `after ${tookMs} ms again in ${intervalMs} ms`);
      }
    }
  },
);

ingestCase("what has not changed is not told again", async (place) => {
  const steady = report("steady", () => 7);
  await looking(place, [steady], async (told) => {
    await until("it is asked often", () => steady.asks.length >= 20);
    assertEquals(told.length, 1);
    const { lookedAtMs: _, tookMs: _took, ...facts } = told[0]!.steady as Record<string, unknown>;
    assertEquals(facts, { sinceMs: null, untilMs: null, columns: ["n"], rows: [[7]] });
  });
});

ingestCase(
  "a report that cannot be read is told as one that failed, and the others go on",
  async (place) => {
    const broken: DashboardReport = {
      name: "broken",
      ask: () => Promise.reject(new TypeError("column n: text is no count")),
    };
    const fine = report("fine", (n) => n);
    await looking(place, [broken, fine], async (told) => {
      await until("the other one goes on", () => fine.asks.length >= 5 && told.length > 1);
      const { error, hint } = told.at(-1)!.broken as { error: string; hint: string };
      assertEquals(error, "asking for broken: column n: text is no count");
      assertGreater(hint.length, 0);
    });
  },
);

ingestCase("a statement that takes too long is told so", async (place) => {
  const slow: DashboardReport = {
    name: "slow",
    ask: (sql) =>
      sql.begin(async (transaction) => {
        await transaction`set local statement_timeout = '20ms'`;
        await transaction`select pg_sleep(60)`;
        throw new Error("it was not stopped");
      }),
  };
  await looking(place, [slow], async (told) => {
    await until("it is told", () => told.length > 0);
    const { error, hint } = told[0]!.slow as { error: string; hint: string };
    assertEquals(error, "it took longer than 5 s, and was given up");
    assertEquals(hint.startsWith("it is asked again within 5 minutes; "), true);
  });
});
