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
import { COMMA_STOPS, END_STOPS, QUOTE_STOPS } from "./column_encoder.ts";
import { type ColumnPlan, columnPlans, plainOrder } from "./column_plan.ts";
import { DerivedColumns } from "./derived_columns.ts";
import { DerivedKey } from "./derived_key.ts";
import { isBlank, isFieldEnd, isLineEnd, skipText } from "./field_bytes.ts";
import type { HeaderMapping } from "./header_mapping.ts";
import { missingValue, type RejectReason, wholeRecordFault, wrongValue } from "./reject_reason.ts";
import { copyColumnNames, type Schema } from "./schema.ts";
import { timeZoneNamed } from "./time_zone.ts";
import { TimestampEncoder } from "./timestamp_encoder.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";

export type { RejectReason } from "./reject_reason.ts";

/** The file that the records come from. */
export interface RecordOrigin {
  /** 10 bytes or more of a hash that tells the file and its generation. */
  readonly derivedKeyPrefix: Uint8Array;
  readonly fileId: number;
}

export interface RecordDecoderOptions extends RecordOrigin {
  readonly schema: Schema;
  readonly mapping: HeaderMapping;
  /** Of times without a zone, and of derived dates and hours. */
  readonly timeZone: string;
}

/** What any column that is not text takes at most, its length included. */
const FIXED_COLUMN_BYTES = 64;
/** Longer records are not read by `decodePlain`, so that what it may write is bounded. */
const PLAIN_RECORD_BYTES = 4096;
/** After a record that was not plain so many at most are not tried. */
const MAX_PASSED_OVER = 255;

/** In place of the end of a record that `decodePlain` cannot take. */
const NOT_PLAIN = -1;

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

export class RecordDecoder {
  /** How many local times that occur twice were taken as the first. May be set back. */
  ambiguousTimes = 0;
  readonly #options: RecordDecoderOptions;
  readonly #plans: readonly ColumnPlan[];
  /** In an order that `decodePlain` can follow; null if there is none. */
  readonly #plainPlans: readonly (ColumnPlan | null)[] | null;
  readonly #timestamps: readonly TimestampEncoder[];
  readonly #derivedColumns: DerivedColumns;
  readonly #columnCount: number;
  readonly #fieldCount: number;
  #derivedKey: DerivedKey;
  #fileId: number;
  #scratch = new Uint8Array(256);
  /** How many records `decodePlain` is to pass over, and how many it did after its last miss. */
  #toPassOver = 0;
  #passedOver = 0;

  constructor(options: RecordDecoderOptions) {
    const { schema, mapping } = options;
    this.#options = options;
    const timeZone = timeZoneNamed(options.timeZone);
    this.#plans = columnPlans(schema, { mapping, timeZone });
    this.#plainPlans = plainOrder(this.#plans, mapping.fieldCount);
    this.#timestamps = this.#plans.map(({ encoder }) => encoder)
      .filter((encoder) => encoder instanceof TimestampEncoder);
    this.#derivedColumns = new DerivedColumns(schema, { plans: this.#plans, timeZone });
    this.#columnCount = copyColumnNames(schema).length;
    this.#fieldCount = mapping.fieldCount;
    this.#derivedKey = new DerivedKey(options.derivedKeyPrefix);
    this.#fileId = options.fileId;
  }

  /**
   * Goes on with another file whose header is the same, byte for byte, and whose schema and time
   * zone are; as a decoder made for it would.
   */
  retarget({ derivedKeyPrefix, fileId }: RecordOrigin): void {
    this.#derivedKey = new DerivedKey(derivedKeyPrefix);
    this.#fileId = fileId;
    this.ambiguousTimes = 0;
    this.#toPassOver = this.#passedOver = 0;
  }

