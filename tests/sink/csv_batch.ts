import { RecordScanner } from "../../src/csv/record_scanner.ts";
import { scanBytes } from "../../src/csv/scan_bytes.ts";
import { mapHeader } from "../../src/schema/header_mapping.ts";
import { RecordDecoder } from "../../src/schema/record_decoder.ts";
import type { Schema } from "../../src/schema/schema.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { Batch, emptySegment } from "../../src/sink/batch.ts";

/** A batch of all records of a CSV, none of which may be a reject. */
export function csvBatch(
  text: string,
  { fileId = 1, schema = USER_EVENTS }: { fileId?: number; schema?: Schema } = {},
): Batch {
  const batch = new Batch();
  const segment = emptySegment({
    fileId,
    path: `${fileId}.csv`,
    generation: 1,
    revision: 0,
    readByte: 0,
    readLine: 0,
  });
  batch.segments.push(segment);
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: 1024 * 1024 });
  const bytes = new TextEncoder().encode(text);
  let decoder: RecordDecoder | null = null;
  for (const step of scanBytes(scanner, { bytes, atEnd: true })) {
    if (decoder === null) {
      const header = mapHeader(schema, scanner);
      if (!header.ok) throw new Error(header.reason);
      decoder = new RecordDecoder({
        schema,
        mapping: header.mapping,
        timeZone: "UTC",
        derivedKeyPrefix: new Uint8Array(10),
        fileId,
      });
      continue;
    }
    const reject = decoder.decode(scanner, batch.tuples);
    if (step === "malformed" || reject !== null) throw new Error(reject?.reason ?? step);
    batch.addRow(segment, scanner);
  }
  return batch;
}
