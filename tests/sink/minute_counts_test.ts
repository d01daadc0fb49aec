import { assertEquals, assertThrows } from "@std/assert";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { MinuteCounter, type MinuteCounts } from "../../src/sink/minute_counts.ts";
import { sumMinutes } from "../../src/sink/minute_deltas.ts";
import { RowLoader } from "../../src/sink/row_loader.ts";
import { fuzz } from "../support/fuzz.ts";
import { HEADER } from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { csvBatch } from "./csv_batch.ts";

const { minutes } = USER_EVENTS;
if (minutes === undefined) throw new Error("the built-in schema keeps sums");
const SUMMED = { ...USER_EVENTS, minutes };

interface Event {
  readonly time: string;
  readonly type: string;
  readonly price: string;
  readonly quantity: string;
}

function text(events: readonly Event[]): string {
  const lines = events.map(({ time, type, price, quantity }, index) => {
    const key = `00000000-0000-7000-8000-${String(index).padStart(12, "0")}`;
    const name = index % 3 === 0 ? "" : `"a ""name"" of ${"x".repeat(index % 7)}"`;
    return `${key},${time},${type},1,2,${name},${
      index % 5 === 0 ? "" : "Home"
    },${price},${quantity}`;
  });
  return [HEADER, ...lines].map((line) => line + "\n").join("");
}

Deno.test("a batch's sums by minute are worked out by hand", () => {
  const batch = csvBatch(text([
    { time: "2026-03-14T10:00:00Z", type: "view", price: "0.10", quantity: "1" },
    { time: "2026-03-14T10:00:59.999999Z", type: "purchase", price: "12.34", quantity: "3" },
    { time: "2026-03-14T10:01:00Z", type: "view", price: "0.20", quantity: "" },
    { time: "2026-03-14T10:00:30Z", type: "view", price: "0.20", quantity: "2" },
    // not to be counted
    { time: "2026-03-14T10:01:00Z", type: "view", price: "5", quantity: "1" },
  ]));
  // 2026-03-14T10:00Z is minute 29558040
  assertEquals(new MinuteCounter(SUMMED).count(batch, new Set([4])), [
    {
      eventType: "view",
      minutes: "{29558040,29558041}",
      events: "{2,1}",
      units: "{3,1}",
      // 0.10 + 2 * 0.20
      amounts: "{0.50,0.20}",
    },
    // 3 * 12.34
    {
      eventType: "purchase",
      minutes: "{29558040}",
      events: "{1}",
      units: "{3}",
      amounts: "{37.02}",
    },
  ]);
});

/** A line for each minute and type. */
function linesOf(counts: readonly MinuteCounts[]): string[] {
  const elements = (text: string) => text.slice(1, -1).split(",");
  return counts.flatMap(({ eventType, minutes, events, units, amounts }) =>
    elements(minutes).map((minute, index) =>
      `${minute} ${eventType} ` +
      [events, units, amounts].map((each) => elements(each)[index]).join()
    )
  );
}

Deno.test("sums by minute are those of PostgreSQL, over all that a row can hold", async () => {
  await using database = await testDatabase({ setUp: true });
  const loader = new RowLoader({ schema: USER_EVENTS, table: "user_events" });
  const counter = new MinuteCounter(SUMMED);
  const times = [
    "0001-01-01T00:00:00Z",
    "1700-02-28 23:59:59.5Z",
    "1969-12-31T23:59:59.999999Z",
    "1999-12-31T23:59:59.999999Z",
    "2000-01-01T00:00:00Z",
    "2285-12-31T23:59:00Z",
    "2286-01-01T00:00:00.000001Z",
    "9999-12-31T23:59:59.999999Z",
  ];
  await fuzz(20, async (random) => {
    const prices = ["0", "0.01", "0.99", "1", "9999", "9999.99", "10000", "10000.01", "123456.78"];
    const events = Array.from({ length: 200 }, (): Event => ({
      time: random.below(3) === 0
        ? random.pick(times)
        : `2026-03-14T10:${10 + random.below(4)}:00Z`,
      type: random.below(2) === 0 ? "view" : "purchase",
      price: random.below(4) === 0
        ? random.pick(["9999999999.99", "1234567890.12", "100000000"])
        : random.pick(prices),
      quantity: random.below(4) === 0 ? "2147483647" : String(1 + random.below(9)),
    }));
    const batch = csvBatch(text(events));
    const counted = linesOf(counter.count(batch, new Set()));
    await database.sql.begin(async (transaction) => {
      await transaction`delete from user_events`;
      const { minutes: told } = await loader.load(transaction, { batch, route: "copy" });
      assertEquals(told, counter.count(batch, new Set()));
    });
    const rows = await database.sql.unsafe<{ line: string }[]>(`
with there (minute, event_type, events, units, amount) as (
  ${sumMinutes({ minutes, source: "user_events" })}
)
select concat(
  extract(epoch from minute)::bigint / 60, ' ', event_type, ' ', events, ',', units, ',', amount
) as line
from there`);
    assertEquals(counted.sort(), rows.map(({ line }) => line).sort());
  });
});

Deno.test("a schema whose sums name other columns than they have to is refused", () => {
  const schema = { ...USER_EVENTS, minutes: { ...minutes, quantity: "price" } };
  assertThrows(
    () => new MinuteCounter(schema),
    TypeError,
    "schema user_events: its minutes name other columns than they have to",
  );
});
