/**
 * From a CSV record to a tuple of the target table, or to the reason why not. Built once for a
 * file from schema and header; makes no object and no string of a record that is right.
 *
 * Blanks around a field that is not text are no part of it. An empty field, quoted or not, is an
 * absent one: null or the default if the column is optional, a reject if it is required, and the
 * derived key if it is the key.
 */
import { type CsvRecord, QUOTED_FIELD_WITH_QUOTES } from "../csv/record.ts";
import type { RecordScanner } from "../csv/record_scanner.ts";
import type { FieldFault } from "./column_encoder.ts";
import { type ColumnPlan, columnPlans, plainOrder } from "./column_plan.ts";
import { DerivedKey } from "./derived_key.ts";
import {
  type FieldCursor,
  isFieldEnd,
  isPlainText,
  isQuotedText,
  trimField,
} from "./field_cursor.ts";
import type { HeaderMapping } from "./header_mapping.ts";
import { copyColumnNames, type Schema } from "./schema.ts";
import { TimeZone } from "./time_zone.ts";
import { TimestampEncoder } from "./timestamp_encoder.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";
import { isUtf8 } from "./utf8.ts";

/** Why a record cannot be loaded. */
export interface RejectReason {
  /** Null if the record as a whole is at fault. */
  readonly columnName: string | null;
  /** Short and stable, as in `bad_number`. */
  readonly code: string;
  /** A sentence for people. */
  readonly reason: string;
}

export interface RecordDecoderOptions {
  readonly schema: Schema;
  readonly mapping: HeaderMapping;
  /** Of times without a zone, and of derived dates and hours. */
  readonly timeZone: string;
  /** 10 bytes or more of a hash that tells the file and its generation. */
  readonly derivedKeyPrefix: Uint8Array;
  readonly fileId: number;
}

/** Days from 1970 to 2000, where PostgreSQL's time begins. */
const POSTGRES_EPOCH_DAYS = 10_957;
const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;
/** What any column that is not text takes at most, its length included. */
const FIXED_COLUMN_BYTES = 64;
/** So much of a wrong field is shown. */
const SHOWN_BYTES = 40;
/** Longer records are not read by `decodePlain`, so that what it may write is bounded. */
const PLAIN_RECORD_BYTES = 4096;
/** After a record that was not plain so many at most are not tried. */
const MAX_PASSED_OVER = 255;

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

interface Derivation {
  readonly from: TimestampEncoder;
  readonly kind: "date" | "hour";
}

