/**
 * What one transaction loads: the tuples of accepted records, the rejects, and how far each file
 * moves. It is filled by the reader, then committed, then used again.
 *
 * Invariants: segments are in reading order, at most one a file; a segment's rows and rejects lie
 * in `[startByte, endByte)` of its file; row i of the tuples is row i of the places.
 */
import type { RejectReason } from "../schema/record_decoder.ts";
import { TupleBuffer } from "../schema/tuple_buffer.ts";
import type { CsvRecord } from "../csv/record.ts";
import type { FileStat } from "../source/byte_source.ts";
import type { ContentDigests } from "../source/content_hash.ts";
import { ByteSlabs } from "./byte_slabs.ts";
import { type BatchStages, noStages } from "./batch_stages.ts";
import type { FileState } from "./ledger_file.ts";

/** The part of one file that a batch carries. */
export interface Segment {
  readonly fileId: number;
  readonly path: string;
  readonly generation: number;
  readonly revision: number;
  readonly startByte: number;
  endByte: number;
  /** Physical lines that end before `endByte`. */
  endLine: number;
  /** How many of the batch's rows are this file's. */
  rowCount: number;
  rejectCount: number;
  headerCount: number;
  ambiguousTimeCount: number;
  provisionalFromByte: number | null;
  /** The file's header record, without its line end; null before it was read. */
  header: Uint8Array | null;
  digests: ContentDigests | null;
  stat: FileStat | null;
  state: FileState;
}

/** A part that begins, and ends, where the file stands now. */
export function emptySegment(
  file: Pick<Segment, "fileId" | "path" | "generation" | "revision"> & {
    readonly readByte: number;
    readonly readLine: number;
  },
): Segment {
  const { fileId, path, generation, revision, readByte, readLine } = file;
  return {
    fileId,
    path,
    generation,
    revision,
    startByte: readByte,
    endByte: readByte,
    endLine: readLine,
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
}

export interface Reject extends RejectReason {
  readonly fileId: number;
  readonly lineNumber: number;
  readonly startByte: number;
  readonly endByte: number;
  /** Of a key conflict, as text. */
  readonly key: string | null;
  /** Cut at 8 KiB. */
  readonly raw: Uint8Array;
}

/** Where an accepted record stands, for the rows that turn out to be duplicates or conflicts. */
export interface RowPlace {
  readonly fileId: number;
  readonly lineNumber: number;
  readonly startByte: number;
  readonly endByte: number;
  readonly raw: Uint8Array;
}

/** The input of a batch as it is by default; see the first size of `TupleBuffer`. */
const FIRST_RAW_BYTES = 4 * 1024 * 1024;
/** Rows of a batch at most, as it is by default. */
const FIRST_ROWS = 20_000;

/** Grown by doubling; kept for the next batch. */
class GrowingFloats {
  #values = new Float64Array(FIRST_ROWS);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  view(): Float64Array {
    return this.#values.subarray(0, this.length);
  }

  at(index: number): number {
    if (index < 0 || index >= this.length) throw new RangeError(`no value at ${index}`);
    return this.#values[index]!;
  }
}

export class Batch {
  readonly tuples = new TupleBuffer();
  readonly segments: Segment[] = [];
  readonly rejects: Reject[] = [];
  /** When its first part was begun, in ms (performance clock). */
  openedAtMs = 0;
  /** Bytes of input in it. */
  sizeBytes = 0;
  /** How its time was spent so far. */
  stages: BatchStages = noStages();
  /** True if it was handed over because it had reached a limit. */
  isFull = false;
  /** How many connections carried batches when it was given to one. */
  connections = 0;

  #fileIds = new GrowingFloats();
  #lineNumbers = new GrowingFloats();
  #startBytes = new GrowingFloats();
  #rawEnds = new GrowingFloats();
  #tupleEnds = new GrowingFloats();
  #raw = new Uint8Array(FIRST_RAW_BYTES);
  #rawLength = 0;
  readonly #keptBytes = new ByteSlabs();

  get rowCount(): number {
    return this.#lineNumbers.length;
  }

  get recordCount(): number {
    return this.rowCount + this.rejects.length;
  }

  get isEmpty(): boolean {
    return this.segments.length === 0;
  }

  /** The segment of this file, if the batch carries one. */
  segmentOf(fileId: number): Segment | undefined {
    // files are read one after the other, so it is nearly always the last
    return this.segments.findLast((segment) => segment.fileId === fileId);
  }

  /** Remembers where the record is whose tuple was just appended. */
  addRow(segment: Segment, record: CsvRecord): void {
    const sizeBytes = record.recordEnd - record.recordStart;
    if (this.#rawLength + sizeBytes > this.#raw.length) {
      const larger = new Uint8Array(2 * (this.#raw.length + sizeBytes));
      larger.set(this.#raw.subarray(0, this.#rawLength));
      this.#raw = larger;
    }
    // byte by byte, which makes no view and is no slower for so few
    const { bytes, recordEnd } = record;
    const raw = this.#raw;
    let to = this.#rawLength;
    for (let from = record.recordStart; from < recordEnd; from++) raw[to++] = bytes[from]!;
    this.#rawLength = to;
    this.#fileIds.push(segment.fileId);
    this.#lineNumbers.push(record.lineNumber);
    this.#startBytes.push(record.startByte);
    this.#rawEnds.push(this.#rawLength);
    this.#tupleEnds.push(this.tuples.length);
    segment.rowCount++;
  }

  /** Copies what is about to change, for as long as the batch is not emptied. */
  keepBytes(bytes: Uint8Array): Uint8Array {
    return this.#keptBytes.copy(bytes);
  }

  addReject(segment: Segment, reject: Reject): void {
    this.rejects.push(reject);
    segment.rejectCount++;
  }

  /** @param row as in `placeOf` */
  fileIdOf(row: number): number {
    return this.#fileIds.at(row);
  }

  /** @param row as in `placeOf` */
  lineNumberOf(row: number): number {
    return this.#lineNumbers.at(row);
  }

  /** @param row 0-based, in the order of the tuples */
  placeOf(row: number): RowPlace {
    const rawStart = row === 0 ? 0 : this.#rawEnds.at(row - 1);
    const rawEnd = this.#rawEnds.at(row);
    const startByte = this.#startBytes.at(row);
    return {
      fileId: this.#fileIds.at(row),
      lineNumber: this.#lineNumbers.at(row),
      startByte,
      endByte: startByte + rawEnd - rawStart,
      raw: this.#raw.subarray(rawStart, rawEnd),
    };
  }

  /** Where in `tuples` each row's tuple ends. A view, good until the next row. */
  get tupleEnds(): Float64Array {
    return this.#tupleEnds.view();
  }

  /** Empties it for the next use. */
  reset(): void {
    this.tuples.reset();
    this.segments.length = 0;
    this.rejects.length = 0;
    this.#keptBytes.reset();
    this.openedAtMs = 0;
    this.sizeBytes = 0;
    this.stages = noStages();
    this.isFull = false;
    this.connections = 0;
    this.#fileIds.length = 0;
    this.#lineNumbers.length = 0;
    this.#startBytes.length = 0;
    this.#rawEnds.length = 0;
    this.#tupleEnds.length = 0;
    this.#rawLength = 0;
  }
}
