import { assert, assertEquals } from "@std/assert";
import type { Random } from "../../src/generate/random.ts";
import { TupleBuffer } from "../../src/schema/tuple_buffer.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { LATIN1 } from "../csv/scan_all.ts";
import { fuzz, isUsualFuzz } from "../support/fuzz.ts";
import { HEADER } from "../support/ingest_fixture.ts";
import { mutatedCsv } from "../support/mutated_csv.ts";
import { decodeCsv, type DecodeCsvOptions, type Reuse } from "./decode_csv.ts";

/** One occurs twice in Berlin, one does not exist there. */
const TIMES = ["2026-10-25 02:30:00", "2026-03-29 02:30:00", "2026-03-14 10:00:00"];

/** Files of two headers, some without the key, with blank lines before or not. */
function oddFile(random: Random): Uint8Array {
  const file = mutatedCsv(random, { records: random.below(12), keepBytes: HEADER.length + 10 });
  if (random.below(3) > 0) return file;
  const text = new TextDecoder("latin1").decode(file)
    .replaceAll(/2026-03-14T10:[0-9]{2}:[0-9]{2}Z/g, () => random.pick(TIMES));
  const before = random.pick(["", "\n"]);
  const renamed = text.replace("event_id", "colour  ").replace(/^(?=[a-z])/, before);
  return Uint8Array.from(renamed, (character) => character.charCodeAt(0));
}

/** All that does not depend on how it was cut. */
function outcome(bytes: Uint8Array, options: DecodeCsvOptions) {
  const { tuples, rejects, ambiguousTimes, headerStarts } = decodeCsv(bytes, options);
  const { rowCount } = tuples;
  return {
    tuples: LATIN1.decode(tuples.finish()),
    rowCount,
    rejects,
    ambiguousTimes,
    headerStarts,
  };
}

Deno.test("files read one after the other with one scanner and decoder are as read with new ones", async () => {
  const tuples = new TupleBuffer();
  const reuse: Reuse = { tuples };
  let sameCount = 0;
  await fuzz(500, (random) => {
    const bytes = oddFile(random);
    const mostBytes = random.pick([40, 5_000]);
    const seed = random.below(256);
    const options = {
      schema: USER_EVENTS,
      timeZone: "Europe/Berlin",
      derivedKeyPrefix: Uint8Array.from({ length: 12 }, (_, index) => seed ^ (17 * index)),
      fileId: random.pick([1, 2 ** 31, 2 ** 40]) + seed,
    };
    const before = reuse.decoder;
    const chunkBytes = () => 1 + random.below(mostBytes);
    const found = outcome(bytes, { ...options, reuse, chunkBytes });
    if (reuse.decoder === before) sameCount++;
    const expected = outcome(bytes, { ...options, reuse: { tuples } });
    assertEquals(found, expected, JSON.stringify(LATIN1.decode(bytes)));
  });
  if (isUsualFuzz()) assert(sameCount > 100, `only ${sameCount} decoders were used again`);
});
