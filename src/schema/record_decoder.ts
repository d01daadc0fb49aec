/**
 * From a CSV record to a tuple of the target table, or to the reason why not. Built once for a
 * file from schema and header; makes no object and no string of a record that is right.
 *
 * Blanks around a field that is not text are no part of it. An empty field, quoted or not, is an
 * absent one: null or the default if the column is optional, a reject if it is required, and the
 * derived key if it is the key.
 */
import { type CsvRecord, QUOTED_FIELD_WITH_QUOTES } from "../csv/record.ts";
import { type ColumnEncoder, columnEncoder, type FieldRange } from "./column_encoder.ts";
import { DerivedKey } from "./derived_key.ts";
import type { HeaderMapping } from "./header_mapping.ts";
import { copyColumnNames, type Schema, type SourceColumn } from "./schema.ts";
import { TimestampReader } from "./timestamp.ts";
import { TimeZone } from "./time_zone.ts";
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

/** Seconds from 1970 to 2000, where PostgreSQL's time begins, and the same in days. */
const POSTGRES_EPOCH_SECONDS = 946_684_800;
const POSTGRES_EPOCH_DAYS = 10_957;
const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;
const MICROS = 1_000_000;
/** Within so many seconds, microseconds are exact in a double: 285 years. */
const EXACT_SECONDS = 9_000_000_000;
/** What any column that is not text takes at most, its length included. */
const FIXED_COLUMN_BYTES = 64;
/** So much of a wrong field is shown. */
const SHOWN_BYTES = 40;
const BLANK = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;

/** A column with what reads it; `encoder` is null for timestamps. */
interface Plan {
  readonly column: SourceColumn;
  readonly fieldIndex: number;
  readonly encoder: ColumnEncoder | null;
  readonly isText: boolean;
}

interface Derivation {
  /** Index of the timestamp among the plans. */
  readonly from: number;
  readonly kind: "date" | "hour";
}

export class RecordDecoder {
  /** How many local times that occur twice were taken as the first. May be set back. */
  ambiguousTimes = 0;
  readonly #options: RecordDecoderOptions;
  readonly #plans: readonly Plan[];
  readonly #derivations: readonly Derivation[];
  readonly #columnCount: number;
  readonly #timeZone: TimeZone;
  readonly #timestamp: TimestampReader;
  readonly #derivedKey: DerivedKey;
  /** Seconds since 1970 of the current record's timestamps, by plan. */
  readonly #seconds: Float64Array;
  readonly #range: FieldRange = { start: 0, end: 0 };
  #scratch = new Uint8Array(256);

