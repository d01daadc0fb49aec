/**
 * Reads single records again, away from the run through their file: mended rejects, and records
 * that were duplicates of rows that are no longer there.
 */
import type { CsvRecord } from "../csv/record.ts";
import { RecordScanner } from "../csv/record_scanner.ts";
import { scanBytes } from "../csv/scan_bytes.ts";
import { derivedKeyPrefix } from "../schema/derived_key_prefix.ts";
import { type HeaderMapping, mapHeader } from "../schema/header_mapping.ts";
import { RecordDecoder, type RejectReason } from "../schema/record_decoder.ts";
import type { Schema } from "../schema/schema.ts";
import { Batch, emptySegment, type Reject, type Segment } from "./batch.ts";
import type { LoadedRows } from "./row_loader.ts";

/** The file a record is of, with what decides the meaning of its bytes. */
export interface RecordFile {
  readonly fileId: number;
  readonly pipelineName: string;
  readonly path: string;
  readonly generation: number;
  readonly timeZone: string;
  readonly maxRecordBytes: number;
  /** The header record. */
  readonly header: Uint8Array;
}

/** Where the record stands in its file, whatever bytes it is read from now. */
export interface RecordPlace {
  readonly startByte: number;
  readonly endByte: number;
  readonly lineNumber: number;
}

/** @throws RangeError if the bytes are no header of the schema */
export function mappingOf(schema: Schema, header: Uint8Array): HeaderMapping {
  const scanner = new RecordScanner({
    startByte: 0,
    startLine: 1,
    maxRecordBytes: header.length,
  });
  const [step] = scanBytes(scanner, { bytes: header, atEnd: true });
  if (step !== "record") throw new RangeError("the header is no CSV record");
  const result = mapHeader(schema, scanner);
  if (!result.ok) throw new RangeError(result.reason);
  return result.mapping;
}

const NO_RECORD: RejectReason = {
  columnName: null,
  code: "no_record",
  reason: "it holds no record",
};

const SEVERAL_RECORDS: RejectReason = {
  columnName: null,
  code: "several_records",
  reason: "it holds more than one record",
};

/** Fills a batch with single records of many files. */
export class LoneRecords {
  readonly batch = new Batch();
  readonly #schema: Schema;
  /** By file and start byte; a mended record is of another length than its place. */
  readonly #endBytes = new Map<string, number>();
  readonly #decoders = new Map<number, RecordDecoder>();
  /** By record limit; a scanner costs more to make than a record to scan. */
  readonly #scanners = new Map<number, RecordScanner>();

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** Adds the record as a row of the batch. @returns null; or why it cannot be one */
  add(
    file: RecordFile,
    { bytes, ...place }: RecordPlace & { bytes: Uint8Array },
  ): RejectReason | null {
    const decoder = this.#decoderOf(file);
    const scanner = this.#scannerOf(file);
    let reason: RejectReason | null = NO_RECORD;
    let count = 0;
    for (const step of scanBytes(scanner, { bytes, atEnd: true })) {
      if (++count > 1) continue; // to the end, where the scanner is ready for the next record
      if (step === "malformed") {
        reason = { columnName: null, ...scanner.problem };
      } else if (scanner.recordEnd - scanner.recordStart !== bytes.length) {
        reason = SEVERAL_RECORDS;
      } else {
        const record = recordAt(place, scanner);
        reason = decoder.decode(record, this.batch.tuples);
        if (reason === null) this.batch.addRow(this.#segmentOf(file), record);
      }
    }
    if (reason === null) this.#endBytes.set(placeName({ ...file, ...place }), place.endByte);
    return reason;
  }

  /** What became of the batch, with the records' own places. */
  atTheirPlaces(sorted: LoadedRows): LoadedRows {
    const placed = <Record extends Pick<Reject, "fileId" | "startByte" | "endByte">>(
      record: Record,
    ): Record => ({ ...record, endByte: this.#endBytes.get(placeName(record))! });
    return {
      ...sorted,
      rejects: sorted.rejects.map(placed),
      duplicates: sorted.duplicates.map(placed),
    };
  }

  #decoderOf(file: RecordFile): RecordDecoder {
    let decoder = this.#decoders.get(file.fileId);
    if (decoder === undefined) {
      decoder = new RecordDecoder({
        schema: this.#schema,
        mapping: mappingOf(this.#schema, file.header),
        timeZone: file.timeZone,
        derivedKeyPrefix: derivedKeyPrefix(file.pipelineName, file),
        fileId: file.fileId,
      });
      this.#decoders.set(file.fileId, decoder);
    }
    return decoder;
  }

  #scannerOf({ maxRecordBytes }: RecordFile): RecordScanner {
    let scanner = this.#scanners.get(maxRecordBytes);
    if (scanner === undefined) {
      // not at byte 0, where a byte order mark would be no part of the record
      scanner = new RecordScanner({ startByte: 1, startLine: 1, maxRecordBytes });
      this.#scanners.set(maxRecordBytes, scanner);
    }
    return scanner;
  }

  /** These records move no file: the segment serves to count. */
  #segmentOf(file: RecordFile): Segment {
    const known = this.batch.segmentOf(file.fileId);
    if (known !== undefined) return known;
    const segment = emptySegment({ ...file, revision: 0, readByte: 0, readLine: 0 });
    this.batch.segments.push(segment);
    return segment;
  }
}

function placeName({ fileId, startByte }: { fileId: number; startByte: number }): string {
  return `${fileId}:${startByte}`;
}

/** What the scanner stands on, as if it stood at this place. */
function recordAt({ startByte, lineNumber }: RecordPlace, record: CsvRecord): CsvRecord {
  const { bytes, recordStart, recordEnd, fieldCount, fieldStarts, fieldEnds, fieldQuoting } =
    record;
  const { hasHighBytes, hasNul, terminated } = record;
  return {
    bytes,
    recordStart,
    recordEnd,
    fieldCount,
    fieldStarts,
    fieldEnds,
    fieldQuoting,
    hasHighBytes,
    hasNul,
    startByte,
    endByte: startByte + recordEnd - recordStart,
    lineNumber,
    terminated,
  };
}
