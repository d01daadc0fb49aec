/**
 * Splits bytes into CSV records (RFC 4180) without copying a field or making a string.
 *
 * Dialect: fields are separated by commas, records by LF or CRLF. A field that begins with a quote
 * ends at the next quote that is not doubled; commas and newlines inside are content. A quote
 * anywhere else in an unquoted field is content, and so is a CR that no LF follows. Lines of
 * nothing but CR and LF are no records. A byte order mark at byte 0 is no part of the first record.
 *
 * Invariants:
 * - What lies in the window before the current record stays in place until `room()` moves it.
 * - Outside a record, `#at` is where the next one begins. A scanner started there, knowing nothing
 *   else, finds the same records: the place alone is the state.
 * - No byte of a record is looked at twice because more bytes came. A byte is looked at again only
 *   when the quote that spanned it was malformed, and then a bounded number of times, see `#trap`.
 */
import {
  type CsvRecord,
  PLAIN_FIELD,
  QUOTED_FIELD,
  QUOTED_FIELD_WITH_QUOTES,
  RAW_BYTES,
} from "./record.ts";
import { ScanWindow } from "./scan_window.ts";

/**
 * What a call of `next` found: a record; a physical line that is none; nothing yet, for it needs
 * more bytes; or the end, everything given being consumed.
 */
export type ScanStep = "record" | "malformed" | "more" | "end";

export interface RecordScannerOptions {
  /** Place in the file to begin at: 0, or a place some scanner gave as `nextByte`. */
  readonly startByte: number;
  /** Number of the physical line that begins there, from 1. */
  readonly startLine: number;
  /** Longest record and longest physical line accepted, in bytes, its line end not counted. */
  readonly maxRecordBytes: number;
}

/** Why a line is malformed. */
export interface ScanProblem {
  readonly code: "malformed_quote" | "open_quote" | "oversize_record";
  /** A sentence's worth, without the place. */
  readonly reason: string;
}

/** Fields whose boundaries are kept; PostgreSQL's own limit is 1,600 columns. */
const MAX_FIELDS = 4096;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;
/** The longest line end, CRLF. */
const LINE_END_BYTES = 2;
/** No place. */
const NONE = -1;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** Between records. */
const BETWEEN = 0;
/** In an unquoted field, or at the start of any. */
const PLAIN = 1;
/** Inside quotes. */
const QUOTED = 2;
/** Behind a quote inside quotes: it closed the field, or is the first of two. */
const QUOTE_SEEN = 3;
/** Behind a closing quote and a CR: only LF may follow. */
const CLOSED_CR = 4;
/** In a malformed line, on the way to its end. */
const SEEKING = 5;
/** In an oversize line, on the way to its end; what was passed is forgotten. */
const SKIPPING = 6;

const MALFORMED_QUOTE: ScanProblem = {
  code: "malformed_quote",
  reason: "text follows a closing quote; a quote inside a quoted field must be doubled",
};
const OPEN_QUOTE_AT_END: ScanProblem = {
  code: "open_quote",
  reason: "a quoted field is not closed before the end",
};

export class RecordScanner implements CsvRecord {
  bytes: Uint8Array<ArrayBuffer>;
  recordStart = 0;
  recordEnd = 0;
  fieldCount = 0;
  readonly fieldStarts = new Int32Array(MAX_FIELDS);
  readonly fieldEnds = new Int32Array(MAX_FIELDS);
  readonly fieldQuoting = new Uint8Array(MAX_FIELDS);
  hasHighBytes = false;
  hasNul = false;
  startByte: number;
  endByte: number;
  lineNumber: number;
  terminated = true;
  /** Why the line is malformed; valid after `next` said so. */
  problem: ScanProblem = MALFORMED_QUOTE;

  /** What an oversize line is malformed by. */
  readonly oversize: ScanProblem;
  readonly #maxRecordBytes: number;
  readonly #openQuote: ScanProblem;
  readonly #window: ScanWindow;
  #at = 0;
  /** Number of the line on which the next record starts; inside a record, its own. */
  #line: number;
  #phase = BETWEEN;
  /** Where the field being scanned begins, its opening quote not counted. */
  #fieldStart = 0;
  #fieldQuoting = PLAIN_FIELD;
  /** The record's bytes or-ed together, as far as it matters: bit 7 tells of a high byte. */
  #orOfBytes = 0;
  /** Newlines inside the record's quotes, and where the first physical line ends, if it has any. */
  #innerNewlineCount = 0;
  #firstLineEnd = NONE;
  /** The beginning of an oversize line that was skipped; length 0 if the record is none. */
  readonly #oversizeHead = new Uint8Array(RAW_BYTES);
  #oversizeHeadLength = 0;
  /**
   * Where the last malformed quoting that spanned lines was found out, and the phase there. A
   * later record that is inside quotes at a newline before that place is in the state which that
   * scan was in, and will end up the same: it goes there at once. Without this a file in which
   * every line opens a quote would be scanned to the record limit once for every line.
   */
  #trapByte = NONE;
  #trapPhase = QUOTED;
  #trapFieldByte = 0;
  #jumped = false;

