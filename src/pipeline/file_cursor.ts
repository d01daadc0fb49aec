/**
 * Reads one file or stream on from where it stands: bytes to records to tuples and rejects of the
 * current batch.
 *
 * Invariants: a batch's part of the file ends where a record begins (or the input ends), and its
 * digests are of exactly the bytes before; `hashedByte` never passes the scanner's place. Every byte
 * is hashed before the scanner's window drops it, so nothing is read twice.
 */
import { RAW_BYTES } from "../csv/record.ts";
import type { RecordScanner } from "../csv/record_scanner.ts";
import { derivedKeyPrefix } from "../schema/derived_key_prefix.ts";
import { type HeaderMapping, isRepeatedHeader } from "../schema/header_mapping.ts";
import type { RecordDecoder } from "../schema/record_decoder.ts";
import type { Schema } from "../schema/schema.ts";
import { emptySegment, type Segment } from "../sink/batch.ts";
import type { ByteSource } from "../source/byte_source.ts";
import { type ContentHash, contentMark } from "../source/content_hash.ts";
import type { ReplayStream } from "../source/replay_stream.ts";
import type { Batcher } from "./batcher.ts";
import { DecodingKit } from "./decoding_kit.ts";
import type { RejectCounter } from "./reject_budget.ts";
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
  /** Of all that was read of it; absent if its rejects were counted before. */
  readonly rejectCounter?: RejectCounter;
  /** The source, if it is a stream that holds what was read of it, and is to let go. */
  readonly replay?: ReplayStream;
  /** Its own unless given; lent until the cursor is closed. */
  readonly kit?: DecodingKit;
  /** Ends reading between two chunks. */
  readonly signal: AbortSignal;
}

/** The oversize line that the scanner is inside of, as far as it was given. */
interface PassedLine {
  /** Of [0, byte). */
  hash: ContentHash;
  byte: number;
  /** From here on the stream need not hold it; null as long as it must. */
  fromByte: number | null;
}

export class FileCursor {
  readonly #options: FileCursorOptions;
  readonly #kit: DecodingKit;
  readonly #scanner: RecordScanner;
  /** Of [0, hashedByte). */
  #hash: ContentHash;
  #mapping: HeaderMapping | null;
  #decoder: RecordDecoder | null = null;
  /** [0, inputByte) has been given to the scanner. */
  #inputByte: number;
  #hashedByte: number;
  /** Not null from the first read inside an oversize line until its end. */
  #passed: PassedLine | null = null;
  #provisionalFromByte: number | null = null;

