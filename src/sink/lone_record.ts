/**
 * Reads single records again, away from the run through their file: mended rejects, and records
 * that were duplicates of rows that are no longer there.
 */
import { RecordScanner } from "../csv/record_scanner.ts";
import { derivedKeyPrefix } from "../schema/derived_key_prefix.ts";
import { type HeaderMapping, mapHeader } from "../schema/header_mapping.ts";
import { RecordDecoder, type RejectReason } from "../schema/record_decoder.ts";
import type { Schema } from "../schema/schema.ts";
import { Batch, type Reject, type Segment } from "./batch.ts";
import type { SortedRows } from "./sort_out.ts";

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
  const scanner = scannerOver(header, {
    place: { startByte: 0, endByte: header.length, lineNumber: 1 },
    maxRecordBytes: header.length,
  });
  if (scanner.next(true) !== "record") throw new RangeError("the header is no CSV record");
  const result = mapHeader(schema, scanner);
  if (!result.ok) throw new RangeError(result.reason);
  return result.mapping;
}

/** Fills a batch with single records of many files. */
export class LoneRecords {
  readonly batch = new Batch();
  readonly #schema: Schema;
  /** By file and start byte; a mended record is of another length than its place. */
  readonly #endBytes = new Map<string, number>();
  readonly #decoders = new Map<number, RecordDecoder>();

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** Adds the record as a row of the batch. @returns null; or why it cannot be one */
  add(
    file: RecordFile,
    { bytes, ...place }: RecordPlace & { bytes: Uint8Array },
  ): RejectReason | null {
    const decoder = this.#decoderOf(file);
    const scanner = scannerOver(bytes, { place, maxRecordBytes: file.maxRecordBytes });
    const step = scanner.next(true);
    if (step === "malformed") return { columnName: null, ...scanner.problem };
    if (step !== "record") {
      return { columnName: null, code: "no_record", reason: "it holds no record" };
    }
    if (scanner.endByte !== place.startByte + bytes.length) {
      return { columnName: null, code: "several_records", reason: "it holds more than one record" };
    }
    const reason = decoder.decode(scanner, this.batch.tuples);
    if (reason === null) {
      this.batch.addRow(this.#segmentOf(file), scanner);
      this.#endBytes.set(placeName({ ...file, ...place }), place.endByte);
    }
    return reason;
  }

  /** What became of the batch, with the records' own places. */
  atTheirPlaces(sorted: SortedRows): SortedRows {
    const placed = <Record extends Pick<Reject, "fileId" | "startByte" | "endByte">>(
      record: Record,
    ): Record => ({ ...record, endByte: this.#endBytes.get(placeName(record))! });
    return {
      moves: sorted.moves,
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

  /** These records move no file: the segment serves to count. */
  #segmentOf({ fileId, path, generation }: RecordFile): Segment {
    const known = this.batch.segmentOf(fileId);
    if (known !== undefined) return known;
    const segment: Segment = {
      fileId,
      path,
      generation,
      revision: 0,
      startByte: 0,
      endByte: 0,
      endLine: 0,
      rowCount: 0,
      rejectCount: 0,
      headerCount: 0,
      ambiguousTimeCount: 0,
      provisionalFromByte: null,
      header: null,
      digests: null,
      stat: null,
      state: "open",
    };
    this.batch.segments.push(segment);
    return segment;
  }
}

function placeName({ fileId, startByte }: { fileId: number; startByte: number }): string {
  return `${fileId}:${startByte}`;
}

function scannerOver(
  bytes: Uint8Array,
  { place, maxRecordBytes }: { place: RecordPlace; maxRecordBytes: number },
): RecordScanner {
  const scanner = new RecordScanner({
    startByte: place.startByte,
    startLine: place.lineNumber,
    maxRecordBytes: Math.max(maxRecordBytes, bytes.length),
  });
  for (let from = 0; from < bytes.length;) {
    const room = scanner.room();
    const some = bytes.subarray(from, from + room.length);
    room.set(some);
    scanner.grow(some.length);
    from += some.length;
  }
  return scanner;
}
