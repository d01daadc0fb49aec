import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { verifyPipeline } from "../../src/verify/verify_pipeline.ts";
import { folderSource, ingestOnce, withPlace } from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { randomBelow } from "./random.ts";

/** Zones with changes by an hour, by half an hour, by a whole day, and offsets with seconds. */
const TIME_ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/St_Johns",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Africa/Monrovia",
  "Asia/Kathmandu",
];
const RECORDS = 1_500;

/** Values by column that are right, wrong, or nearly one or the other. */
const VALUES: Record<string, readonly string[]> = {
  event_type: ["view", "purchase", "view", "purchase", "view ", "View", ""],
  user_id: [
    "1",
    "+2",
    "007",
    "9223372036854775807",
    " 5\t",
    "9223372036854775808",
    "0",
    "-1",
    "1.0",
  ],
  product_id: ["3", "4", "00000000000000000000000000005", "9007199254740993", "", "6e1"],
  product_name: [
    "",
    "Lamp",
    " Lamp ",
    '"5"" lamp"',
    '5" lamp',
    '"a,\r\nb"',
    "Café 🛋",
    "\xff",
    "a\0",
  ],
  category: ["Home", "", '""', '"\n"', "\xef\xbb\xbf", "NULL", "\\N"],
  price: [
    "0",
    "12.5",
    "12.500",
    ".5",
    "5.",
    "9999999999.99",
    "10000000000",
    "1.005",
    "-0",
    "-1",
    "x",
  ],
  quantity: ["1", "", " ", "2147483647", "2147483648", "0", "2"],
};

/** Around changes of the clock in the zones above, and anywhere. */
const DAYS = [
  "2026-03-29",
  "2026-10-25",
  "2026-04-05",
  "2026-10-04",
  "2011-12-29",
  "2011-12-30",
  "2011-12-31",
  "1972-01-06",
  "1972-01-07",
  "1985-12-31",
  "1986-01-01",
  "1900-02-29",
  "1899-12-31",
  "2024-02-29",
  "0001-01-01",
  "9999-12-31",
];
const ZONES = ["", "", "", "Z", " UTC", "+05:30", "-0930", "+14", " +00:00", "+24:00", "CET"];
const FRACTIONS = ["", ".5", ",000001", ".123456000", ".1234567", "."];

type Random = (below: number) => number;

function timestamp(random: Random): string {
  const pick = (texts: readonly string[]) => texts[random(texts.length)]!;
  const two = (below: number) => String(random(below)).padStart(2, "0");
  switch (random(12)) {
    case 0:
      return pick(["0", "-1", "1769860800", "1769860800123", "99999999999", "100000000000", "1e9"]);
    case 1:
      return pick(["", "yesterday", "2026-03-29", "29.03.2026 01:30", "2026-03-29T24:00:00Z"]);
    default: {
      const seconds = random(4) === 0 ? "" : `:${two(61)}${random(3) === 0 ? pick(FRACTIONS) : ""}`;
      const hour = random(3) === 0 ? two(25) : two(5);
      return `${pick(DAYS)}${pick(["T", " ", "t"])}${hour}:${two(60)}${seconds}${pick(ZONES)}`;
    }
  }
}

/** One character a byte. The header's order and names, and what it has, follow from the seed. */
function randomCsv(seed: number): string {
  const random = randomBelow(seed);
  const hasKey = random(2) === 0;
  const columns = USER_EVENTS.columns
    .filter(({ name }) => hasKey || name !== USER_EVENTS.key)
    .map((column) => ({ column, rank: random(1_000) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ column }) => column);
  const header = columns.map(({ name, aliases = [] }) => {
    const names = [name, name.toUpperCase(), ` ${name}`, ...aliases];
    return names[random(names.length)]!;
  });
  const lineEnd = () => ["\n", "\r\n"][random(2)]!;
  const hex = (digits: number) => random(16 ** digits).toString(16).padStart(digits, "0");
  const key = () => `${hex(6)}${hex(2)}-${hex(4)}-7${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`;
  const earlier: string[] = [];
  const lines = Array.from({ length: RECORDS }, () => {
    if (random(30) === 0) return ["", header.join(","), '"open', '"a"b', "1,2"][random(5)]!;
    if (random(10) === 0 && earlier.length > 0) return earlier[random(earlier.length)]!;
    const fields = columns.map(({ name }) => {
      if (name === USER_EVENTS.key) return random(20) === 0 ? ["", "x"][random(2)]! : key();
      if (name === "event_timestamp") return timestamp(random);
      const values = VALUES[name]!;
      // most fields are right, so that a record has a chance
      return values[random(4) === 0 ? random(values.length) : 0]!;
    });
    const line = fields.join(",");
    earlier.push(line);
    return line;
  });
  const bytesOf = (text: string) =>
    // what is beyond Latin-1 goes in as the bytes of its UTF-8
    text.replace(/[^\0-\xff]|é/gu, (character) =>
      String.fromCharCode(...new TextEncoder().encode(character)));
  return bytesOf([header.join(","), ...lines].map((line) => line + lineEnd()).join(""));
}

Deno.test("what is ingested of random records is what verify reads in them, in every time zone", async () => {
  await withPlace(await testDatabase(), async (place) => {
    const totals = { loaded: 0, rejected: 0, duplicate: 0 };
    for (const [index, timeZone] of TIME_ZONES.entries()) {
      const directory = join(place.home, `zone${index}`);
      await Deno.mkdir(directory);
      for (const part of [1, 2, 3]) {
        const text = randomCsv(100 * index + part);
        const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
        await Deno.writeFile(join(directory, `${part}.csv`), bytes);
      }
      const pipelineName = `zone${index}`;
      await ingestOnce(place, {
        pipelineName,
        timeZone,
        source: folderSource(place, { directory }),
        limits: { rows: 400, sizeBytes: 40_000, lingerMs: 20 },
      });
      const report = await verifyPipeline({
        sql: place.database.sql,
        schema: USER_EVENTS,
        pipeline: pipelineName,
      });
      assertEquals(report.files.flatMap((file) => file.differences), [], timeZone);
      assertEquals(report.summary.startsWith("verified: "), true, report.summary);
      assertEquals(report.files.map(({ verdict }) => verdict), ["exact", "exact", "exact"]);
      totals.loaded += report.loaded;
      totals.rejected += report.rejected;
      totals.duplicate += report.duplicate;
    }
    // it proves little if one fate is rare
    for (const [fate, count] of Object.entries(totals)) assert(count > 200, `${count} ${fate}`);
  });
});
