/** Scan, validate, derive and encode on one core, without a database, against parsing alone. */
import { parse } from "@std/csv";
import { RecordScanner } from "../../src/csv/record_scanner.ts";
import { generateEvents } from "../../src/generate/generate_events.ts";
import { type HeaderMapping, mapHeader } from "../../src/schema/header_mapping.ts";
import { RecordDecoder } from "../../src/schema/record_decoder.ts";
import { TupleBuffer } from "../../src/schema/tuple_buffer.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { BenchRow } from "./bench_row.ts";

const ROWS_GOAL = 2_000_000;
const RATIO_GOAL = 8;
/** As the ingester reads. */
const READ_BYTES = 256 * 1024;
/** As the ingester cuts. */
const BATCH_ROWS = 20_000;

export async function decodeBench(options: { quick: boolean }): Promise<BenchRow[]> {
  const events = options.quick ? 200_000 : 500_000;
  const bytes = await generated(events);
  decodeAll(bytes); // compiles it
  const decodeMs = fastest(3, () => {
    const rows = decodeAll(bytes);
    if (rows !== events) throw new Error(`decoded ${rows} rows of ${events}`);
  });
  const text = new TextDecoder().decode(bytes);
  const parseMs = fastest(1, () => {
    const rows = parse(text).length - 1;
    if (rows !== events) throw new Error(`@std/csv parsed ${rows} rows of ${events}`);
  });
  const rate = events / decodeMs * 1000;
  const ratio = parseMs / decodeMs;
  const megabytes = bytes.length / decodeMs / 1000;
  return [{
    name: `decode, validate, derive, encode ${events} events, one core`,
    goal: `${ROWS_GOAL} rows/s or more, ${RATIO_GOAL}x @std/csv parse alone`,
    figure: `${Math.round(rate)} rows/s, ${megabytes.toFixed(0)} MB/s`,
    ratio: `${ratio.toFixed(1)}x @std/csv`,
    met: rate >= ROWS_GOAL && ratio >= RATIO_GOAL,
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

function fastest(times: number, run: () => void): number {
  let best = Infinity;
  for (let time = 0; time < times; time++) {
    const startedMs = performance.now();
    run();
    best = Math.min(best, performance.now() - startedMs);
  }
  return best;
}
