/**
 * Reads one file or stream on from where it stands: bytes to records to tuples and rejects of the
 * current batch.
 *
 * Invariants: a batch's part of the file ends where a record begins (or the input ends), and its
 * digests are of exactly the bytes before; `hashedByte` never passes the scanner's place.
 */
import { createHash } from "node:crypto";
import { RecordScanner } from "../csv/record_scanner.ts";
import { type HeaderMapping, isRepeatedHeader, mapHeader } from "../schema/header_mapping.ts";
import { RecordDecoder } from "../schema/record_decoder.ts";
import type { Schema } from "../schema/schema.ts";
import type { Segment } from "../sink/batch.ts";
import type { ByteSource } from "../source/byte_source.ts";
import type { ContentHash } from "../source/content_hash.ts";
import type { Batcher } from "./batcher.ts";
import type { TrackedFile } from "./tracked_file.ts";

/** What decides the meaning of a file's bytes. */
export interface Meaning {
  readonly pipelineName: string;
  readonly schema: Schema;
  readonly timeZone: string;
  readonly maxRecordBytes: number;
}

/** The file as a whole cannot be loaded. */
export class FileFault extends Error {
  readonly code: string;

  constructor(code: string, reason: string) {
    super(reason);
    this.name = "FileFault";
    this.code = code;
  }
}

export interface FileCursorOptions {
  readonly file: TrackedFile;
  readonly source: ByteSource;
  readonly meaning: Meaning;
  readonly batcher: Batcher;
  /** Of [0, file.readByte). */
  readonly hash: ContentHash;
  /** Null if the header is still to be read, as at byte 0. */
  readonly mapping: HeaderMapping | null;
  /** Ends reading between two chunks. */
  readonly signal: AbortSignal;
}

/** Bytes read at a time when part of a file is read again only to hash it. */
const REREAD_BYTES = 256 * 1024;

export class FileCursor {
  readonly #options: FileCursorOptions;
  readonly #scanner: RecordScanner;
  readonly #hash: ContentHash;
  #mapping: HeaderMapping | null;
  #decoder: RecordDecoder | null = null;
  /** [0, inputByte) has been given to the scanner. */
  #inputByte: number;
  #hashedByte: number;
  /** Adds to a file's byte to give its index in the scanner's window; null if not known. */
  #windowOffset: number | null = null;
  #provisionalFromByte: number | null = null;

