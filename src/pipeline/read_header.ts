import { RecordScanner } from "../csv/record_scanner.ts";
import { type HeaderMapping, mapHeader } from "../schema/header_mapping.ts";
import type { ByteSource } from "../source/byte_source.ts";
import { FileFault, type Meaning } from "./file_cursor.ts";

/**
 * Reads the header of a file or stream that is to be read on from further down.
 * @throws FileFault if it is not one of this schema
 */
export async function readHeader(source: ByteSource, meaning: Meaning): Promise<HeaderMapping> {
  const scanner = new RecordScanner({
    startByte: 0,
    startLine: 1,
    maxRecordBytes: meaning.maxRecordBytes,
  });
  for (let byte = 0;;) {
    const byteCount = await source.read(byte, scanner.room());
    scanner.grow(byteCount);
    byte += byteCount;
    const step = scanner.next(byteCount === 0);
    if (step === "more") continue;
    if (step !== "record") throw new FileFault("not_csv", "its first line is no CSV header");
    const result = mapHeader(meaning.schema, scanner);
    if (!result.ok) throw new FileFault(result.code, result.reason);
    return result.mapping;
  }
}
