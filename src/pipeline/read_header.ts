import type { HeaderMapping } from "../schema/header_mapping.ts";
import type { ByteSource } from "../source/byte_source.ts";
import { DecodingKit } from "./decoding_kit.ts";
import { FileFault, type Meaning } from "./file_cursor.ts";

/**
 * Reads the header of a file or stream that is to be read on from further down.
 * @throws FileFault if it is not one of this schema
 */
export async function readHeader(source: ByteSource, meaning: Meaning): Promise<HeaderMapping> {
  const mapping = await readHeaderBefore(source, { byte: Infinity, meaning });
  if (mapping === null) throw notCsv();
  return mapping;
}

/**
 * The same, for a file that was read up to `byte`: null if only empty lines, or a byte order mark,
 * are before, so that the header is still to come.
 */
export async function readHeaderBefore(
  source: ByteSource,
  { byte: beforeByte, meaning, kit = new DecodingKit(meaning) }: {
    byte: number;
    meaning: Meaning;
    kit?: DecodingKit;
  },
): Promise<HeaderMapping | null> {
  if (beforeByte === 0) return null;
  const scanner = kit.scannerAt({ startByte: 0, startLine: 1 });
  for (let byte = 0;;) {
    const byteCount = await source.read(byte, scanner.room());
    scanner.grow(byteCount);
    byte += byteCount;
    const step = scanner.next(byteCount === 0);
    const isFound = step === "record" || step === "malformed";
    if ((isFound ? scanner.startByte : scanner.nextByte) >= beforeByte) return null;
    if (step === "end") return null;
    if (step === "more" && !scanner.isPassing) continue;
    if (step !== "record") throw notCsv();
    const result = kit.mapHeader();
    if (!result.ok) throw new FileFault(result.code, result.reason);
    return result.mapping;
  }
}

function notCsv(): FileFault {
  return new FileFault("not_csv", "its first line is no CSV header");
}
