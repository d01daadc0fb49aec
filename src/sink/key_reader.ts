import { keyColumn, type Schema } from "../schema/schema.ts";
import { COPY_HEADER_BYTES } from "../schema/tuple_buffer.ts";
import type { Batch } from "./batch.ts";

/** In front of a tuple: how many columns it has. In front of a column: its length, or -1. */
const COLUMN_COUNT_BYTES = 2;
const LENGTH_BYTES = 4;
const UUID_BYTES = 16;
const BIGINT_BYTES = 8;
const OPENING_BRACE = 0x7b;
const COMMA = 0x2c;
const HEX_DIGITS = new TextEncoder().encode("0123456789abcdef");
const TWO_TO_16 = 0x1_0000;
const TWO_TO_32 = 0x1_0000_0000;

/** Reads the keys of a batch's rows from their tuples. */
export class KeyReader {
  /** The key's type, as SQL. */
  readonly type: "uuid" | "bigint";
  readonly #columnsBeforeKey: number;
  #view = new DataView(new ArrayBuffer(0));
  #places = new Int32Array(0);
  #text = new Uint8Array(0);
  #rowCount = 0;

  constructor(schema: Schema) {
    const { type } = keyColumn(schema);
    if (type !== "uuid" && type !== "bigint") throw new TypeError(`a key of type ${type}`);
    this.type = type;
    this.#columnsBeforeKey = schema.columns.findIndex(({ name }) => name === schema.key);
  }

  /** The methods below are about this batch, as it is now. */
  read(batch: Batch): void {
    const { rowCount, tuples } = batch;
    this.#rowCount = rowCount;
    this.#view = new DataView(tuples.bytes.buffer, tuples.bytes.byteOffset);
    if (this.#places.length < rowCount) this.#places = new Int32Array(rowCount);
    const { tupleEnds } = batch;
    let tupleAt = COPY_HEADER_BYTES;
    for (let row = 0; row < rowCount; row++) {
      let at = tupleAt + COLUMN_COUNT_BYTES;
      for (let column = 0; column < this.#columnsBeforeKey; column++) {
        at += LENGTH_BYTES + Math.max(0, this.#view.getInt32(at));
      }
      this.#places[row] = at + LENGTH_BYTES;
      tupleAt = tupleEnds[row]!;
    }
  }

  /**
   * Where the key of each row stands among others, nearly: smaller keys have no larger number. Of a
   * uuid these are the first 48 bits, which are all of the time in a time-ordered one.
   */
  ranks(): Float64Array {
    const view = this.#view;
    const ranks = new Float64Array(this.#rowCount);
    for (let row = 0; row < ranks.length; row++) {
      const at = this.#places[row]!;
      ranks[row] = this.type === "uuid"
        ? view.getUint32(at) * TWO_TO_16 + view.getUint16(at + 4)
        : view.getInt32(at) * TWO_TO_32 + view.getUint32(at + 4);
    }
    return ranks;
  }

  /** 32 bits of each row's key, not all 0: equal for equal keys, and hardly ever for others. */
  hashes(): Uint32Array {
    const view = this.#view;
    const bytes = this.type === "uuid" ? UUID_BYTES : BIGINT_BYTES;
    const hashes = new Uint32Array(this.#rowCount);
    for (let row = 0; row < hashes.length; row++) {
      const at = this.#places[row]!;
      let hash = 0;
      for (let index = 0; index < bytes; index += 4) {
        hash = mix(hash, view.getUint32(at + index));
      }
      hashes[row] = hash === 0 ? 1 : hash;
    }
    return hashes;
  }

  /** The keys of these rows as an array of SQL. */
  arrayText(rows: Int32Array): string {
    const view = this.#view;
    if (this.type === "bigint") {
      const texts = Array.from(rows, (row) => view.getBigInt64(this.#places[row]!));
      return `{${texts.join(",")}}`;
    }
    const size = 1 + rows.length * (2 * UUID_BYTES + 1);
    if (this.#text.length < size) this.#text = new Uint8Array(size);
    const text = this.#text;
    let length = 0;
    for (let index = 0; index < rows.length; index++) {
      text[length++] = index === 0 ? OPENING_BRACE : COMMA;
      const at = this.#places[rows[index]!]!;
      for (let byte = 0; byte < UUID_BYTES; byte++) {
        const value = view.getUint8(at + byte);
        text[length++] = HEX_DIGITS[value >> 4]!;
        text[length++] = HEX_DIGITS[value & 0x0f]!;
      }
    }
    return length === 0 ? "{}" : new TextDecoder().decode(text.subarray(0, length)) + "}";
  }
}

/** One round of mixing `value` into `state`, both 32 bits. */
function mix(state: number, value: number): number {
  let mixed = Math.imul(state, 0x9e37_79b1) + value | 0;
  mixed = Math.imul(mixed ^ mixed >>> 15, 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2_ae35);
  return mixed ^ mixed >>> 16;
}
