/** Scanner and decoder as the ingester uses them, without the ingester around them. */
import type { CsvRecord } from "../../src/csv/record.ts";
import { RecordScanner } from "../../src/csv/record_scanner.ts";
import { mapHeader } from "../../src/schema/header_mapping.ts";
import { RecordDecoder } from "../../src/schema/record_decoder.ts";
import { TupleBuffer } from "../../src/schema/tuple_buffer.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";

/** Rows of a batch. */
export const BATCH_ROWS = 20_000;

export interface EncodeOptions {
  readonly fileId: number;
  /**
   * Takes the COPY input of up to `BATCH_ROWS` rows, which is overwritten once it resolves.
   */
  onBatch(bytes: Uint8Array): Promise<void>;
}

/** @throws if a record is rejected */
export async function encodeFile(
  path: string,
  { fileId, onBatch }: EncodeOptions,
): Promise<void> {
  using file = await Deno.open(path);
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: 1024 * 1024 });
  const tuples = new TupleBuffer();
  let decoder: RecordDecoder | null = null;
  let isAtEnd = false;
  for (;;) {
    if (tuples.rowCount === BATCH_ROWS) {
      await onBatch(tuples.finish());
      tuples.reset();
    }
    if (decoder?.decodePlain(scanner, tuples)) continue;
    const step = scanner.next(isAtEnd);
    if (step === "end") break;
    if (step === "more") {
      const readBytes = await file.read(scanner.room());
      if (readBytes === null) isAtEnd = true;
      else scanner.grow(readBytes);
    } else if (decoder === null) {
      decoder = decoderFor(scanner, fileId);
    } else {
      const reject = decoder.decode(scanner, tuples);
      if (step === "malformed" || reject !== null) throw new Error(reject?.reason ?? step);
    }
  }
  if (tuples.rowCount > 0) await onBatch(tuples.finish());
}

function decoderFor(header: CsvRecord, fileId: number): RecordDecoder {
  const result = mapHeader(USER_EVENTS, header);
  if (!result.ok) throw new Error(result.reason);
  return new RecordDecoder({
    schema: USER_EVENTS,
    mapping: result.mapping,
    timeZone: "UTC",
    derivedKeyPrefix: new Uint8Array(10),
    fileId,
  });
}