export class RecordDecoder {
  /** How many local times that occur twice were taken as the first. May be set back. */
  ambiguousTimes = 0;
  readonly #options: RecordDecoderOptions;
  readonly #plans: readonly ColumnPlan[];
  /** In an order that `decodePlain` can follow; null if there is none. */
  readonly #plainPlans: readonly (ColumnPlan | null)[] | null;
  readonly #timestamps: readonly TimestampEncoder[];
  readonly #derivations: readonly Derivation[];
  readonly #columnCount: number;
  readonly #timeZone: TimeZone;
  readonly #derivedKey: DerivedKey;
  readonly #cursor: FieldCursor = {
    bytes: new Uint8Array(),
    at: 0,
    end: 0,
    isEndKnown: true,
    isQuoted: false,
  };
  #scratch = new Uint8Array(256);
  /** How many records `decodePlain` is to pass over, and how many it did after its last miss. */
  #toPassOver = 0;
  #passedOver = 0;

  constructor(options: RecordDecoderOptions) {
    const { schema, mapping } = options;
    this.#options = options;
    this.#timeZone = new TimeZone(options.timeZone);
    this.#plans = columnPlans(schema, { mapping, timeZone: this.#timeZone });
    this.#plainPlans = plainOrder(this.#plans, mapping.fieldCount);
    this.#timestamps = this.#plans.map(({ encoder }) => encoder)
      .filter((encoder) => encoder instanceof TimestampEncoder);
    this.#derivations = schema.derived.map(({ from, derivation }) => ({
      from: timestampNamed(this.#plans, from),
      kind: derivation,
    }));
    this.#columnCount = copyColumnNames(schema).length;
    this.#derivedKey = new DerivedKey(options.derivedKeyPrefix);
  }

  /** Appends one tuple to `out`; or leaves `out` as it was, and says why. */
  decode(record: CsvRecord, out: TupleBuffer): RejectReason | null {
    const whole = this.#checkWhole(record);
    if (whole !== null) return whole;
    const before = out.length;
    const cursor = this.#cursor;
    cursor.isEndKnown = true;
    this.#beginTuple(record.recordEnd - record.recordStart, out);
    for (let index = 0; index < this.#plans.length; index++) {
      const plan = this.#plans[index]!;
      this.#moveTo(record, plan);
      const start = cursor.at;
      let reject: RejectReason | null = null;
      if (start === cursor.end) {
        reject = this.#putAbsent(plan, record.startByte, out);
      } else {
        const fault = plan.encode(cursor, out);
        if (cursor.at < cursor.end) reject = this.#explain(plan, plan.encoder.malformed, start);
        else if (fault !== null) reject = this.#explain(plan, fault, start);
      }
      if (reject !== null) {
        out.length = before;
        return reject;
      }
    }
    this.#finishTuple(record.lineNumber, out);
    return null;
  }

  /**
   * Does the work of `scanner.next` and `decode` in one go and in half the time, if the next record
   * is there to its end, on one line, is right, is not the header again, and has its columns in the
   * order of the schema. Then the scanner stands on it, but has not split it into fields. Otherwise
   * nothing has happened, and `scanner.next` is to be asked.
   */
  decodePlain(scanner: RecordScanner, out: TupleBuffer): boolean {
    if (this.#plainPlans === null) return false;
    if (this.#toPassOver > 0) {
      this.#toPassOver--;
      return false;
    }
    const before = out.length;
    if (this.#readPlain(this.#plainPlans, scanner, out)) {
      scanner.takeLine(this.#cursor.at);
      this.#finishTuple(scanner.lineNumber, out);
      this.#passedOver = 0;
      return true;
    }
    out.length = before;
    // where many records are not plain, trying is a waste
    this.#passedOver = Math.min(2 * this.#passedOver + 1, MAX_PASSED_OVER);
    this.#toPassOver = this.#passedOver;
    return false;
  }

  /** Reads the next line, and leaves the cursor behind its newline. */
  #readPlain(
    plans: readonly (ColumnPlan | null)[],
    scanner: RecordScanner,
    out: TupleBuffer,
  ): boolean {
    const { bytes, nextStart } = scanner;
    const limit = scanner.nextLimit(PLAIN_RECORD_BYTES);
    if (nextStart === -1 || nextStart === limit || isLineEnd(bytes[nextStart]!)) return false;
    if (this.#beginsAsHeader(bytes, nextStart)) return false;
    const cursor = this.#cursor;
    cursor.bytes = bytes;
    cursor.at = nextStart;
    cursor.end = limit;
    cursor.isEndKnown = false;
    this.#beginTuple(PLAIN_RECORD_BYTES, out);
    let fieldsLeft = this.#options.mapping.fieldCount;
    for (let index = 0; index < plans.length; index++) {
      const plan = plans[index]!;
      if (plan !== null && plan.fieldIndex === -1) {
        if (this.#putAbsent(plan, scanner.nextByte, out) !== null) return false;
        continue;
      }
      // what begins with a letter or a digit is neither quoted nor empty
      const isRead = plan !== null && bytes[cursor.at]! > COMMA
        ? plan.encode(cursor, out) === null
        : this.#readOddField(plan, scanner.nextByte, out);
      if (!isRead) return false;
      if (--fieldsLeft > 0 && bytes[cursor.at++] !== COMMA) return false;
    }
    if (bytes[cursor.at] === CR) cursor.at++;
    return cursor.at < limit && bytes[cursor.at++] === LF;
  }

  /** A row that begins with all of the header's bytes may be it, and is rare enough not to care. */
  #beginsAsHeader(bytes: Uint8Array, start: number): boolean {
    const { headerBytes } = this.#options.mapping;
    let index = 0;
    while (index < headerBytes.length && bytes[start + index] === headerBytes[index]) index++;
    return index === headerBytes.length;
  }

  /** Reads a field that may be quoted, empty or of no column. */
  #readOddField(plan: ColumnPlan | null, startByte: number, out: TupleBuffer): boolean {
    const cursor = this.#cursor;
    const isQuoted = cursor.bytes[cursor.at] === QUOTE;
    if (isQuoted) cursor.at++;
    cursor.isQuoted = isQuoted;
    let isRead: boolean;
    if (plan === null) isRead = skipText(cursor);
    else if (isFieldEnd(cursor, cursor.at)) isRead = this.#putAbsent(plan, startByte, out) === null;
    else isRead = plan.encode(cursor, out) === null;
    cursor.isQuoted = false;
    return isRead && (!isQuoted || cursor.bytes[cursor.at++] === QUOTE);
  }

  #beginTuple(recordBytes: number, out: TupleBuffer): void {
    out.reserve(recordBytes + this.#columnCount * FIXED_COLUMN_BYTES);
    out.putInt16(this.#columnCount);
    for (let index = 0; index < this.#timestamps.length; index++) {
      this.#timestamps[index]!.isAmbiguous = false;
    }
  }

  /** Appends what is not in the CSV. */
  #finishTuple(lineNumber: number, out: TupleBuffer): void {
    for (let index = 0; index < this.#derivations.length; index++) {
      const { from, kind } = this.#derivations[index]!;
      const local = from.seconds + this.#timeZone.offsetAt(from.seconds);
      const day = Math.floor(local / DAY_SECONDS);
      if (kind === "date") {
        out.putInt32(4);
        out.putInt32(day - POSTGRES_EPOCH_DAYS);
      } else {
        out.putInt32(2);
        out.putInt16(Math.floor((local - day * DAY_SECONDS) / HOUR_SECONDS));
      }
    }
    out.putInt32(8);
    out.putInt64(this.#options.fileId);
    out.putInt32(8);
    out.putInt64(lineNumber);
    out.rowCount++;
    for (let index = 0; index < this.#timestamps.length; index++) {
      if (this.#timestamps[index]!.isAmbiguous) this.ambiguousTimes++;
    }
  }

  #checkWhole(record: CsvRecord): RejectReason | null {
    const { mapping } = this.#options;
    if (record.hasNul) {
      return { columnName: null, code: "nul_byte", reason: "the record contains a NUL byte" };
    }
    if (record.fieldCount !== mapping.fieldCount) {
      const isShort = record.fieldCount < mapping.fieldCount;
      return {
        columnName: null,
        code: isShort ? "short_record" : "long_record",
        reason: `the record has ${record.fieldCount} fields, the header ${mapping.fieldCount}`,
      };
    }
    if (!record.hasHighBytes) return null;
    for (let field = 0; field < record.fieldCount; field++) {
      if (isUtf8(record.bytes, record.fieldStarts[field]!, record.fieldEnds[field]!)) continue;
      const plan = this.#plans.find(({ fieldIndex }) => fieldIndex === field);
      return {
        columnName: plan?.column.name ?? null,
        code: "invalid_utf8",
        reason: `${plan?.column.name ?? `field ${field + 1}`} is not UTF-8`,
      };
    }
    return null;
  }

  /** Puts the cursor on the plan's field; on nothing if the file does not have it. */
  #moveTo(record: CsvRecord, { fieldIndex, isText }: ColumnPlan): void {
    const cursor = this.#cursor;
    cursor.bytes = record.bytes;
    if (fieldIndex === -1) {
      cursor.at = cursor.end = 0;
      return;
    }
    cursor.at = record.fieldStarts[fieldIndex]!;
    cursor.end = record.fieldEnds[fieldIndex]!;
    if (record.fieldQuoting[fieldIndex] === QUOTED_FIELD_WITH_QUOTES) this.#collapseQuotes();
    if (!isText) trimField(cursor);
  }

  /** Moves the cursor to a copy of its field in which each doubled quote is one. */
  #collapseQuotes(): void {
    const { bytes, at: start, end } = this.#cursor;
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array(2 * (end - start));
    let length = 0;
    for (let at = start; at < end; at++) {
      this.#scratch[length++] = bytes[at]!;
      if (bytes[at] === QUOTE) at++;
    }
    this.#cursor.bytes = this.#scratch;
    this.#cursor.at = 0;
    this.#cursor.end = length;
  }

  #putAbsent({ column }: ColumnPlan, startByte: number, out: TupleBuffer): RejectReason | null {
    switch (column.presence) {
      case "required":
        return {
          columnName: column.name,
          code: "missing_value",
          reason: `${column.name} is empty, and it is required`,
        };
      case "derived":
        this.#derivedKey.put(startByte, out);
        return null;
      case "optional":
        if (!("default" in column) || column.default === undefined) out.putNull();
        else if (column.type === "bigint") {
          out.putInt32(8);
          out.putInt64(column.default);
        } else {
          out.putInt32(4);
          out.putInt32(column.default);
        }
        return null;
    }
  }

  /** @param start where the cursor's field begins */
  #explain({ column }: ColumnPlan, { code, expected }: FieldFault, start: number): RejectReason {
    const { bytes, end } = this.#cursor;
    const shown = new TextDecoder().decode(
      bytes.subarray(start, Math.min(end, start + SHOWN_BYTES)),
    );
    const value = JSON.stringify(end - start > SHOWN_BYTES ? `${shown}…` : shown);
    return { columnName: column.name, code, reason: `${column.name} is ${value}: ${expected}` };
  }
}

function timestampNamed(plans: readonly ColumnPlan[], name: string): TimestampEncoder {
  const encoder = plans.find(({ column }) => column.name === name)?.encoder;
  if (encoder instanceof TimestampEncoder) return encoder;
  throw new TypeError(`a column is derived from ${name}, which is no timestamptz column`);
}

/** Moves over a field of text. @returns false if it is not UTF-8, or has quotes inside quotes */
function skipText(cursor: FieldCursor): boolean {
  const { bytes, at: start, end, isQuoted } = cursor;
  const isContent = isQuoted ? isQuotedText : isPlainText;
  while (cursor.at < end && isContent(bytes[cursor.at]!)) cursor.at++;
  return isUtf8(bytes, start, cursor.at);
}

function isLineEnd(byte: number): boolean {
  return byte === LF || byte === CR;
}
