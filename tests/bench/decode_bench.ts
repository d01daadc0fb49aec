/** Scan, validate, derive and encode on one core, without a database, against parsing alone. */
import { parse } from "@std/csv";
import { RecordScanner } from "../../src/csv/record_scanner.ts";
import { generateEvents } from "../../src/generate/generate_events.ts";
import { type HeaderMapping, mapHeader } from "../../src/schema/header_mapping.ts";
import { RecordDecoder } from "../../src/schema/record_decoder.ts";
import { TupleBuffer } from "../../src/schema/tuple_buffer.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { BenchRow } from "./bench_row.ts";
import { formatRatio, interleaved, ratioOf } from "./rounds.ts";

const ROWS_GOAL = 2_000_000;
const RATIO_GOAL = 8;
/** As the ingester reads. */
const READ_BYTES = 256 * 1024;
/** As the ingester cuts. */
const BATCH_ROWS = 20_000;
/** Decoded in so short a time that many a run is not disturbed by what else the machine does. */
const EVENTS = 40_000;
/** Of each round; the fastest counts. They take about as long on both sides. */
const DECODES = 40;
const PARSES = 4;
const LEAST_ROUNDS = 5;

export async function decodeBench(options: { rounds: number }): Promise<BenchRow[]> {
  const bytes = await generated(EVENTS);
  const text = new TextDecoder().decode(bytes);
  fastest(DECODES, () => decodeAll(bytes)); // compiles it
  const { first: decodeMs, second: parseMs } = await interleaved(
    Math.max(LEAST_ROUNDS, options.rounds),
    {
      first: () => Promise.resolve(fastest(DECODES, () => decodeAll(bytes))),
      second: () => Promise.resolve(fastest(PARSES, () => parse(text).length - 1)),
    },
  );
  const ratio = ratioOf(parseMs, decodeMs);
  const rate = EVENTS / Math.min(...decodeMs) * 1000;
  const megabytes = bytes.length / Math.min(...decodeMs) / 1000;
  const parseRate = EVENTS / Math.min(...parseMs) * 1000;
  return [{
    name: `decode, validate, derive, encode ${EVENTS} events, one core`,
    goal: `${ROWS_GOAL} rows/s or more, ${RATIO_GOAL}x @std/csv parse alone`,
    figure: `${Math.round(rate)} rows/s, ${megabytes.toFixed(0)} MB/s`,
    ratio: formatRatio(ratio),
    baseline: `@std/csv parse, ${Math.round(parseRate)} rows/s`,
    met: rate >= ROWS_GOAL && ratio.median >= RATIO_GOAL,
  }];
}

async function generated(events: number): Promise<Uint8Array> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  await generateEvents({
    events,
    rowsPerFile: events,
    seed: 1,
    start: new Date("2026-03-14T00:00:00Z"),
    dirtyPercent: 0,
    duplicatesPercent: 0,
    schema: USER_EVENTS,
    output: {
      kind: "stream",
      write: (bytes) => {
        pieces.push(bytes.slice());
        return Promise.resolve();
      },
    },
  });
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function decodeAll(bytes: Uint8Array): number {
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: 1024 * 1024 });
  const tuples = new TupleBuffer();
  let decoder: RecordDecoder | null = null;
  let rows = 0;
  for (let given = 0;;) {
    if (decoder?.decodePlain(scanner, tuples)) {
      if (++rows % BATCH_ROWS === 0) tuples.reset();
      continue;
    }
    const step = scanner.next(given === bytes.length);
    if (step === "end") return rows;
    if (step === "more") {
      const piece = bytes.subarray(given, given + Math.min(READ_BYTES, scanner.room().length));
      scanner.room().set(piece);
      scanner.grow(piece.length);
      given += piece.length;
    } else if (decoder === null) {
      decoder = makeDecoder(headerOf(scanner));
    } else {
      const reject = decoder.decode(scanner, tuples);
      if (step === "malformed" || reject !== null) throw new Error(reject?.reason ?? step);
      if (++rows % BATCH_ROWS === 0) tuples.reset();
    }
  }
}

function headerOf(scanner: RecordScanner): HeaderMapping {
  const result = mapHeader(USER_EVENTS, scanner);
  if (!result.ok) throw new Error(result.reason);
  return result.mapping;
}

function makeDecoder(mapping: HeaderMapping): RecordDecoder {
  return new RecordDecoder({
    schema: USER_EVENTS,
    mapping,
    timeZone: "UTC",
    derivedKeyPrefix: new Uint8Array(10),
    fileId: 1,
  });
}

/** @returns ms @throws if a run did not meet every event */
function fastest(times: number, run: () => number): number {
  let best = Infinity;
  for (let time = 0; time < times; time++) {
    const startedMs = performance.now();
    const rows = run();
    best = Math.min(best, performance.now() - startedMs);
    if (rows !== EVENTS) throw new Error(`${rows} rows of ${EVENTS}`);
  }
  return best;
}
