import { assert, assertEquals } from "@std/assert";
import type { RecordScanner } from "../../src/csv/record_scanner.ts";
import type { Random } from "../../src/generate/random.ts";
import { derivedKeyPrefix } from "../../src/schema/derived_key_prefix.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { fuzz, isUsualFuzz } from "../support/fuzz.ts";
import { HEADER } from "../support/ingest_fixture.ts";
import { mutatedCsv } from "../support/mutated_csv.ts";
import { decodeCsv, type DecodeCsvOptions } from "./decode_csv.ts";
import { readAsVerify, type VerifyRecord } from "./read_as_verify.ts";
import { readTuples } from "./read_tuples.ts";

const FILE = { pipelineName: "fuzz", path: "a.csv" };
const DAY_SECONDS = 86_400;
/** Days from 1970 to 2000, where PostgreSQL's dates begin. */
const POSTGRES_EPOCH_DAYS = 10_957;
const MAX_RECORD_BYTES = 1024 * 1024;

/** A tuple's value as verify writes it. */
function verifyText(name: string, value: string | null): string | null {
  if (value === null) return null;
  switch (name) {
    case "event_timestamp": {
      const micros = BigInt(value);
      const seconds = (micros < 0n ? -micros : micros) / 1_000_000n;
      const rest = String((micros < 0n ? -micros : micros) % 1_000_000n).padStart(6, "0");
      return `${micros < 0n ? "-" : ""}${seconds}.${rest}`;
    }
    case "event_date":
      return String((Number(value) + POSTGRES_EPOCH_DAYS) * DAY_SECONDS);
    default:
      return value;
  }
}

/** What the ingester makes of the bytes, in the words of verify. */
function decodeAsVerify(bytes: Uint8Array, options: Omit<DecodeCsvOptions, "schema" | "onRecord">) {
  const places: Pick<VerifyRecord, "startByte" | "endByte" | "lineNumber">[] = [];
  const { tuples, rejects, headerStarts } = decodeCsv(bytes, {
    ...options,
    schema: USER_EVENTS,
    derivedKeyPrefix: derivedKeyPrefix(FILE.pipelineName, { path: FILE.path, generation: 1 }),
    onRecord: ({ startByte, endByte, lineNumber }: RecordScanner) => {
      places.push({ startByte, endByte, lineNumber });
    },
  });
  const rows = readTuples(tuples.finish(), USER_EVENTS);
  const names = [...USER_EVENTS.columns, ...USER_EVENTS.derived].map(({ name }) => name);
  let row = 0;
  const records = places.map((place, index) => {
    const tuple = rejects[index] === null ? rows[row++]! : null;
    const texts = tuple && names.map((name) => verifyText(name, tuple.get(name)!));
    return { ...place, texts };
  });
  assertEquals(row, rows.length);
  return { records, headerStarts };
}

/**
 * With a header of its own, so that both ways to decode are met, which comes again among the
 * records, or nearly.
 */
function withHeaders(bytes: Uint8Array, random: Random): Uint8Array {
  const names = HEADER.split(",");
  const header = random.pick([
    HEADER,
    HEADER,
    HEADER.toUpperCase(),
    HEADER.replace("event_id", '"event_id"'),
    ["price", ...names.filter((name) => name !== "price" && name !== "event_id"), "x"].join(","),
  ]);
  const again = random.pick([header, header, HEADER.toLowerCase(), `${header} `, `"${header}"`]);
  const body = bytes.subarray(bytes.indexOf(0x0a) + 1);
  const at = body.indexOf(0x0a, random.below(body.length)) + 1;
  const headerEnd = random.pick(["\n", "\r\n"]);
  const againEnd = random.pick(["\n", "\r\n", "\r\r\n", ""]);
  const encoder = new TextEncoder();
  return new Uint8Array([
    ...encoder.encode(header + headerEnd),
    ...body.subarray(0, at),
    ...encoder.encode(again + againEnd),
    ...body.subarray(at),
  ]);
}

Deno.test("what is decoded of mutated CSV is what verify reads in it, however it is cut", async () => {
  const met = { rows: 0, rejects: 0, headers: 0 };
  await fuzz(300, async (random) => {
    const timeZone = random.pick(["UTC", "Europe/Berlin"]);
    const mutated = mutatedCsv(random, { records: 1 + random.below(30), keepBytes: 200 });
    const bytes = withHeaders(mutated, random);
    const text = () => JSON.stringify({ timeZone, bytes: [...bytes] });
    const expected = await readAsVerify(bytes, {
      ...FILE,
      timeZone,
      maxRecordBytes: MAX_RECORD_BYTES,
    });
    const expectedRecords = expected.filter(({ isHeader }) => !isHeader)
      .map(({ isHeader: _, ...record }) => record);
    const expectedHeaders = expected.filter(({ isHeader }) => isHeader)
      .map(({ startByte }) => startByte);
    const most = random.pick([2, 40, 5_000]);
    for (const chunkBytes of [() => MAX_RECORD_BYTES, () => 1 + random.below(most)]) {
      for (const plain of [true, false]) {
        const found = decodeAsVerify(bytes, { timeZone, plain, chunkBytes });
        assertEquals(found.records, expectedRecords, text());
        assertEquals(found.headerStarts, expectedHeaders, text());
      }
    }
    const rejects = expectedRecords.filter(({ texts }) => texts === null).length;
    met.rejects += rejects;
    met.rows += expectedRecords.length - rejects;
    met.headers += expectedHeaders.length;
  });
  // it proves little if one fate is rare
  if (!isUsualFuzz()) return;
  assert(met.rows > 1_000 && met.rejects > 300 && met.headers > 10, JSON.stringify(met));
});
