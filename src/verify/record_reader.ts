/**
 * Verify's own reader: bytes to records with their places, split by `@std/csv` where it accepts
 * them, else by `splitQuoted`. It shares no code with the ingester's scanner.
 *
 * Invariants: records, header included, and blank lines tile the bytes read, behind a byte order
 * mark; every record is made of whole physical lines. Memory is bounded by the record limit, whatever the length of a line.
 */
import type { ByteSource } from "../source/byte_source.ts";
import { HEAD_BYTES, RecordBlock, type SplitRecord } from "./record_block.ts";
import { splitQuoted } from "./split_quoted.ts";

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** CR and LF, which do not count as part of a record's length. */
const LINE_END_BYTES = 2;
/** How much is read at a time, at most. */
const READ_BYTES = 256 * 1024;

/** Known when the last block was read. */
export interface ReaderEnd {
  /** Where the bytes ended: less than asked for if the file is shorter. */
  readonly endByte: number;
  /** How many physical lines ended with a newline. */
  readonly lineCount: number;
  /** Start of a last record without its newline, if there is one. */
  readonly unterminatedFromByte: number | null;
}

export interface RecordReaderOptions {
  /** Reads [0, endByte). */
  readonly endByte: number;
  readonly maxRecordBytes: number;
  /** Sees every byte read, in order; valid during the call. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/** Reads the records of `source`; a header is a record like any other here. */
export async function* readRecords(
  source: ByteSource,
  { endByte, maxRecordBytes, onBytes }: RecordReaderOptions,
): AsyncGenerator<RecordBlock, ReaderEnd> {
  const splitter = new Splitter(maxRecordBytes);
  const readBytes = Math.min(READ_BYTES, Math.max(1, endByte));
  let buffer = new Uint8Array(2 * readBytes);
  let length = 0;
  for (let isLast = false; !isLast;) {
    if (buffer.length - length < readBytes) {
      const larger = new Uint8Array(buffer.length + readBytes);
      larger.set(buffer.subarray(0, length));
      buffer = larger;
    }
    const atByte = splitter.startByte + length;
    const wanted = Math.min(readBytes, endByte - atByte);
    const into = buffer.subarray(length, length + wanted);
    const byteCount = wanted === 0 ? 0 : await source.read(atByte, into);
    onBytes?.(into.subarray(0, byteCount));
    length += byteCount;
    isLast = byteCount === 0 || atByte + byteCount === endByte;
    const block = splitter.split(buffer.subarray(0, length), isLast);
    if (block.records.length > 0) yield block;
    const consumed = splitter.startByte - (atByte + byteCount - length);
    buffer.copyWithin(0, consumed, length);
    length -= consumed;
  }
  return {
    endByte: splitter.startByte,
    lineCount: splitter.lineCount,
    unterminatedFromByte: splitter.unterminatedFromByte,
  };
}

/**
 * Reads bytes that are one record of the file, as a mended one is, line end or not.
 * @returns null if they are no record, or more than one
 */
export function readSingleRecord(
  bytes: Uint8Array,
  { startByte, lineNumber, maxRecordBytes }:
    & Pick<SplitRecord, "startByte" | "lineNumber">
    & { readonly maxRecordBytes: number },
): SplitRecord | null {
  const splitter = new Splitter(maxRecordBytes, startByte);
  const { records } = splitter.split(bytes, true);
  // blank lines before it are not of the file, where it has its place
  return records.length === 1 ? { ...records[0]!, startByte, lineNumber } : null;
}

class Splitter {
  /** Place in the file of the first byte not yet split. */
  startByte: number;
  lineCount = 0;
  unterminatedFromByte: number | null = null;
  readonly #maxRecordBytes: number;
  /** A line longer than the limit that is being passed over. */
  #oversize: { startByte: number; head: Uint8Array } | null = null;

  constructor(maxRecordBytes: number, startByte = 0) {
    this.#maxRecordBytes = maxRecordBytes;
    this.startByte = startByte;
  }

