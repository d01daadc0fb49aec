import { type MinuteSums, type Schema, type SourceColumn, sumsColumns } from "../schema/schema.ts";
import { COPY_HEADER_BYTES } from "../schema/tuple_buffer.ts";
import type { Batch } from "./batch.ts";

/**
 * What rows of one type come to by minute. Each is an array as SQL reads it, of one element a minute:
 * a batch may have a minute for every row, and that many objects cost more than all else of it.
 */
export interface MinuteCounts {
  readonly eventType: string;
  /** Whole minutes since 1970. */
  readonly minutes: string;
  readonly events: string;
  /** Sums of the quantities. */
  readonly units: string;
  /** Sums of price * quantity. */
  readonly amounts: string;
}

/** In front of a tuple: how many columns it has. In front of a column: its length, or -1. */
const COLUMN_COUNT_BYTES = 2;
const LENGTH_BYTES = 4;
/** A numeric: digits, weight, sign, decimals; then its digits of base 10000. */
const NUMERIC_HEADER_BYTES = 8;
const NUMERIC_NEGATIVE = 0x4000;
const BASE = 10_000;
const BASE_DIGITS = 4;
const TWO_TO_32 = 0x1_0000_0000;
const MINUTE_US = 60_000_000;
/** PostgreSQL counts from 2000-01-01. */
const MINUTES_TO_2000 = 15_778_080;
/** Beyond, the high half of a time in µs does not fit a double together with the low one. */
const EXACT_HIGH = 0x20_0000;

/** No sums. */
const EMPTY = 0;
/** With more than half of its slots taken a table is slow. */
const SLOTS_PER_ROW = 2;
const LONGEST_NUMBER = 24;
const [MINUS, COMMA, POINT, ZERO, OPENING, CLOSING] = [0x2d, 0x2c, 0x2e, 0x30, 0x7b, 0x7d] as const;