  constructor(options: RecordScannerOptions) {
    this.#window = new ScanWindow({ maxKeptBytes: options.maxRecordBytes + LINE_END_BYTES });
    this.bytes = this.#window.bytes;
    this.startByte = this.endByte = options.startByte;
    this.lineNumber = this.#line = options.startLine;
    this.restart(options);
    this.#maxRecordBytes = options.maxRecordBytes;
    this.#openQuote = {
      code: "open_quote",
      reason: `a quoted field is not closed within ${options.maxRecordBytes} bytes`,
    };
    this.oversize = {
      code: "oversize_record",
      reason: `the record is longer than ${options.maxRecordBytes} bytes`,
    };
  }

  /**
   * Begins with another input, or with another place of it, as one made anew would; its memory is
   * kept. For many small files that is most of what a scanner costs.
   */
  restart({ startByte, startLine }: Pick<RecordScannerOptions, "startByte" | "startLine">): void {
    this.#window.restart(startByte);
    this.startByte = this.endByte = startByte;
    this.lineNumber = this.#line = startLine;
    this.recordStart = this.recordEnd = 0;
    this.terminated = true;
    this.#restartRecord();
    this.hasHighBytes = false;
    this.#phase = BETWEEN;
    this.#trapByte = NONE;
  }

  /**
   * Where to resume from: behind the last record and what blank lines after it were consumed;
   * always where a record starts. Inside an unfinished record, its start.
   */
  get nextByte(): number {
    return this.#phase === BETWEEN ? this.#window.startByte + this.#at : this.startByte;
  }

  /** Number of the physical line that begins at `nextByte`, from 1. */
  get nextLine(): number {
    return this.#line;
  }

  /** Place in the input of the window's first byte. */
  get windowByte(): number {
    return this.#window.startByte;
  }

  /**
   * True if `next` asked for more within an oversize line: what was given of it is not needed any
   * more but for its first 8 KiB, and `room` drops it.
   */
  get isPassing(): boolean {
    return this.#phase === SKIPPING;
  }

  /**
   * Goes on at `byte` of the input instead of where it stands.
   * @param byte a place in the same oversize line, of which it has seen 8 KiB; `next` asked for more
   */
  passTo(byte: number): void {
    const isAtEnd = this.#phase === SKIPPING && this.#at === this.#window.filled;
    if (!isAtEnd || this.#oversizeHeadLength < RAW_BYTES) {
      throw new Error("passTo: the scanner is not past the first 8 KiB of an oversize line");
    }
    this.#window.restart(byte);
    this.#at = 0;
  }

  /**
   * Where to read the next bytes into, from its start; then say so with `grow`. Call it when
   * `next` asked for more; the record before is lost. At least 128 KiB.
   */
  room(): Uint8Array<ArrayBuffer> {
    const isForgotten = this.#phase === BETWEEN || this.#phase === SKIPPING;
    const shift = this.#window.makeRoom(isForgotten ? this.#at : this.recordStart);
    this.bytes = this.#window.bytes;
    if (shift > 0) this.#shift(shift);
    return this.#window.room;
  }

  /** Takes in the first `byteCount` bytes of what `room` gave. */
  grow(byteCount: number): void {
    this.#window.grow(byteCount);
  }

  /**
   * Moves to the next record or malformed line.
   * @param atEnd nothing follows what was given: a record without newline is taken, an open quote
   * is malformed. Bytes given after that begin a new record.
   */
  next(atEnd: boolean): ScanStep {
    for (;;) {
      if (this.#phase === BETWEEN && !this.#beginRecord(atEnd)) return atEnd ? "end" : "more";
      if (this.#phase === SKIPPING) return this.#skipLine(atEnd);
      const step = this.#phase === SEEKING ? this.#seekLineEnd(atEnd) : this.#scanRecord(atEnd);
      if (step !== null) return step;
    }
  }

  /**
   * Where in the window the next record begins, for one who finds the end of simple records without
   * the scanner; -1 if that is not known.
   */
  get nextStart(): number {
    const isFirst = this.#window.startByte + this.#at === 0; // there may be a byte order mark
    return this.#phase === BETWEEN && !isFirst ? this.#at : NONE;
  }

  /** Up to where in the window that record may reach if it is to have at most `maxBytes`. */
  nextLimit(maxBytes: number): number {
    return Math.min(this.#window.filled, this.#at + Math.min(maxBytes, this.#maxRecordBytes));
  }

  /**
   * Stands on `[nextStart, recordEnd)` as `next` would, but knows no fields of it.
   * @param recordEnd behind the record's newline, its only one
   */
  takeLine(recordEnd: number): void {
    this.recordStart = this.#at;
    this.startByte = this.#window.startByte + this.#at;
    this.lineNumber = this.#line;
    this.fieldCount = 0;
    this.#oversizeHeadLength = 0;
    this.#leaveRecord({ recordEnd, terminated: true });
  }

  /**
   * The record's bytes, cut at `limit`; of an oversize line 8 KiB are there. A view, good until the
   * next record.
   */
  rawBytes(limit = RAW_BYTES): Uint8Array {
    if (this.#oversizeHeadLength > 0) {
      return this.#oversizeHead.subarray(0, Math.min(limit, this.#oversizeHeadLength));
    }
    const end = Math.min(this.recordEnd, this.recordStart + limit);
    return this.bytes.subarray(this.recordStart, end);
  }

  /** Follows the window's content, which moved `shift` bytes towards its start. */
  #shift(shift: number): void {
    this.#at -= shift;
    this.recordStart -= shift;
    this.recordEnd -= shift;
    this.#fieldStart -= shift;
    if (this.#firstLineEnd !== NONE) this.#firstLineEnd -= shift;
    for (let field = Math.min(this.fieldCount, MAX_FIELDS) - 1; field >= 0; field--) {
      this.fieldStarts[field]! -= shift;
      this.fieldEnds[field]! -= shift;
    }
  }

  /** Passes empty lines. @returns false if no byte of a record is there */
  #beginRecord(atEnd: boolean): boolean {
    const { bytes } = this;
    const filled = this.#window.filled;
    if (this.#window.startByte + this.#at === 0) {
      const matched = this.#byteOrderMarkLength();
      if (matched === BYTE_ORDER_MARK.length) this.#at = matched;
      else if (matched === filled && !atEnd) return false;
    }
    let at = this.#at;
    while (at < filled && bytes[at] === LF) {
      at++;
      this.#line++;
    }
    this.#at = at;
    if (at === filled) return false;
    this.recordStart = at;
    this.startByte = this.#window.startByte + at;
    this.lineNumber = this.#line;
    this.#oversizeHeadLength = 0;
    this.#restartRecord();
    return true;
  }

  /** How many bytes of a byte order mark the window begins with. */
  #byteOrderMarkLength(): number {
    let length = 0;
    while (length < this.#window.filled && this.bytes[length] === BYTE_ORDER_MARK[length]) length++;
    return length;
  }

  #restartRecord(): void {
    this.#at = this.recordStart;
    this.#phase = PLAIN;
    this.#fieldStart = this.recordStart;
    this.fieldCount = 0;
    this.hasNul = false;
    this.#orOfBytes = 0;
    this.#innerNewlineCount = 0;
    this.#firstLineEnd = NONE;
    this.#jumped = false;
  }

  /** @returns null if there is no record here after all, and `next` is to begin anew */
  #scanRecord(atEnd: boolean): ScanStep | null {
    const hardLimit = this.recordStart + this.#maxRecordBytes + LINE_END_BYTES;
    const limit = Math.min(this.#window.filled, hardLimit);
    for (;;) {
      if (this.#phase === PLAIN && this.#scanPlain(limit)) {
        return this.#endPlainRecord({ lineEnd: this.#at + 1, terminated: true });
      }
      if (this.#phase === QUOTED) this.#scanQuoted(limit);
      if (this.#at === limit) break;
      if (this.#phase === PLAIN) continue;
      const byte = this.bytes[this.#at]!;
      if (byte === LF) {
        if (this.#phase === QUOTE_SEEN) this.#keepQuotedField();
        return this.#endRecord({ recordEnd: this.#at + 1, terminated: true });
      }
      if (this.#phase === CLOSED_CR) return this.#rejectLine(MALFORMED_QUOTE);
      if (byte === QUOTE) {
        this.#fieldQuoting = QUOTED_FIELD_WITH_QUOTES;
        this.#phase = QUOTED;
      } else if (byte === COMMA) {
        this.#keepQuotedField();
        this.#fieldStart = this.#at + 1;
        this.#phase = PLAIN;
      } else if (byte === CR) {
        this.#keepQuotedField();
        this.#phase = CLOSED_CR;
      } else {
        return this.#rejectLine(MALFORMED_QUOTE);
      }
      this.#at++;
    }
    const inQuotes = this.#phase === QUOTED || this.#phase === QUOTE_SEEN;
    if (limit === hardLimit) return this.#rejectLine(inQuotes ? this.#openQuote : this.oversize);
    if (!atEnd) return "more";
    if (this.#phase === QUOTED) return this.#rejectLine(OPEN_QUOTE_AT_END);
    if (this.#phase === PLAIN) return this.#endPlainRecord({ lineEnd: limit, terminated: false });
    if (this.#phase === QUOTE_SEEN) this.#keepQuotedField();
    return this.#endRecord({ recordEnd: limit, terminated: false });
  }

  /** Scans unquoted fields. @returns true at the newline that ends the record */
  #scanPlain(limit: number): boolean {
    const { bytes, fieldStarts, fieldEnds, fieldQuoting } = this;
    let at = this.#at;
    let fieldStart = this.#fieldStart;
    let fieldCount = this.fieldCount;
    let orOfBytes = this.#orOfBytes;
    let isNewline = false;
    for (; at < limit; at++) {
      const byte = bytes[at]!;
      if (byte > COMMA) {
        orOfBytes |= byte;
      } else if (byte === COMMA) {
        if (fieldCount < MAX_FIELDS) {
          fieldStarts[fieldCount] = fieldStart;
          fieldEnds[fieldCount] = at;
          fieldQuoting[fieldCount] = PLAIN_FIELD;
        }
        fieldCount++;
        fieldStart = at + 1;
      } else if (byte === LF) {
        isNewline = true;
        break;
      } else if (byte === QUOTE) {
        if (at === fieldStart) {
          this.#phase = QUOTED;
          this.#fieldQuoting = QUOTED_FIELD;
          at++;
          fieldStart = at;
          break;
        }
      } else if (byte === 0) {
        this.hasNul = true;
      }
    }
    this.#at = at;
    this.#fieldStart = fieldStart;
    this.fieldCount = fieldCount;
    this.#orOfBytes = orOfBytes;
    return isNewline;
  }

  /** Scans the inside of a quoted field, to behind the next quote. */
  #scanQuoted(limit: number): void {
    const { bytes } = this;
    let at = this.#at;
    let orOfBytes = this.#orOfBytes;
    while (at < limit) {
      const byte = bytes[at++]!;
      if (byte > QUOTE) {
        orOfBytes |= byte;
      } else if (byte === QUOTE) {
        this.#phase = QUOTE_SEEN;
        break;
      } else if (byte === LF) {
        this.#innerNewlineCount++;
        if (this.#firstLineEnd === NONE) this.#firstLineEnd = at;
        if (this.#window.startByte + at < this.#trapByte) {
          this.#jumped = true;
          at = this.#trapByte - this.#window.startByte;
          this.#phase = this.#trapPhase;
          this.#fieldStart = this.#trapFieldByte - this.#window.startByte;
          if (this.#phase !== QUOTED) break;
        }
      } else if (byte === 0) {
        this.hasNul = true;
      }
    }
    this.#at = at;
    this.#orOfBytes = orOfBytes;
  }

  #keepQuotedField(): void {
    this.#keepField({ end: this.#at - 1, quoting: this.#fieldQuoting });
  }

  #keepField({ end, quoting }: { end: number; quoting: number }): void {
    const index = this.fieldCount++;
    if (index >= MAX_FIELDS) return;
    this.fieldStarts[index] = this.#fieldStart;
    this.fieldEnds[index] = end;
    this.fieldQuoting[index] = quoting;
  }

  /** Ends a record whose last field is unquoted, unless it is nothing but CR. */
  #endPlainRecord(
    { lineEnd, terminated }: { lineEnd: number; terminated: boolean },
  ): ScanStep | null {
    const { bytes } = this;
    const end = this.#at;
    if (bytes[this.recordStart] === CR && this.#isOnlyCr(end)) {
      this.#at = lineEnd;
      this.#phase = BETWEEN;
      if (terminated) this.#line++;
      return null;
    }
    const hasCr = end > this.#fieldStart && bytes[end - 1] === CR;
    this.#keepField({ end: hasCr ? end - 1 : end, quoting: PLAIN_FIELD });
    return this.#endRecord({ recordEnd: lineEnd, terminated });
  }

  #isOnlyCr(end: number): boolean {
    let at = this.recordStart;
    while (at < end && this.bytes[at] === CR) at++;
    return at === end;
  }

  /** Called with `#at` still before the newline. */
  #endRecord(
    { recordEnd, terminated }: { recordEnd: number; terminated: boolean },
  ): ScanStep | null {
    if (this.#isOversize({ lineEnd: recordEnd, terminated })) {
      if (this.#firstLineEnd === NONE) return this.#endLine({ lineEnd: recordEnd, terminated });
      return this.#rejectLine(this.oversize);
    }
    if (this.#jumped) {
      // it is a record, so its fields are needed
      this.#trapByte = NONE;
      this.#restartRecord();
      return null;
    }
    this.hasHighBytes = this.#orOfBytes >= 0x80;
    this.#line += this.#innerNewlineCount;
    this.#leaveRecord({ recordEnd, terminated });
    return "record";
  }

  #leaveRecord({ recordEnd, terminated }: { recordEnd: number; terminated: boolean }): void {
    this.recordEnd = recordEnd;
    this.endByte = this.#window.startByte + recordEnd;
    this.terminated = terminated;
    this.#at = recordEnd;
    this.#phase = BETWEEN;
    if (terminated) this.#line++;
  }

  /** Whether `[recordStart, lineEnd)` is too long without its line end. */
  #isOversize({ lineEnd, terminated }: { lineEnd: number; terminated: boolean }): boolean {
    const sizeBytes = lineEnd - this.recordStart;
    if (sizeBytes <= this.#maxRecordBytes) return false;
    const newlineBytes = terminated ? 1 : 0;
    const crBytes = this.bytes[lineEnd - newlineBytes - 1] === CR ? 1 : 0;
    return sizeBytes - newlineBytes - crBytes > this.#maxRecordBytes;
  }

  /** Gives up the record: the physical line where it starts is malformed. */
  #rejectLine(problem: ScanProblem): ScanStep | null {
    this.problem = problem;
    if (this.#firstLineEnd === NONE) {
      this.#phase = SEEKING;
      return null;
    }
    this.#trapByte = this.#window.startByte + this.#at;
    this.#trapPhase = this.#phase;
    this.#trapFieldByte = this.#window.startByte + this.#fieldStart;
    return this.#endLine({ lineEnd: this.#firstLineEnd, terminated: true });
  }

  /** Goes on to the end of a malformed line. @returns null if the line is oversize */
  #seekLineEnd(atEnd: boolean): ScanStep | null {
    const hardLimit = this.recordStart + this.#maxRecordBytes + LINE_END_BYTES;
    const limit = Math.min(this.#window.filled, hardLimit);
    const lineEnd = this.#findLineEnd(limit);
    if (lineEnd !== NONE) return this.#endLine({ lineEnd, terminated: true });
    this.#at = limit;
    if (limit === hardLimit) {
      this.#phase = SKIPPING;
      this.#at = this.recordStart;
      return null;
    }
    return atEnd ? this.#endLine({ lineEnd: limit, terminated: false }) : "more";
  }

  #skipLine(atEnd: boolean): ScanStep {
    const lineEnd = this.#findLineEnd(this.#window.filled);
    const end = lineEnd === NONE ? this.#window.filled : lineEnd;
    const head = this.bytes.subarray(
      this.#at,
      Math.min(end, this.#at + RAW_BYTES - this.#oversizeHeadLength),
    );
    this.#oversizeHead.set(head, this.#oversizeHeadLength);
    this.#oversizeHeadLength += head.length;
    this.#at = end;
    if (lineEnd === NONE && !atEnd) return "more";
    this.problem = this.oversize;
    this.recordStart = end;
    this.#leaveRecord({ recordEnd: end, terminated: lineEnd !== NONE });
    return "malformed";
  }

  /** Place behind the first newline in `[#at, limit)`. */
  #findLineEnd(limit: number): number {
    const index = this.bytes.subarray(this.#at, limit).indexOf(LF);
    return index === -1 ? NONE : this.#at + index + 1;
  }

  #endLine({ lineEnd, terminated }: { lineEnd: number; terminated: boolean }): ScanStep {
    if (this.#isOversize({ lineEnd, terminated })) this.problem = this.oversize;
    this.#leaveRecord({ recordEnd: lineEnd, terminated });
    return "malformed";
  }
}
