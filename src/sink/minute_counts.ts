import { type MinuteSums, type Schema, type SourceColumn, sumsColumns } from "../schema/schema.ts";
import { COPY_HEADER_BYTES } from "../schema/tuple_buffer.ts";
import type { Batch } from "./batch.ts";

/** What rows of one minute and type come to. */
export interface MinuteCount {
  /** Whole minutes since 1970. */
  readonly minute: number;
  readonly eventType: string;
  readonly events: number;
  /** Sum of the quantities. */
  readonly units: number;
  /** Sum of price * quantity, as SQL reads a numeric. */
  readonly amount: string;
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

/** Sums of one minute and type, in units of the price's last decimal. */
interface Sums {
  readonly minute: number;
  readonly type: number;
  events: number;
  units: number;
  /** A safe integer; what does not fit is in `amountBeyond`. */
  amount: number;
  amountBeyond: bigint;
}

/** Counts a batch's rows by minute and type, from their tuples. */
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

  /** @param isOut rows that did not enter the table; null if all did */
  count(batch: Batch, isOut: ((row: number) => boolean) | null): MinuteCount[] {
    const { tupleEnds, rowCount, tuples } = batch;
    const view = new DataView(tuples.bytes.buffer, tuples.bytes.byteOffset);
    const { time, type, price, quantity } = this.#columns;
    const places = this.#places;
    const found = new Map<number, Sums>();
    let last: Sums | null = null;
    for (let row = 0; row < rowCount; row++) {
      if (isOut?.(row)) continue;
      let at = (row === 0 ? COPY_HEADER_BYTES : tupleEnds[row - 1]!) + COLUMN_COUNT_BYTES;
      for (let column = 0; column < places.length; column++) {
        places[column] = at + LENGTH_BYTES;
        at += LENGTH_BYTES + Math.max(0, view.getInt32(at));
      }
      const minute = minuteAt(view, places[time]!);
      const typeIndex = this.#typeAt(view, places[type]!);
      if (last === null || last.minute !== minute || last.type !== typeIndex) {
        const name: number = minute * this.#types.length + typeIndex;
        last = found.get(name) ?? null;
        if (last === null) {
          last = { minute, type: typeIndex, events: 0, units: 0, amount: 0, amountBeyond: 0n };
          found.set(name, last);
        }
      }
      add(last, {
        price: this.#unitsAt(view, places[price]!),
        quantity: view.getInt32(places[quantity]!),
      });
    }
    return Array.from(found.values(), (sums) => this.#told(sums));
  }

  #told({ minute, type, events, units, amount, amountBeyond }: Sums): MinuteCount {
    return {
      minute: minute + MINUTES_TO_2000,
      eventType: this.#types[type]!,
      events,
      units,
      amount: decimal(BigInt(amount) + amountBeyond, this.#scale),
    };
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

function add(sums: Sums, { price, quantity }: { price: number; quantity: number }): void {
  sums.events++;
  sums.units += quantity;
  const amount = price * quantity;
  const sum = sums.amount + amount;
  if (Number.isSafeInteger(amount) && Number.isSafeInteger(sum)) sums.amount = sum;
  else sums.amountBeyond += BigInt(price) * BigInt(quantity);
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