  constructor(options: FileCursorOptions) {
    this.#options = options;
    const { file, meaning, hash, mapping } = options;
    this.#kit = options.kit ?? new DecodingKit(meaning);
    this.#scanner = this.#kit.scannerAt({
      startByte: file.readByte,
      startLine: file.readLine + 1,
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
   * @throws FileFault if the header is not one of this schema; or if there are too many rejects,
   * with what was read handed over
   */
  async read(
    until: { limitByte: number; isReady?: (byte: number) => boolean },
  ): Promise<void> {
    const { source, batcher, signal } = this.#options;
    this.#throwTooMany();
    while (this.#inputByte < until.limitByte && !signal.aborted) {
      if (until.isReady?.(this.#inputByte) === false) return;
      this.#hashWhatRoomDrops();
      if (this.#jump()) continue;
      const room = this.#scanner.room();
      const wanted = Math.min(room.length, until.limitByte - this.#inputByte);
      const startedMs = performance.now();
      const byteCount = await source.read(this.#inputByte, room.subarray(0, wanted));
      batcher.current.stages.readMs += performance.now() - startedMs;
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
  close({ isStreamEnd = false } = {}): void {
    const { file, batcher } = this.#options;
    const endByte = this.#scanner.nextByte;
    const isDone = isStreamEnd || endByte === file.stat?.sizeBytes;
    file.state = isDone ? "done" : "open";
    if (endByte === file.readByte) return;
    const segment = batcher.current.segmentOf(file.fileId) ?? this.#openSegment();
    this.#hashTo(endByte);
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
    file.contentMark = contentMark(digests);
    file.provisionalFromByte = this.#provisionalFromByte;
  }

  #makeDecoder(mapping: HeaderMapping): RecordDecoder {
    const { file, meaning } = this.#options;
    return this.#kit.decoderFor(mapping, {
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
    let sinceMs = performance.now();
    for (;;) {
      const isPlain = this.#decoder?.decodePlain(scanner, batch.tuples) ?? false;
      const step = isPlain ? "record" : scanner.next(atEnd);
      if (step === "more" && this.#mapping === null) this.#checkHeaderLength();
      if (step === "more" || step === "end") {
        batch.stages.decodeMs += performance.now() - sinceMs;
        return this.#throwTooMany();
      }
      if (this.#decoder === null || this.#mapping === null) {
        this.#readHeader(step);
        continue;
      }
      segment ??= batch.segmentOf(this.#options.file.fileId) ?? this.#openSegment();
      if (step === "malformed") {
        const { code, reason } = scanner.problem;
        this.#reject(segment, { columnName: null, code, reason });
      } else if (!isPlain && isRepeatedHeader(this.#mapping, scanner)) {
        segment.headerCount++;
      } else {
        const reason = isPlain ? null : this.#decoder.decode(scanner, batch.tuples);
        if (reason === null) {
          batch.addRow(segment, scanner);
          this.#options.rejectCounter?.addRow();
        } else this.#reject(segment, reason);
      }
      batchBytes = batch.sizeBytes + scanner.endByte - this.#options.file.readByte;
      if (batch.recordCount >= limits.rows || batchBytes >= limits.sizeBytes) {
        this.close();
        batch.stages.decodeMs += performance.now() - sinceMs;
        await batcher.flush();
        sinceMs = performance.now();
        batch = batcher.current;
        segment = null;
      }
    }
  }

  /** A first line that is too long already need not be read to its end, if it has one. */
  #checkHeaderLength(): void {
    if (this.#scanner.isPassing) throw headerFault(this.#scanner.oversize);
  }

  #readHeader(step: "record" | "malformed"): void {
    if (step === "malformed") throw headerFault(this.#scanner.problem);
    const result = this.#kit.mapHeader();
    if (!result.ok) throw new FileFault(result.code, result.reason);
    this.#mapping = result.mapping;
    this.#decoder = this.#makeDecoder(result.mapping);
  }

  #reject(
    segment: Segment,
    reason: { columnName: string | null; code: string; reason: string },
  ): void {
    const scanner = this.#scanner;
    const batch = this.#options.batcher.current;
    batch.addReject(segment, {
      ...reason,
      fileId: segment.fileId,
      lineNumber: scanner.lineNumber,
      startByte: scanner.startByte,
      endByte: scanner.endByte,
      key: null,
      raw: batch.keepBytes(scanner.rawBytes()),
    });
    this.#options.rejectCounter?.addReject();
    this.#throwTooMany();
  }

  #throwTooMany(): void {
    const fault = this.#options.rejectCounter?.fault() ?? null;
    if (fault === null) return;
    this.close();
    throw fault;
  }

  #openSegment(): Segment {
    const { file, batcher } = this.#options;
    return batcher.openSegment(emptySegment(file));
  }

  /** Hashes what has no place in the window once there is room for the next read. */
  #hashWhatRoomDrops(): void {
    const scanner = this.#scanner;
    this.#hashTo(scanner.nextByte);
    if (!scanner.isPassing) return;
    // until its newline comes, the line may still have to be read again from its start
    const passed = this.#passed ??= {
      hash: this.#hash.clone(),
      byte: this.#hashedByte,
      fromByte: null,
    };
    this.#feed(passed.hash, { from: passed.byte, until: this.#inputByte });
    passed.byte = this.#inputByte;
    const { replay } = this.#options;
    if (replay === undefined || passed.byte - scanner.startByte < RAW_BYTES) return;
    passed.fromByte ??= passed.byte;
    if (passed.fromByte === passed.byte) return;
    replay.pass({ fromByte: passed.fromByte, toByte: passed.byte, hash: passed.hash.clone() });
  }

  /** Leaps over what an earlier session passed and the stream let go. False if that is nothing. */
  #jump(): boolean {
    const stretch = this.#scanner.isPassing
      ? this.#options.replay?.passedFrom(this.#inputByte)
      : undefined;
    if (stretch === undefined) return false;
    this.#scanner.passTo(stretch.toByte);
    this.#inputByte = stretch.toByte;
    this.#passed = {
      hash: stretch.hash.clone(),
      byte: stretch.toByte,
      fromByte: this.#passed?.fromByte ?? stretch.fromByte,
    };
    return true;
  }

  #hashTo(byte: number): void {
    if (this.#passed !== null && byte >= this.#passed.byte) {
      this.#hash = this.#passed.hash;
      this.#hashedByte = this.#passed.byte;
      this.#passed = null;
    }
    this.#feed(this.#hash, { from: this.#hashedByte, until: byte });
    this.#hashedByte = Math.max(this.#hashedByte, byte);
  }

  /** Hashes what stands in the window. */
  #feed(hash: ContentHash, { from, until }: { from: number; until: number }): void {
    if (until <= from) return;
    const { bytes, windowByte } = this.#scanner;
    hash.update(bytes.subarray(from - windowByte, until - windowByte));
  }
}

export function headerFault({ reason }: { reason: string }): FileFault {
  return new FileFault("not_csv", `its first line is no CSV header: ${reason}`);
}