  constructor(options: RecordDecoderOptions) {
    const { schema, mapping } = options;
    this.#options = options;
    this.#plans = schema.columns.map((column, index) => ({
      column,
      fieldIndex: mapping.fieldIndexes[index] ?? -1,
      encoder: column.type === "timestamptz" ? null : columnEncoder(column),
      isText: column.type === "text",
    }));
    this.#derivations = schema.derived.map(({ from, derivation }) => ({
      from: schema.columns.findIndex(({ name }) => name === from),
      kind: derivation,
    }));
    this.#columnCount = copyColumnNames(schema).length;
    this.#timeZone = new TimeZone(options.timeZone);
    this.#timestamp = new TimestampReader(this.#timeZone);
    this.#derivedKey = new DerivedKey(options.derivedKeyPrefix);
    this.#seconds = new Float64Array(schema.columns.length);
  }

  /** Appends one tuple to `out`; or leaves `out` as it was, and says why. */
  decode(record: CsvRecord, out: TupleBuffer): RejectReason | null {
    const whole = this.#checkWhole(record);
    if (whole !== null) return whole;
    const before = out.length;
    out.reserve(record.recordEnd - record.recordStart + this.#columnCount * FIXED_COLUMN_BYTES);
    out.putInt16(this.#columnCount);
    let ambiguous = 0;
    for (let index = 0; index < this.#plans.length; index++) {
      const plan = this.#plans[index]!;
      const bytes = this.#field(record, plan);
      const { start, end } = this.#range;
      let reject: RejectReason | null = null;
      if (start === end) {
        reject = this.#putAbsent(plan, record, out);
      } else if (plan.encoder !== null) {
        const fault = plan.encoder.encode(bytes, this.#range, out);
        if (fault !== null) reject = this.#faultOf(plan, bytes, fault);
      } else {
        reject = this.#putTimestamp(index, bytes, out);
        if (this.#timestamp.isAmbiguous) ambiguous++;
      }
      if (reject !== null) {
        out.length = before;
        return reject;
      }
    }
    this.#putDerived(out);
    out.putInt32(8);
    out.putInt64(this.#options.fileId);
    out.putInt32(8);
    out.putInt64(record.lineNumber);
    out.rowCount++;
    this.ambiguousTimes += ambiguous;
    return null;
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

  /** Sets the range of the plan's field. @returns the bytes it is in */
  #field(record: CsvRecord, { fieldIndex, isText }: Plan): Uint8Array {
    const range = this.#range;
    let { bytes } = record;
    if (fieldIndex === -1) {
      range.start = range.end = 0;
      return bytes;
    }
    range.start = record.fieldStarts[fieldIndex]!;
    range.end = record.fieldEnds[fieldIndex]!;
    if (record.fieldQuoting[fieldIndex] === QUOTED_FIELD_WITH_QUOTES) {
      bytes = this.#withoutDoubledQuotes(bytes);
    }
    if (!isText) {
      while (range.start < range.end && isBlank(bytes[range.start]!)) range.start++;
      while (range.end > range.start && isBlank(bytes[range.end - 1]!)) range.end--;
    }
    return bytes;
  }

  #withoutDoubledQuotes(bytes: Uint8Array): Uint8Array {
    const { start, end } = this.#range;
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array(2 * (end - start));
    let length = 0;
    for (let at = start; at < end; at++) {
      this.#scratch[length++] = bytes[at]!;
      if (bytes[at] === QUOTE) at++;
    }
    this.#range.start = 0;
    this.#range.end = length;
    return this.#scratch;
  }

  #putAbsent({ column }: Plan, record: CsvRecord, out: TupleBuffer): RejectReason | null {
    switch (column.presence) {
      case "required":
        return {
          columnName: column.name,
          code: "missing_value",
          reason: `${column.name} is empty, and it is required`,
        };
      case "derived":
        this.#derivedKey.put(record.startByte, out);
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

  #putTimestamp(index: number, bytes: Uint8Array, out: TupleBuffer): RejectReason | null {
    const { start, end } = this.#range;
    const fault = this.#timestamp.read(bytes, start, end);
    if (fault !== null) {
      const expected = fault === "time_skipped"
        ? `does not exist in ${this.#options.timeZone}: clocks were put forward over it`
        : "expected ISO 8601, or epoch seconds or milliseconds";
      return this.#faultOf(this.#plans[index]!, bytes, { code: fault, expected });
    }
    const { seconds, micros } = this.#timestamp;
    this.#seconds[index] = seconds;
    const sinceEpoch = seconds - POSTGRES_EPOCH_SECONDS;
    out.putInt32(8);
    if (sinceEpoch > -EXACT_SECONDS && sinceEpoch < EXACT_SECONDS) {
      out.putInt64(sinceEpoch * MICROS + micros);
    } else {
      out.putBigInt64(BigInt(sinceEpoch) * BigInt(MICROS) + BigInt(micros));
    }
    return null;
  }

  #putDerived(out: TupleBuffer): void {
    for (let index = 0; index < this.#derivations.length; index++) {
      const { from, kind } = this.#derivations[index]!;
      const seconds = this.#seconds[from]!;
      const local = seconds + this.#timeZone.offsetAt(seconds);
      const day = Math.floor(local / DAY_SECONDS);
      if (kind === "date") {
        out.putInt32(4);
        out.putInt32(day - POSTGRES_EPOCH_DAYS);
      } else {
        out.putInt32(2);
        out.putInt16(Math.floor((local - day * DAY_SECONDS) / HOUR_SECONDS));
      }
    }
  }

  #faultOf(
    { column }: Plan,
    bytes: Uint8Array,
    { code, expected }: { code: string; expected: string },
  ): RejectReason {
    const { start, end } = this.#range;
    const shown = new TextDecoder().decode(
      bytes.subarray(start, Math.min(end, start + SHOWN_BYTES)),
    );
    const value = JSON.stringify(end - start > SHOWN_BYTES ? `${shown}…` : shown);
    return { columnName: column.name, code, reason: `${column.name} is ${value}: ${expected}` };
  }
}

function isBlank(byte: number): boolean {
  return byte === BLANK || byte === TAB;
}
