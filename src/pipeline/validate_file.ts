import { type HeaderMapping, isRepeatedHeader } from "../schema/header_mapping.ts";
import { TupleBuffer } from "../schema/tuple_buffer.ts";
import type { ByteSource } from "../source/byte_source.ts";
import type { DecodingKit } from "./decoding_kit.ts";
import { FileFault, headerFault } from "./file_cursor.ts";
import type { RejectCounts } from "./reject_budget.ts";

/** What the rows would be is not kept: which file they are of makes no difference. */
const NO_ORIGIN = { derivedKeyPrefix: new Uint8Array(10), fileId: 0 };

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
  { fromByte, limitByte, isEnd, kit, mapping, signal }: {
    fromByte: number;
    limitByte: number;
    isEnd: boolean;
    kit: DecodingKit;
    mapping: HeaderMapping | null;
    signal: AbortSignal;
  },
): Promise<RejectCounts | null> {
  const scanner = kit.scannerAt({ startByte: fromByte, startLine: 1 });
  const tuples = new TupleBuffer();
  let decoder = mapping === null ? null : kit.decoderFor(mapping, NO_ORIGIN);
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
      const result = kit.mapHeader();
      if (!result.ok) throw new FileFault(result.code, result.reason);
      mapping = result.mapping;
      decoder = kit.decoderFor(mapping, NO_ORIGIN);
    } else if (step === "malformed") {
      records++;
      rejects++;
    } else if (!isRepeatedHeader(mapping, scanner)) {
      records++;
      if (decoder.decode(scanner, tuples) !== null) rejects++;
    }
  }
}