  /** Splits what can be split of `bytes`, whose first one is at `startByte`, and moves on. */
  split(bytes: Uint8Array, isLast: boolean): RecordBlock {
    const block = new RecordBlock(bytes, this.startByte);
    let at = this.#oversize === null ? 0 : this.#passOversize(block, { bytes, isLast });
    let quote = -1;
    while (at < bytes.length) {
      const start = this.startByte + at === 0 && hasByteOrderMark(bytes) ? 3 : at;
      const newline = bytes.indexOf(LF, start);
      if (newline === -1 && !isLast) {
        if (bytes.length - start > this.#maxRecordBytes + LINE_END_BYTES) {
          const head = bytes.slice(start, start + HEAD_BYTES);
          this.#oversize = { startByte: this.startByte + start, head };
          at = bytes.length;
        }
        break;
      }
      let end = newline === -1 ? bytes.length : newline + 1;
      const line = { start, end, lineNumber: this.lineCount + 1 };
      if (quote < start) quote = indexOrEnd(bytes, QUOTE, start);
      if (this.#isOversize(bytes, line)) {
        block.addMalformed(line);
      } else if (quote < end) {
        const window = bytes.subarray(start, start + this.#maxRecordBytes + LINE_END_BYTES);
        const reachesEnd = start + window.length === bytes.length;
        const split = splitQuoted(window, { isLast: isLast && reachesEnd });
        if (split.kind === "more" && reachesEnd) break;
        const record = { ...line, end: split.kind === "record" ? start + split.end : end };
        if (split.kind === "record" && !this.#isOversize(bytes, record)) {
          block.addQuoted(record, split.fields);
          end = record.end;
        } else {
          block.addMalformed(line);
        }
      } else if (isBlank(bytes, line)) {
        block.flush();
      } else {
        block.addPlainLine(line);
      }
      if (bytes[end - 1] !== LF) this.unterminatedFromByte = this.startByte + start;
      this.lineCount += countNewlines(bytes, { start, end });
      at = end;
    }
    block.flush();
    this.startByte += at;
    return block;
  }

  /** @returns how many of the bytes are of the oversize line */
  #passOversize(
    block: RecordBlock,
    { bytes, isLast }: { bytes: Uint8Array; isLast: boolean },
  ): number {
    const newline = bytes.indexOf(LF);
    const end = newline === -1 ? bytes.length : newline + 1;
    const { startByte, head: headBefore } = this.#oversize!;
    const more = bytes.subarray(0, Math.min(end, HEAD_BYTES - headBefore.length));
    const head = new Uint8Array([...headBefore, ...more]);
    if (newline === -1 && !isLast) {
      this.#oversize = { startByte, head };
      return end;
    }
    const endByte = this.startByte + end;
    block.addOversize({ startByte, endByte, lineNumber: this.lineCount + 1 }, head);
    this.#oversize = null;
    if (newline === -1) this.unterminatedFromByte = startByte;
    else this.lineCount++;
    return end;
  }

  /** True if it is longer than the limit without its line end. */
  #isOversize(bytes: Uint8Array, { start, end }: { start: number; end: number }): boolean {
    let textEnd = end;
    if (bytes[textEnd - 1] === LF) textEnd--;
    if (bytes[textEnd - 1] === CR) textEnd--;
    return textEnd - start > this.#maxRecordBytes;
  }
}

function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function indexOrEnd(bytes: Uint8Array, value: number, from: number): number {
  const index = bytes.indexOf(value, from);
  return index === -1 ? bytes.length : index;
}

/** Lines of only CR and LF are not records. */
function isBlank(bytes: Uint8Array, { start, end }: { start: number; end: number }): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== LF && bytes[at] !== CR) return false;
  }
  return true;
}

function countNewlines(bytes: Uint8Array, { start, end }: { start: number; end: number }): number {
  let count = 0;
  for (let at = bytes.indexOf(LF, start); at !== -1 && at < end; at = bytes.indexOf(LF, at + 1)) {
    count++;
  }
  return count;
}
