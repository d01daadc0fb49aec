/** Reads binary COPY tuples back, written apart from what makes them. */
import { copyColumnNames, type Schema } from "../../src/schema/schema.ts";

const POSTGRES_EPOCH_MICROS = 946_684_800_000_000n;
const HEADER_BYTES = 19;

/** The values of each tuple by column, as text; times as microseconds since 1970. */
export function readTuples(bytes: Uint8Array, schema: Schema): Map<string, string | null>[] {
  const names = copyColumnNames(schema);
  const types = [
    ...schema.columns.map(({ type }) => type),
    ...schema.derived.map(({ type }) => type),
    "bigint",
    "bigint",
  ];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tuples: Map<string, string | null>[] = [];
  for (let at = HEADER_BYTES;;) {
    const columnCount = view.getInt16(at);
    at += 2;
    if (columnCount === -1) {
      if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes follow the trailer`);
      return tuples;
    }
    if (columnCount !== names.length) throw new Error(`tuple of ${columnCount} columns`);
    const tuple = new Map<string, string | null>();
    for (let index = 0; index < columnCount; index++) {
      const length = view.getInt32(at);
      at += 4;
      const value = new DataView(view.buffer, view.byteOffset + at, Math.max(0, length));
      tuple.set(names[index]!, length === -1 ? null : readValue(types[index]!, value));
      at += Math.max(0, length);
    }
    tuples.push(tuple);
  }
}

function readValue(type: string, value: DataView): string {
  const lengths: Record<string, number> = { smallint: 2, integer: 4, date: 4, bigint: 8, uuid: 16 };
  if (lengths[type] !== undefined && lengths[type] !== value.byteLength) {
    throw new Error(`${type} of ${value.byteLength} bytes`);
  }
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  switch (type) {
    case "smallint":
      return String(value.getInt16(0));
    case "integer":
    case "date":
      return String(value.getInt32(0));
    case "bigint":
      return String(value.getBigInt64(0));
    case "timestamptz":
      return String(value.getBigInt64(0) + POSTGRES_EPOCH_MICROS);
    case "uuid":
      return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    case "numeric":
      return readNumeric(value);
    default:
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  }
}

function readNumeric(value: DataView): string {
  const [count, weight, sign, scale] = [0, 2, 4, 6].map((at) => value.getInt16(at)) as [
    number,
    number,
    number,
    number,
  ];
  if (value.byteLength !== 8 + 2 * count) throw new Error(`numeric of ${count} digits`);
  let units = 0n;
  for (let index = 0; index < count; index++) {
    const digit = value.getInt16(8 + 2 * index);
    // as numeric_recv demands, and as it would make them: no zeros at either end
    if (digit < 0 || digit > 9999) throw new Error(`numeric with a digit ${digit}`);
    if (digit === 0 && (index === 0 || index === count - 1)) throw new Error("an idle zero");
    // 4 more decimals than any scale here has groups of
    units += BigInt(digit) * 10n ** BigInt(4 * (weight - index) + 20);
  }
  const text = String(units).padStart(21, "0");
  if (!/^0*$/.test(text.slice(text.length - 20 + scale))) throw new Error("digits past the scale");
  const whole = text.slice(0, -20);
  const decimals = text.slice(text.length - 20, text.length - 20 + scale);
  return `${sign === 0 ? "" : "-"}${whole}${scale === 0 ? "" : "."}${decimals}`;
}
