import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Random } from "../../src/generate/random.ts";
import { isTimeZone, TimeZone, timeZoneNamed } from "../../src/schema/time_zone.ts";

const DAY_SECONDS = 86_400;
/** Zones with changes by an hour, by half an hour, by a whole day, and offsets with seconds. */
const ZONES = [
  "UTC",
  "Etc/GMT+5",
  "Europe/Berlin",
  "Europe/Dublin",
  "America/New_York",
  "America/St_Johns",
  "Africa/Casablanca",
  "Africa/Monrovia",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Apia",
];

/** What `Intl` says the clocks show, as if it were UTC, in seconds since 1970. */
function shownTime(format: Intl.DateTimeFormat, epochSeconds: number): number {
  const parts = Object.fromEntries(
    format.formatToParts(epochSeconds * 1000).map(({ type, value }) => [type, Number(value)]),
  ) as Record<string, number>;
  const { year, month, day, hour, minute, second } = parts;
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) / 1000;
}

/** Instants spread over two centuries, and on both sides of changes of the offset. */
function instants(timeZone: string, random: Random): number[] {
  const found: number[] = [];
  let at = Temporal.Instant.from("1870-01-01T00:00Z").toZonedDateTimeISO(timeZone);
  for (let count = 0; count < 150; count++) {
    const change = at.getTimeZoneTransition("next");
    if (change === null) break;
    const seconds = change.epochMilliseconds / 1000;
    for (const by of [-DAY_SECONDS, -3_600, -1, 0, 1, 1_800, DAY_SECONDS]) found.push(seconds + by);
    at = change;
  }
  for (let count = 0; count < 500; count++) {
    found.push(-3_155_760_000 + Math.floor(random.fraction() * 6_311_520_000));
  }
  // not in order, as files may have them
  return found.map((seconds) => ({ seconds, rank: random.fraction() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ seconds }) => seconds);
}

Deno.test("offsets are those that Intl shows", () => {
  const random = new Random(1, 0);
  for (const name of ZONES) {
    const zone = new TimeZone(name);
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    for (const seconds of instants(name, random)) {
      const what = `${name} at ${seconds}`;
      assertEquals(seconds + zone.offsetAt(seconds), shownTime(format, seconds), what);
    }
  }
});

Deno.test("a local time is the earlier of its instants, or skipped, as Temporal has it", () => {
  const random = new Random(2, 0);
  const kinds = new Set<string>();
  for (const name of ZONES) {
    const zone = new TimeZone(name);
    for (const seconds of instants(name, random)) {
      const local = seconds + (random.below(2) === 0 ? zone.offsetAt(seconds) : 3_600);
      const clock = Temporal.Instant.fromEpochMilliseconds(local * 1000)
        .toZonedDateTimeISO("UTC").toPlainDateTime();
      const [earlier, later] = (["earlier", "later"] as const).map((disambiguation) =>
        clock.toZonedDateTime(name, { disambiguation })
      ) as [Temporal.ZonedDateTime, Temporal.ZonedDateTime];
      const isSkipped = !earlier.toPlainDateTime().equals(clock);
      const isTwice = earlier.epochMilliseconds !== later.epochMilliseconds;
      const what = `${clock} in ${name}`;
      assertEquals(zone.instantOf(local), isSkipped ? NaN : earlier.epochMilliseconds / 1000, what);
      assertEquals(zone.kind, isSkipped ? "skipped" : isTwice ? "ambiguous" : "plain", what);
      kinds.add(zone.kind);
    }
  }
  assertEquals([...kinds].sort(), ["ambiguous", "plain", "skipped"]);
});

Deno.test("a zone met at thousands of years remembers only some of it, and stays right", () => {
  const zone = new TimeZone("Europe/Berlin");
  for (let year = 1970; year < 4000; year++) {
    const midsummer = Date.UTC(year, 6, 1) / 1000;
    const midwinter = Date.UTC(year, 0, 1) / 1000;
    const isBefore = year < 1980; // without summer time
    assertEquals(zone.offsetAt(midsummer), isBefore ? 3_600 : 7_200, `summer ${year}`);
    assertEquals(zone.offsetAt(midwinter), 3_600, `winter ${year}`);
  }
});

Deno.test("names of the IANA database are time zones, offsets and other words are not", () => {
  for (const name of ["UTC", "Europe/Berlin", "europe/berlin", "Etc/GMT+5"]) {
    assertEquals(isTimeZone(name), true, name);
  }
  for (const name of ["", "+02:00", "-05", "Europe/Atlantis", "Berlin", "UTC+2"]) {
    assertEquals(isTimeZone(name), false, name);
  }
});

Deno.test("a zone is one for all who ask for its name, and none has no name of a zone", () => {
  assertStrictEquals(timeZoneNamed("Europe/Berlin"), timeZoneNamed("Europe/Berlin"));
  assertEquals(timeZoneNamed("Asia/Tokyo").offsetAt(0), 9 * 3_600);
  for (let times = 0; times < 2; times++) {
    assertThrows(() => timeZoneNamed("Europe/Atlantis"), RangeError);
  }
});