  constructor(options: FileCursorOptions) {
    this.#options = options;
    const { file, meaning, hash, mapping } = options;
    this.#scanner = new RecordScanner({
      startByte: file.readByte,
      startLine: file.readLine + 1,
      maxRecordBytes: meaning.maxRecordBytes,
    });
    this.#hash = hash;
    this.#inputByte = file.readByte;
    this.#hashedByte = file.readByte;
    this.#mapping = mapping;
    if (mapping !== null) this.#decoder = this.#makeDecoder(mapping);
  }

  /** The header's columns; null before it was read. */
  get mapping(): HeaderMapping | null {
    return this.#mapping;
  }

  /** How far the input was read. */
  get inputByte(): number {
    return this.#inputByte;
  }

  /** True if bytes were read that do not make a whole record yet. */
  get hasLeftover(): boolean {
    return this.#scanner.nextByte < this.#inputByte;
  }

  /**
   * Reads on until `limitByte`, the end of the input, or `isReady` says that reading would wait.
   * Complete records go to batches, which are cut and handed over as they fill.
   * @throws FileFault if the header is not one of this schema
   */
  async read(
    until: { limitByte: number; isReady?: (byte: number) => boolean },
  ): Promise<void> {
    const { source, signal } = this.#options;
    while (this.#inputByte < until.limitByte && !signal.aborted) {
      if (until.isReady?.(this.#inputByte) === false) return;
      await this.#hashTo(this.#scanner.nextByte);
      this.#windowOffset = null;
      const room = this.#scanner.room();
      const wanted = Math.min(room.length, until.limitByte - this.#inputByte);
      const byteCount = await source.read(this.#inputByte, room.subarray(0, wanted));
      if (byteCount === 0) return;
      this.#scanner.grow(byteCount);
      this.#inputByte += byteCount;
      await this.#decodeAll(false);
    }
  }

  /**
   * Takes what depends on the input ending here: a last record without newline, an open quote.
   * Until the file grows no further, that is provisional.
   */
  async finish(): Promise<void> {
    if (!this.hasLeftover) return;
    this.#provisionalFromByte = this.#scanner.nextByte;
    await this.#decodeAll(true);
  }

  /**
   * Brings the current batch's part of the file up to what was read. The file is done if that is
   * its size; a stream is if `isStreamEnd`.
   */
  async close({ isStreamEnd = false } = {}): Promise<void> {
    const { file, batcher } = this.#options;
    const endByte = this.#scanner.nextByte;
    const isDone = isStreamEnd || endByte === file.stat?.sizeBytes;
    file.state = isDone ? "done" : "open";
    if (endByte === file.readByte) return;
    const segment = batcher.current.segmentOf(file.fileId) ?? this.#openSegment();
    await this.#hashTo(endByte);
    const digests = this.#hash.digests();
    segment.endByte = endByte;
    segment.endLine = this.#scanner.nextLine - 1;
    segment.header = this.#mapping?.headerBytes ?? null;
    segment.digests = digests;
    segment.provisionalFromByte = this.#provisionalFromByte;
    segment.stat = file.stat;
    segment.state = file.state;
    segment.ambiguousTimeCount += this.#decoder?.ambiguousTimes ?? 0;
    if (this.#decoder !== null) this.#decoder.ambiguousTimes = 0;
    batcher.current.sizeBytes += endByte - file.readByte;
    file.readByte = endByte;
    file.readLine = segment.endLine;
    file.digests = digests;
    file.provisionalFromByte = this.#provisionalFromByte;
  }

  #makeDecoder(mapping: HeaderMapping): RecordDecoder {
    const { file, meaning } = this.#options;
    return new RecordDecoder({
      schema: meaning.schema,
      mapping,
      timeZone: meaning.timeZone,
      derivedKeyPrefix: derivedKeyPrefix(meaning.pipelineName, file),
      fileId: file.fileId,
    });
  }

  /** Decodes every record in the scanner's window. */
  async #decodeAll(atEnd: boolean): Promise<void> {
    const { batcher } = this.#options;
    const scanner = this.#scanner;
    const limits = batcher.limits;
    let batch = batcher.current;
    let segment: Segment | null = null;
    let batchBytes = 0;
    for (;;) {
      const isPlain = this.#decoder?.decodePlain(scanner, batch.tuples) ?? false;
      const step = isPlain ? "record" : scanner.next(atEnd);
      if (step === "more" || step === "end") return;
      if (step === "malformed" && scanner.problem.code === "oversize_record") {
        this.#windowOffset = null;
        await this.#hashTo(scanner.endByte);
      } else {
        this.#windowOffset = scanner.recordStart - scanner.startByte;
      }
      if (this.#decoder === null || this.#mapping === null) {
        this.#readHeader(step);
        continue;
      }
      segment ??= batch.segmentOf(this.#options.file.fileId) ?? this.#openSegment();
      if (step === "malformed") {
        const { code, reason } = scanner.problem;
        this.#reject(segment, { columnName: null, code, reason });
      } else {
        const reason = isPlain ? null : this.#decoder.decode(scanner, batch.tuples);
        if (reason === null) batch.addRow(segment, scanner);
        else if (isRepeatedHeader(this.#mapping, scanner)) segment.headerCount++;
        else this.#reject(segment, reason);
      }
      batchBytes = batch.sizeBytes + scanner.endByte - this.#options.file.readByte;
      if (batch.recordCount >= limits.rows || batchBytes >= limits.sizeBytes) {
        await this.close();
        await batcher.flush();
        batch = batcher.current;
        segment = null;
      }
    }
  }

  #readHeader(step: "record" | "malformed"): void {
    if (step === "malformed") {
      throw new FileFault(
        "not_csv",
        `its first line is no CSV header: ${this.#scanner.problem.reason}`,
      );
    }
    const result = mapHeader(this.#options.meaning.schema, this.#scanner);
    if (!result.ok) throw new FileFault(result.code, result.reason);
    this.#mapping = result.mapping;
    this.#decoder = this.#makeDecoder(result.mapping);
  }

  #reject(
    segment: Segment,
    reason: { columnName: string | null; code: string; reason: string },
  ): void {
    const scanner = this.#scanner;
    this.#options.batcher.current.addReject(segment, {
      ...reason,
      fileId: segment.fileId,
      lineNumber: scanner.lineNumber,
      startByte: scanner.startByte,
      endByte: scanner.endByte,
      key: null,
      raw: scanner.rawBytes(),
    });
  }

  #openSegment(): Segment {
    const { file, batcher } = this.#options;
    return batcher.openSegment({
      fileId: file.fileId,
      path: file.path,
      generation: file.generation,
      revision: file.revision,
      startByte: file.readByte,
      endByte: file.readByte,
      endLine: file.readLine,
      rowCount: 0,
      rejectCount: 0,
      headerCount: 0,
      ambiguousTimeCount: 0,
      provisionalFromByte: null,
      header: null,
      digests: null,
      stat: null,
      state: "open",
    });
  }

  async #hashTo(byte: number): Promise<void> {
    if (byte <= this.#hashedByte) return;
    if (this.#windowOffset !== null) {
      const from = this.#hashedByte + this.#windowOffset;
      this.#hash.update(this.#scanner.bytes.subarray(from, byte + this.#windowOffset));
      this.#hashedByte = byte;
      return;
    }
    // not in the window any more: an oversize record, or nothing but blank lines
    const buffer = new Uint8Array(REREAD_BYTES);
    while (this.#hashedByte < byte) {
      const wanted = Math.min(buffer.length, byte - this.#hashedByte);
      const byteCount = await this.#options.source.read(
        this.#hashedByte,
        buffer.subarray(0, wanted),
      );
      if (byteCount === 0) {
        throw new FileShrankError(this.#options.file.path);
      }
      this.#hash.update(buffer.subarray(0, byteCount));
      this.#hashedByte += byteCount;
    }
  }
}

/** The file became shorter while it was read; look at it again. */
export class FileShrankError extends Error {
  constructor(path: string) {
    super(`${path} became shorter while it was read`);
    this.name = "FileShrankError";
  }
}

/** The part of a derived key that tells files and generations apart. */
function derivedKeyPrefix(pipelineName: string, file: TrackedFile): Uint8Array {
  return createHash("sha256")
    .update(JSON.stringify([pipelineName, file.path, file.generation]))
    .digest();
}