/** Counts a batch's rows by minute and type, from their tuples. What it works with is kept. */
export class MinuteCounter {
  readonly #columns: {
    readonly time: number;
    readonly type: number;
    readonly price: number;
    readonly quantity: number;
  };
  readonly #types: readonly string[];
  readonly #typeBytes: readonly Uint8Array[];
  readonly #scale: number;
  readonly #places: Int32Array;
  /** 1 and up: whose sums; found by minute and type. */
  #slots = new Int32Array(0);
  #count = 0;
  #minutes = new Float64Array(0);
  #typeOf = new Uint8Array(0);
  #events = new Int32Array(0);
  #units = new Float64Array(0);
  /** In units of the price's last decimal; safe integers, and what does not fit is beside. */
  #amounts = new Float64Array(0);
  readonly #amountsBeyond = new Map<number, bigint>();
  #text = new Uint8Array(0);

  constructor(schema: Schema & { readonly minutes: MinuteSums }) {
    const { time, type, price, quantity } = sumsColumns(schema);
    const placeOf = ({ name }: SourceColumn) =>
      schema.columns.findIndex((column) => column.name === name);
    this.#columns = {
      time: placeOf(time),
      type: placeOf(type),
      price: placeOf(price),
      quantity: placeOf(quantity),
    };
    this.#types = type.allowed;
    this.#typeBytes = type.allowed.map((text) => new TextEncoder().encode(text));
    this.#scale = price.scale;
    this.#places = new Int32Array(1 + Math.max(...Object.values(this.#columns)));
  }

  /**
   * @param rowsOut those that did not enter the table
   * @returns one for each type that has rows
   */
  count(batch: Batch, rowsOut: ReadonlySet<number>): MinuteCounts[] {
    const { tupleEnds, rowCount, tuples } = batch;
    this.#empty(rowCount);
    const view = new DataView(tuples.bytes.buffer, tuples.bytes.byteOffset);
    const { time, type, price, quantity } = this.#columns;
    const places = this.#places;
    let sums = -1;
    for (let row = 0; row < rowCount; row++) {
      if (rowsOut.has(row)) continue;
      let at = (row === 0 ? COPY_HEADER_BYTES : tupleEnds[row - 1]!) + COLUMN_COUNT_BYTES;
      for (let column = 0; column < places.length; column++) {
        places[column] = at + LENGTH_BYTES;
        at += LENGTH_BYTES + Math.max(0, view.getInt32(at));
      }
      const minute = minuteAt(view, places[time]!);
      const typeIndex = this.#typeAt(view, places[type]!);
      const isSame = sums >= 0 && this.#minutes[sums] === minute &&
        this.#typeOf[sums] === typeIndex;
      if (!isSame) sums = this.#sumsOf(minute, typeIndex);
      this.#add(sums, this.#unitsAt(view, places[price]!), view.getInt32(places[quantity]!));
    }
    return this.#types.flatMap((eventType, index) => {
      const minutes = this.#array(index, (each) => this.#minutes[each]! + MINUTES_TO_2000, 0);
      if (minutes === null) return [];
      return {
        eventType,
        minutes,
        events: this.#array(index, (each) => this.#events[each]!, 0)!,
        units: this.#array(index, (each) => this.#units[each]!, 0)!,
        amounts: this.#array(index, (each) => this.#amounts[each]!, this.#scale)!,
      };
    });
  }

  /** Makes room for so many rows. */
  #empty(rowCount: number): void {
    const slotCount = 2 ** Math.ceil(Math.log2(SLOTS_PER_ROW * rowCount + 1));
    if (this.#slots.length < slotCount) {
      this.#slots = new Int32Array(slotCount);
      this.#minutes = new Float64Array(slotCount);
      this.#typeOf = new Uint8Array(slotCount);
      this.#events = new Int32Array(slotCount);
      this.#units = new Float64Array(slotCount);
      this.#amounts = new Float64Array(slotCount);
    } else {
      this.#slots.fill(EMPTY);
    }
    this.#count = 0;
    this.#amountsBeyond.clear();
  }

  #sumsOf(minute: number, type: number): number {
    const mask = this.#slots.length - 1;
    let slot = Math.imul(minute * this.#types.length + type | 0, 0x9e37_79b1) >>> 7 & mask;
    for (;; slot = slot + 1 & mask) {
      const sums = this.#slots[slot]! - 1;
      if (sums < 0) break;
      if (this.#minutes[sums] === minute && this.#typeOf[sums] === type) return sums;
    }
    const sums = this.#count++;
    this.#slots[slot] = sums + 1;
    this.#minutes[sums] = minute;
    this.#typeOf[sums] = type;
    this.#events[sums] = 0;
    this.#units[sums] = 0;
    this.#amounts[sums] = 0;
    return sums;
  }

  #add(sums: number, price: number, quantity: number): void {
    this.#events[sums]!++;
    this.#units[sums]! += quantity;
    const amount = price * quantity;
    const sum = this.#amounts[sums]! + amount;
    if (Number.isSafeInteger(amount) && Number.isSafeInteger(sum)) {
      this.#amounts[sums] = sum;
    } else {
      const beyond = this.#amountsBeyond.get(sums) ?? 0n;
      this.#amountsBeyond.set(sums, beyond + BigInt(price) * BigInt(quantity));
    }
  }

  /**
   * The sums of a type, of one kind, as SQL reads an array; null if there are none.
   * @param scale decimals; those with some are amounts
   */
  #array(type: number, valueOf: (sums: number) => number, scale: number): string | null {
    const longest = this.#count * LONGEST_NUMBER + 2;
    if (this.#text.length < longest) this.#text = new Uint8Array(2 * longest);
    let text = this.#text;
    let length = 0;
    for (let sums = 0; sums < this.#count; sums++) {
      if (this.#typeOf[sums] !== type) continue;
      text[length++] = length === 1 ? OPENING : COMMA;
      const beyond = scale > 0 ? this.#amountsBeyond.get(sums) : undefined;
      if (beyond === undefined) {
        length = putNumber(text, length, valueOf(sums), scale);
      } else {
        const number = decimal(beyond + BigInt(valueOf(sums)), scale);
        if (length + number.length + longest > text.length) {
          const larger = new Uint8Array(2 * (text.length + number.length));
          larger.set(text);
          text = this.#text = larger;
        }
        length += new TextEncoder().encodeInto(number, text.subarray(length)).written;
      }
    }
    if (length === 0) return null;
    text[length++] = CLOSING;
    return new TextDecoder().decode(text.subarray(0, length));
  }

  #typeAt(view: DataView, at: number): number {
    const length = view.getInt32(at - LENGTH_BYTES);
    const index = this.#typeBytes.findIndex((bytes) => {
      if (bytes.length !== length) return false;
      for (let byte = 0; byte < length; byte++) {
        if (bytes[byte] !== view.getUint8(at + byte)) return false;
      }
      return true;
    });
    if (index < 0) throw new Error("a row's type is none of those allowed");
    return index;
  }

  /** The numeric in units of its column's last decimal. */
  #unitsAt(view: DataView, at: number): number {
    const count = view.getInt16(at);
    const weight = view.getInt16(at + 2);
    const isNegative = view.getInt16(at + 4) === NUMERIC_NEGATIVE;
    let value = 0;
    for (let digit = 0; digit < count; digit++) {
      value = value * BASE + view.getInt16(at + NUMERIC_HEADER_BYTES + 2 * digit);
    }
    // of the last digit; what is divided away is zeros, for the column has no finer decimals
    const power = BASE_DIGITS * (weight - count + 1) + this.#scale;
    const units = power >= 0 ? value * 10 ** power : value / 10 ** -power;
    return isNegative ? -units : units;
  }
}

/** Whole minutes since 2000, rounded down. */
function minuteAt(view: DataView, at: number): number {
  const high = view.getInt32(at);
  if (high >= -EXACT_HIGH && high < EXACT_HIGH) {
    return Math.floor((high * TWO_TO_32 + view.getUint32(at + 4)) / MINUTE_US);
  }
  const time = view.getBigInt64(at);
  const minute = time / BigInt(MINUTE_US);
  return Number(minute) - (time < 0n && time % BigInt(MINUTE_US) !== 0n ? 1 : 0);
}

/**
 * Puts a safe integer, in units of the last decimal, as a decimal number.
 * @returns where it ends
 */
function putNumber(text: Uint8Array, start: number, value: number, scale: number): number {
  let at = start;
  if (value < 0) text[at++] = MINUS;
  let rest = Math.abs(value);
  let digits = 1;
  for (let power = 10; power <= rest; power *= 10) digits++;
  digits = Math.max(digits, scale + 1);
  const end = at + digits + (scale > 0 ? 1 : 0);
  for (let digit = 0, to = end; digit < digits; digit++) {
    if (scale > 0 && digit === scale) text[--to] = POINT;
    const tens = Math.floor(rest / 10);
    text[--to] = ZERO + rest - 10 * tens;
    rest = tens;
  }
  return end;
}

/** `1234n` of scale 2 is `12.34`. */
function decimal(units: bigint, scale: number): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  const point = digits.length - scale;
  const sign = units < 0n ? "-" : "";
  return scale === 0
    ? `${sign}${digits}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
