import { RecordScanner } from "../csv/record_scanner.ts";
import { type HeaderMapping, isRepeatedHeader } from "../schema/header_mapping.ts";
import { RecordDecoder } from "../schema/record_decoder.ts";
import { TupleBuffer } from "../schema/tuple_buffer.ts";
import type { ByteSource } from "../source/byte_source.ts";
import type { Meaning } from "./file_cursor.ts";

/** What a range of a file counted for, rows and rejects apart. */
export interface TakenCounts {
  /** Whether the file's header is in it. */
  readonly takesHeader: boolean;
  readonly lineEnds: number;
  readonly headers: number;
  readonly ambiguousTimes: number;
}

/**
 * Reads a range again that was taken as if the file ended with it, for what its rows do not tell.
 * @param range begins where a record does; `mapping` is null if the header is still to come, and
 * nothing but empty lines in the range
 */
export async function countTaken(
  source: ByteSource,
  { start, end, meaning, mapping }: {
    start: number;
    end: number;
    meaning: Meaning;
    mapping: HeaderMapping | null;
  },
): Promise<TakenCounts> {
  const { maxRecordBytes } = meaning;
  const scanner = new RecordScanner({ startByte: start, startLine: 1, maxRecordBytes });
  // the rows are decoded for their times alone: which file they are of makes no difference
  const decoder = mapping && new RecordDecoder({
    ...meaning,
    mapping,
    derivedKeyPrefix: new Uint8Array(10),
    fileId: 0,
  });
  const tuples = new TupleBuffer();
  let headers = 0;
  const takesHeader = mapping !== null && mapping.startByte >= start;
  let isHeaderDue = takesHeader;
  for (let byte = start;;) {
    const step = scanner.next(byte === end);
    if (step === "end") break;
    if (step === "more") {
      const room = scanner.room();
      const byteCount = await source.read(
        byte,
        room.subarray(0, Math.min(room.length, end - byte)),
      );
      if (byteCount === 0) throw new Deno.errors.UnexpectedEof("the source became shorter");
      scanner.grow(byteCount);
      byte += byteCount;
    } else if (isHeaderDue) {
      isHeaderDue = false;
    } else if (step === "record" && mapping !== null) {
      if (isRepeatedHeader(mapping, scanner)) headers++;
      else decoder?.decode(scanner, tuples);
      tuples.reset();
    }
  }
  const ambiguousTimes = decoder?.ambiguousTimes ?? 0;
  return { lineEnds: scanner.nextLine - 1, takesHeader, headers, ambiguousTimes };
}