  /** Appends one tuple to `out`; or leaves `out` as it was, and says why. */
  decode(record: CsvRecord, out: TupleBuffer): RejectReason | null {
    const fault = wholeRecordFault(record, this.#options);
    if (fault !== null) return fault;
    const before = out.length;
    this.#beginTuple(record.recordEnd - record.recordStart, out);
    for (let index = 0; index < this.#plans.length; index++) {
      const reject = this.#putField(this.#plans[index]!, record, out);
      if (reject === null) continue;
      this.#takeBack(before, out);
      return reject;
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
    const plans = this.#plainPlans;
    if (plans === null) return false;
    if (this.#toPassOver > 0) {
      this.#toPassOver--;
      return false;
    }
    const start = scanner.nextStart;
    const limit = scanner.nextLimit(PLAIN_RECORD_BYTES);
    if (start === -1 || start >= limit) return false;
    const before = out.length;
    const lineEnd = this.#readPlain(plans, scanner, limit, out);
    if (lineEnd !== NOT_PLAIN) {
      scanner.takeLine(lineEnd);
      this.#finishTuple(scanner.lineNumber, out);
      this.#passedOver = 0;
      return true;
    }
    this.#takeBack(before, out);
    // where many records are not plain, trying is a waste
    this.#passedOver = Math.min(2 * this.#passedOver + 1, MAX_PASSED_OVER);
    this.#toPassOver = this.#passedOver;
    return false;
  }

  /** Reads the next line. @returns the place behind its newline, or `NOT_PLAIN` */
  #readPlain(
    plans: readonly (ColumnPlan | null)[],
    scanner: RecordScanner,
    limit: number,
    out: TupleBuffer,
  ): number {
    const { bytes } = scanner;
    let at = scanner.nextStart;
    if (isLineEnd(bytes[at]!) || this.#beginsAsHeader(bytes, at)) return NOT_PLAIN;
    this.#beginTuple(PLAIN_RECORD_BYTES, out);
    let fieldsLeft = this.#fieldCount;
    for (let index = 0; index < plans.length; index++) {
      const plan = plans[index]!;
      if (plan !== null && plan.fieldIndex === -1) {
        if (!this.#putAbsent(plan, scanner.nextByte, out)) return NOT_PLAIN;
        continue;
      }
      // what begins with a letter or a digit is neither quoted nor empty
      at = plan !== null && bytes[at]! > COMMA
        ? plan.encode.call(plan.encoder, bytes, at, limit, COMMA_STOPS, out)
        : this.#readOddField(plan, scanner, at, limit, out);
      if (at < 0 || at >= limit) return NOT_PLAIN;
      if (--fieldsLeft > 0 && bytes[at++] !== COMMA) return NOT_PLAIN;
      if (at >= limit) return NOT_PLAIN;
    }
    if (bytes[at] === CR && ++at >= limit) return NOT_PLAIN;
    return bytes[at] === LF ? at + 1 : NOT_PLAIN;
  }

  /** A row that begins with all of the header's bytes may be it, and is rare enough not to care. */
  #beginsAsHeader(bytes: Uint8Array, start: number): boolean {
    const { headerBytes } = this.#options.mapping;
    let index = 0;
    while (index < headerBytes.length && bytes[start + index] === headerBytes[index]) index++;
    return index === headerBytes.length;
  }

  /**
   * Reads a field that may be quoted, empty or of no column.
   * @returns the place behind it, quotes included; below 0 if it is not plain
   */
  #readOddField(
    plan: ColumnPlan | null,
    scanner: RecordScanner,
    at: number,
    limit: number,
    out: TupleBuffer,
  ): number {
    const { bytes } = scanner;
    const isQuoted = bytes[at] === QUOTE;
    const stop = isQuoted ? QUOTE_STOPS : COMMA_STOPS;
    if (isQuoted) at++;
    // two quotes at the start of a quoted field are content, not its end
    const isEmpty = isFieldEnd(bytes, at, limit, stop) && !(isQuoted && bytes[at + 1] === QUOTE);
    if (plan === null) at = skipText(bytes, at, limit, stop);
    else if (isEmpty) {
      if (!this.#putAbsent(plan, scanner.nextByte, out)) return NOT_PLAIN;
    } else at = plan.encode.call(plan.encoder, bytes, at, limit, stop, out);
    if (!isQuoted || at < 0) return at;
    return at < limit && bytes[at] === QUOTE ? at + 1 : NOT_PLAIN;
  }

  #beginTuple(recordBytes: number, out: TupleBuffer): void {
    out.reserve(recordBytes + this.#columnCount * FIXED_COLUMN_BYTES);
    out.putInt16(this.#columnCount);
  }

  /** Appends what is not in the CSV. */
  #finishTuple(lineNumber: number, out: TupleBuffer): void {
    this.#derivedColumns.put(out);
    out.putInt32(8);
    out.putInt64(this.#fileId);
    out.putInt32(8);
    out.putInt64(lineNumber);
    out.rowCount++;
    for (let index = 0; index < this.#timestamps.length; index++) {
      const timestamp = this.#timestamps[index]!;
      if (!timestamp.isAmbiguous) continue;
      timestamp.isAmbiguous = false;
      this.ambiguousTimes++;
    }
  }

  /** Undoes a tuple that was begun. */
  #takeBack(before: number, out: TupleBuffer): void {
    out.length = before;
    for (const timestamp of this.#timestamps) timestamp.isAmbiguous = false;
  }

  /** Appends the plan's column of a record that was split into fields. */
  #putField(plan: ColumnPlan, record: CsvRecord, out: TupleBuffer): RejectReason | null {
    const { column, fieldIndex } = plan;
    let { bytes } = record;
    let at = 0;
    let end = 0;
    if (fieldIndex !== -1) {
      at = record.fieldStarts[fieldIndex]!;
      end = record.fieldEnds[fieldIndex]!;
      if (record.fieldQuoting[fieldIndex] === QUOTED_FIELD_WITH_QUOTES) {
        end = this.#collapseQuotes(bytes, at, end);
        bytes = this.#scratch;
        at = 0;
      }
      if (!plan.isText) {
        while (at < end && isBlank(bytes[at]!)) at++;
        while (end > at && isBlank(bytes[end - 1]!)) end--;
      }
    }
    if (at === end) {
      return this.#putAbsent(plan, record.startByte, out) ? null : missingValue(column.name);
    }
    const behind = plan.encode.call(plan.encoder, bytes, at, end, END_STOPS, out);
    if (behind === end) return null;
    const { faults } = plan.encoder;
    const fault = behind < 0 ? faults[-1 - behind]! : faults[0];
    return wrongValue(column.name, fault, bytes.subarray(at, end));
  }

  /** Copies `[start, end)` with each doubled quote as one. @returns the length of the copy */
  #collapseQuotes(bytes: Uint8Array, start: number, end: number): number {
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array(2 * (end - start));
    let length = 0;
    for (let at = start; at < end; at++) {
      this.#scratch[length++] = bytes[at]!;
      if (bytes[at] === QUOTE) at++;
    }
    return length;
  }

  /** Appends what stands for an absent field. @returns false if it is required */
  #putAbsent({ column }: ColumnPlan, startByte: number, out: TupleBuffer): boolean {
    switch (column.presence) {
      case "required":
        return false;
      case "derived":
        this.#derivedKey.put(startByte, out);
        return true;
      case "optional":
        if (!("default" in column) || column.default === undefined) out.putNull();
        else if (column.type === "bigint") {
          out.putInt32(8);
          out.putInt64(column.default);
        } else {
          out.putInt32(4);
          out.putInt32(column.default);
        }
        return true;
    }
  }
}
