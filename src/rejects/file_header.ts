import { createHash } from "node:crypto";
import { RecordScanner } from "../csv/record_scanner.ts";
import type { Schema } from "../schema/schema.ts";
import { mappingOf } from "../sink/lone_record.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { openFile } from "../source/byte_source.ts";
import { BLOCK_BYTES } from "../source/content_hash.ts";
import { readRange } from "./read_range.ts";
import { scanBytes } from "../csv/scan_bytes.ts";
import { type FilePlace, sourcePaths } from "./source_paths.ts";

export type FileHeader =
  /** The header record. */
  | { readonly ok: true; readonly header: Uint8Array }
  /** A sentence's worth. */
  | { readonly ok: false; readonly reason: string };

export interface HeaderFacts extends FilePlace {
  /** As the ledger has it; null for what was loaded before the ledger kept it. */
  readonly header: Uint8Array | null;
  readonly maxRecordBytes: number;
  readonly committedByte: number;
  /** sha256 of the committed bytes' first block, or of all of them if they are fewer. */
  readonly beginningHash: Uint8Array | null;
}

/** The header a file's records are read with: the ledger's, else read again from the source. */
export async function readFileHeader(
  file: HeaderFacts,
  { pipeline, schema }: { pipeline: NamedPipeline; schema: Schema },
): Promise<FileHeader> {
  if (file.header !== null) return { ok: true, header: file.header };
  const places = await sourcePaths(pipeline, file);
  if ("missing" in places) return unknown(file, places.missing);
  let why = "the file is no longer there";
  for (const path of places.paths) {
    try {
      const beginning = await readBeginning(path, file);
      const header = beginning === null ? null : firstRecord(beginning, file.maxRecordBytes);
      if (header === null) {
        why = "the file has other bytes now";
        continue;
      }
      mappingOf(schema, header);
      return { ok: true, header };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      why = error instanceof Error ? error.message : String(error);
    }
  }
  return unknown(file, why);
}

/** @returns null if the file does not begin as what was loaded */
async function readBeginning(
  path: string,
  { committedByte, beginningHash }: HeaderFacts,
): Promise<Uint8Array | null> {
  const source = await openFile(path);
  try {
    const sizeBytes = Math.min(committedByte, BLOCK_BYTES);
    const bytes = await readRange(source, { startByte: 0, sizeBytes });
    if (bytes === null || beginningHash === null) return null;
    const hash = createHash("sha256").update(bytes).digest();
    return hash.equals(beginningHash) ? bytes : null;
  } finally {
    source.close();
  }
}

function firstRecord(bytes: Uint8Array, maxRecordBytes: number): Uint8Array | null {
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes });
  const [step] = scanBytes(scanner, { bytes, atEnd: true });
  if (step !== "record") return null;
  return scanner.bytes.slice(scanner.recordStart, scanner.recordEnd);
}

function unknown({ path }: HeaderFacts, why: string): FileHeader {
  return {
    ok: false,
    reason: `the header of ${path} is not in the ledger, and cannot be read again: ${why}`,
  };
}
