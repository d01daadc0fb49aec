import { assert, assertEquals } from "@std/assert";
import { RecordScanner } from "../../src/csv/record_scanner.ts";
import { applicableDefects, DEFECT_KINDS } from "../../src/generate/defects.ts";
import { RecordStream } from "../../src/generate/record_stream.ts";
import { RowBuffer } from "../../src/generate/row_buffer.ts";
import { mapHeader } from "../../src/schema/header_mapping.ts";
import { RecordDecoder } from "../../src/schema/record_decoder.ts";
import type { Schema, SourceColumn } from "../../src/schema/schema.ts";
import { TupleBuffer } from "../../src/schema/tuple_buffer.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";

interface Generated {
  /** Header and records. */
  readonly bytes: Uint8Array;
  /** Where each record ends, and what is wrong with it, if anything. */
  readonly records: readonly { readonly endByte: number; readonly defect: string | null }[];
}

function generate(
  schema: Schema,
  { events, dirtyPercent }: { events: number; dirtyPercent: number },
): Generated {
  const stream = new RecordStream({
    schema,
    seed: 11,
    startMs: Date.parse("2026-03-14T00:00:00Z"),
    dirtyPercent,
    duplicatesPercent: 5,
  });
  const out = new RowBuffer(1024);
  out.writeBytes(stream.header);
  let before: Record<string, number> = {};
  const records = Array.from({ length: events }, () => {
    stream.write(out);
    const now = stream.defects;
    const defect = Object.keys(now).find((kind) => now[kind] !== before[kind]) ?? null;
    before = now;
    return { endByte: out.length, defect };
  });
  return { bytes: out.written(), records };
}

interface Judged {
  readonly endByte: number;
  /** Why it was rejected; null if it was accepted. */
  readonly code: string | null;
}

/** What the ingester's own scanner and decoder make of the bytes. */
function judge(schema: Schema, input: Uint8Array): Judged[] {
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: 1024 * 1024 });
  const rows = new TupleBuffer();
  let decoder: RecordDecoder | null = null;
  const judged: Judged[] = [];
  for (let given = 0;;) {
    const step = scanner.next(given === input.length);
    if (step === "end") return judged;
    if (step === "more") {
      assert(given < input.length, "the scanner asks for more than there is");
      const room = scanner.room();
      const chunk = input.subarray(given, given + room.length);
      room.set(chunk);
      scanner.grow(chunk.length);
      given += chunk.length;
      continue;
    }
    if (decoder === null) {
      const header = mapHeader(schema, scanner);
      assert(header.ok, "the header is the schema's");
      decoder = new RecordDecoder({
        schema,
        mapping: header.mapping,
        timeZone: "UTC",
        derivedKeyPrefix: new Uint8Array(10),
        fileId: 1,
      });
      continue;
    }
    const code = step === "malformed"
      ? scanner.problem.code
      : decoder.decode(scanner, rows)?.code ?? null;
    judged.push({ endByte: scanner.endByte, code });
  }
}

function assertJudgedRightly(schema: Schema, { bytes, records }: Generated): void {
  const judged = judge(schema, bytes);
  const wrong = records.findIndex(({ endByte, defect }, index) =>
    judged[index]?.endByte !== endByte || (judged[index].code === null) !== (defect === null)
  );
  if (wrong !== -1) {
    const line = bytes.subarray(records[wrong - 1]?.endByte ?? 0, records[wrong]!.endByte);
    assert(
      false,
      `record ${wrong}, defect ${records[wrong]!.defect}, was judged ` +
        `${JSON.stringify(judged[wrong])}: ${new TextDecoder().decode(line.subarray(0, 300))}`,
    );
  }
  assertEquals(judged.length, records.length);
}

Deno.test("each defective row is exactly one reject, and no other row is one", () => {
  const generated = generate(USER_EVENTS, { events: 120_000, dirtyPercent: 5 });
  const found = new Set(generated.records.map(({ defect }) => defect));
  assertEquals(
    DEFECT_KINDS.map(({ name }) => name).filter((name) => !found.has(name)),
    [],
    "kinds that did not occur",
  );
  assertJudgedRightly(USER_EVENTS, generated);
});

Deno.test("defective rows side by side are one reject each", () => {
  assertJudgedRightly(USER_EVENTS, generate(USER_EVENTS, { events: 20_000, dirtyPercent: 90 }));
});

Deno.test("an oversize record comes at most once in 100,000 events", () => {
  const { records } = generate(USER_EVENTS, { events: 320_000, dirtyPercent: 2 });
  const places = records.flatMap(({ defect }, place) =>
    defect === "oversize_record" ? [place] : []
  );
  assertEquals(places.length, 3);
  places.forEach((place, index) => assert(place - (places[index - 1] ?? 0) >= 100_000));
});

Deno.test("defects follow the schema", () => {
  const key: SourceColumn = { name: "id", type: "uuid", presence: "required", description: "" };
  const schemas: Record<string, Schema> = {
    "columns in another order": { ...USER_EVENTS, columns: USER_EVENTS.columns.toReversed() },
    "only a key": { ...USER_EVENTS, columns: [key], derived: [], key: "id", indexes: [] },
    "no texts": {
      ...USER_EVENTS,
      columns: USER_EVENTS.columns.filter(({ type }) => type !== "text"),
    },
  };
  for (const schema of Object.values(schemas)) {
    assertJudgedRightly(schema, generate(schema, { events: 2_000, dirtyPercent: 30 }));
  }
  assertEquals(
    applicableDefects(schemas["only a key"]!.columns).map(({ kind }) => kind.name),
    ["not_a_uuid", "long_row"],
  );
});
