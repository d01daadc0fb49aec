import { RecordScanner } from "../csv/record_scanner.ts";
import { type HeaderMapping, isRepeatedHeader, mapHeader } from "../schema/header_mapping.ts";
import { RecordDecoder } from "../schema/record_decoder.ts";
import { TupleBuffer } from "../schema/tuple_buffer.ts";
import type { ByteSource } from "../source/byte_source.ts";
import { FileFault, headerFault, type Meaning } from "./file_cursor.ts";
import type { RejectCounts } from "./reject_budget.ts";

/**
 * Reads [fromByte, limitByte) of a file as loading it would, without the database: what that will
 * reject of itself is not known.
 * @param options.fromByte begins where a record does
 * @param options.mapping of the file's header; null if that is still to be read, as at byte 0
 * @param options.isEnd the file ends at `limitByte`, so that a last record without newline is one
 * @returns null if the signal came first
 * @throws FileFault if the header is not one of this schema
 */
export async function validateFile(
  source: ByteSource,
  { fromByte, limitByte, isEnd, meaning, mapping, signal }: {
    fromByte: number;
    limitByte: number;
    isEnd: boolean;
    meaning: Meaning;
    mapping: HeaderMapping | null;
    signal: AbortSignal;
  },
): Promise<RejectCounts | null> {
  const scanner = new RecordScanner({
    startByte: fromByte,
    startLine: 1,
    maxRecordBytes: meaning.maxRecordBytes,
  });
  const tuples = new TupleBuffer();
  let decoder = mapping === null ? null : makeDecoder(meaning, mapping);
  let records = 0;
  let rejects = 0;
  for (let byte = fromByte;;) {
    tuples.reset();
    if (decoder?.decodePlain(scanner, tuples)) {
      records++;
      continue;
    }
    const step = scanner.next(isEnd && byte === limitByte);
    if (step === "end") return { records, rejects };
    if (step === "more") {
      if (byte === limitByte) return { records, rejects };
      if (signal.aborted) return null;
      const room = scanner.room();
      const wanted = Math.min(room.length, limitByte - byte);
      const byteCount = await source.read(byte, room.subarray(0, wanted));
      if (byteCount === 0) throw new Deno.errors.UnexpectedEof("the file became shorter");
      scanner.grow(byteCount);
      byte += byteCount;
    } else if (decoder === null || mapping === null) {
      if (step === "malformed") throw headerFault(scanner.problem);
      const result = mapHeader(meaning.schema, scanner);
      if (!result.ok) throw new FileFault(result.code, result.reason);
      mapping = result.mapping;
      decoder = makeDecoder(meaning, mapping);
    } else if (step === "malformed") {
      records++;
      rejects++;
    } else if (!isRepeatedHeader(mapping, scanner)) {
      records++;
      if (decoder.decode(scanner, tuples) !== null) rejects++;
    }
  }
}

/** What the rows would be is not kept: which file they are of makes no difference. */
function makeDecoder(meaning: Meaning, mapping: HeaderMapping): RecordDecoder {
  return new RecordDecoder({
    ...meaning,
    mapping,
    derivedKeyPrefix: new Uint8Array(10),
    fileId: 0,
  });
}
