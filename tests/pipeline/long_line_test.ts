/** A line longer than the longest record, from a pipe: it passes through, whatever else happens. */
import { assert, assertEquals } from "@std/assert";
import { ingest } from "../../src/pipeline/ingest.ts";
import {
  eventLine,
  HEADER,
  Heard,
  ingestOnce,
  ingestOptions,
  type IngestPlace,
  withPlace,
} from "../support/ingest_fixture.ts";
import { fuzz } from "../support/fuzz.ts";
import { testDatabase } from "../support/test_database.ts";

const MIB = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

async function endSessions({ database: { sql } }: IngestPlace): Promise<void> {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name like 'pgsluice%' and datname = current_database()`;
}

/** Runs of sound lines, and lines that are longer than allowed, in order. */
interface Part {
  readonly kind: "sound" | "long";
  /** Lines, or bytes. */
  readonly size: number;
}

/** The bytes, and what there is to find in them. */
function written(parts: readonly Part[]) {
  const encoder = new TextEncoder();
  const texts = [`${HEADER}\n`];
  const long: { line: number; startByte: number; endByte: number }[] = [];
  let number = 0;
  let line = 2;
  let byte = texts[0]!.length;
  for (const { kind, size } of parts) {
    if (kind === "sound") {
      for (let count = 0; count < size; count++) {
        texts.push(`${eventLine(number++)}\n`);
        byte += texts.at(-1)!.length;
      }
      line += size;
    } else {
      texts.push(`"${"0123456789abcdef,".repeat(Math.ceil(size / 17)).slice(0, size - 2)}\n`);
      long.push({ line, startByte: byte, endByte: byte + size });
      byte += size;
      line++;
    }
  }
  return { bytes: encoder.encode(texts.join("")), rowCount: number, long };
}

async function rejectsOf({ database: { sql } }: IngestPlace) {
  const rejects = await sql`
    select code, line_number::int as line, start_byte::int as "startByte",
      end_byte::int as "endByte", length(raw)::int as "rawBytes",
      convert_from(substr(raw, 1, 5), 'UTF8') as begin
    from pgsluice.rejects order by start_byte`;
  return rejects.map((reject) => ({ ...reject }));
}

function expectedRejects(long: readonly { line: number; startByte: number; endByte: number }[]) {
  return long.map((place) => ({
    code: "oversize_record",
    ...place,
    rawBytes: Math.min(8 * 1024, place.endByte - place.startByte),
    begin: '"0123',
  }));
}

/** Pipes the bytes, and ends all sessions each time one of the places is passed. */
async function pipe(
  place: IngestPlace,
  { bytes, sessionEnds, maxRecordBytes }: {
    bytes: Uint8Array;
    sessionEnds: readonly number[];
    maxRecordBytes: number;
  },
): Promise<void> {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const heard = new Heard();
  const ended = ingest(
    ingestOptions(place, {
      pipelineName: "stdin",
      source: { kind: "stream", stream: readable, sourceId: "shop" },
      limits: { rows: 50, sizeBytes: 4 * MIB, lingerMs: 1 },
      maxRecordBytes,
    }),
    heard,
  );
  await heard.until(() => heard.starts === 1);
  const writer = writable.getWriter();
  let byte = 0;
  for (const end of [...sessionEnds, bytes.length]) {
    while (byte < end) {
      const piece = bytes.slice(byte, Math.min(end, byte + PIECE_BYTES));
      await writer.write(piece);
      byte += piece.length;
    }
    if (end === bytes.length) break;
    const { starts } = heard;
    await endSessions(place);
    await heard.until(() => heard.starts > starts);
  }
  await writer.close();
  await ended;
}

/** The same stream again loads nothing, and every byte is what was hashed. */
async function assertSameAgain(
  place: IngestPlace,
  { bytes, maxRecordBytes }: { bytes: Uint8Array; maxRecordBytes: number },
): Promise<void> {
  const heard = await ingestOnce(place, {
    pipelineName: "stdin",
    source: { kind: "stream", stream: ReadableStream.from([bytes]), sourceId: "shop" },
    maxRecordBytes,
  });
  assertEquals(heard.batches.length, 0);
}

Deno.test("a long line of a stream is one reject, through sessions that end while it passes", async () => {
  await withPlace(await testDatabase(), async (place) => {
    const maxRecordBytes = MIB;
    const { bytes, rowCount, long } = written([
      { kind: "sound", size: 10 },
      { kind: "long", size: 12 * MIB },
      { kind: "sound", size: 10 },
      { kind: "long", size: 3 * MIB },
      { kind: "sound", size: 10 },
    ]);
    const [first, second] = long;
    const sessionEnds = [
      first!.startByte + 3 * MIB,
      first!.startByte + 9 * MIB,
      second!.startByte + 2 * MIB,
    ];
    await pipe(place, { bytes, sessionEnds, maxRecordBytes });
    assertEquals(await rejectsOf(place), expectedRejects(long));
    const [row] = await place.database.sql`select count(*)::int as count from user_events`;
    assertEquals(row!.count, rowCount);
    await assertSameAgain(place, { bytes, maxRecordBytes });
  });
});

Deno.test("long lines of a stream are one reject each, wherever sessions end", async () => {
  await fuzz(2, async (random) => {
    const maxRecordBytes = random.pick([100, 20_000, 300_000]);
    const parts = Array.from(
      { length: 1 + random.below(6) },
      (): Part =>
        random.below(2) === 0
          ? { kind: "sound", size: random.below(2_000) }
          : { kind: "long", size: 200_000 + maxRecordBytes + random.below(2 * MIB) },
    );
    // sound lines are longer than the smallest limit
    const isSound = maxRecordBytes > 1_000;
    const { bytes, rowCount, long } = written(
      isSound ? parts : parts.filter(({ kind }) => kind === "long"),
    );
    const sessionEnds = Array.from({ length: random.below(4) }, () => random.below(bytes.length));
    await withPlace(await testDatabase(), async (place) => {
      await pipe(place, {
        bytes,
        sessionEnds: sessionEnds.toSorted((a, b) => a - b),
        maxRecordBytes,
      });
      assertEquals(await rejectsOf(place), expectedRejects(long));
      const [row] = await place.database.sql`select count(*)::int as count from user_events`;
      assertEquals(row!.count, rowCount);
      assert(bytes.length > 0);
      await assertSameAgain(place, { bytes, maxRecordBytes });
    });
  });
});
