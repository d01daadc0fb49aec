import { csvHeader } from "../schema/schema_help.ts";
import type { Schema, SourceColumn } from "../schema/schema.ts";
import { csvField } from "./csv_field.ts";
import { RowBuffer } from "./row_buffer.ts";
import type { ShopEvent } from "./shop_event.ts";

const COMMA = 0x2c;
const NEWLINE = 0x0a;

/** Writes one field; `quoted` asks for quotes around texts that can do without. */
type WriteField = (event: ShopEvent, out: RowBuffer, quoted: boolean) => void;

interface Maker {
  /** Whether the column is what the maker's values are made for. */
  readonly fits: (column: SourceColumn) => boolean;
  readonly write: WriteField;
  /** True if the field is a function of the product alone. */
  readonly ofProduct?: true;
}

const VIEW = new TextEncoder().encode("view");
const PURCHASE = new TextEncoder().encode("purchase");

/**
 * How the shop's facts become fields, by column name. Not a list of the columns there are: that is
 * the schema. A column without a maker here gets {@linkcode plausibleField}.
 */
const MAKERS: ReadonlyMap<string, Maker> = new Map<string, Maker>([
  ["event_id", {
    fits: (column) => column.type === "uuid",
    write: writeEventId,
  }],
  ["event_timestamp", {
    fits: (column) => column.type === "timestamptz",
    write: writeEventTime,
  }],
  ["event_type", {
    fits: (column) => column.type === "text" && allows(column, ["view", "purchase"]),
    write: (event, out) => out.writeBytes(event.isPurchase ? PURCHASE : VIEW),
  }],
  ["user_id", {
    fits: (column) => column.type === "bigint" && (column.minimum ?? 1) <= 1,
    write: (event, out) => out.writeBytes(event.user.id),
  }],
  ["product_id", {
    fits: (column) => column.type === "bigint" && (column.minimum ?? 1) <= 1,
    write: (event, out) => out.writeBytes(event.product.id),
    ofProduct: true,
  }],
  ["product_name", {
    fits: (column) => column.type === "text" && column.allowed === undefined,
    write: (event, out, quoted) =>
      out.writeBytes(quoted ? event.product.quotedName : event.product.name),
    ofProduct: true,
  }],
  ["category", {
    fits: (column) =>
      column.type === "text" && column.allowed === undefined && column.presence !== "required",
    write: (event, out) => out.writeBytes(event.product.category),
    ofProduct: true,
  }],
  ["price", {
    fits: (column) =>
      column.type === "numeric" && column.scale >= 2 && column.precision - column.scale >= 3 &&
      (column.minimum ?? 0) <= 1,
    write: (event, out) => out.writeBytes(event.product.price),
    ofProduct: true,
  }],
  ["quantity", {
    fits: (column) => column.type === "integer" && (column.minimum ?? 1) <= 1,
    write: (event, out) => out.writeSmall(event.quantity),
  }],
]);

/** Writes events as rows of a schema. */
export class EventWriter {
  /** The columns of a row, in its order. */
  readonly columns: readonly SourceColumn[];
  /** The header line, newline included. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** True if the rows bear the catalogue's price. */
  readonly hasPrice: boolean;
  /** By column. */
  readonly #fields: readonly WriteField[];
  /** The same, but neighbours that depend on the product alone are one piece. */
  readonly #pieces: readonly WriteField[];

  constructor(schema: Schema) {
    const names = csvHeader(schema);
    this.columns = names.map((name) => {
      const column = schema.columns.find((candidate) => candidate.name === name);
      if (column === undefined) throw new TypeError(`header names ${name}, which is no column`);
      return column;
    });
    this.header = new TextEncoder().encode(names.map(csvField).join(",") + "\n");
    const makers = this.columns.map(makerOf);
    this.hasPrice = makers.includes(MAKERS.get("price"));
    this.#fields = this.columns.map((column, place) =>
      makers[place]?.write ?? plausibleField(column, schema)
    );
    this.#pieces = piecesOf(this.#fields, makers);
  }

  /** One row, newline included. */
  writeRow(event: ShopEvent, out: RowBuffer, quoted: boolean): void {
    writePieces(this.#pieces, { event, out, quoted });
    out.writeByte(NEWLINE);
  }

  /** The fields of the row as they stand between the commas, one byte a character. */
  rawFields(event: ShopEvent, scratch: RowBuffer): string[] {
    return this.#fields.map((write) => {
      scratch.clear();
      write(event, scratch, false);
      return byteString(scratch.written());
    });
  }
}

function makerOf(column: SourceColumn): Maker | undefined {
  const maker = MAKERS.get(column.name);
  return maker?.fits(column) ? maker : undefined;
}

function piecesOf(
  fields: readonly WriteField[],
  makers: readonly (Maker | undefined)[],
): WriteField[] {
  const pieces: WriteField[] = [];
  for (let place = 0; place < fields.length;) {
    let end = place;
    while (makers[end]?.ofProduct) end++;
    pieces.push(end > place ? productPiece(fields.slice(place, end)) : fields[end++] as WriteField);
    place = end;
  }
  return pieces;
}

/** Fields of the product with the commas between them, put together once for each product. */
function productPiece(fields: readonly WriteField[]): WriteField {
  const plain: Uint8Array[] = [];
  const inQuotes: Uint8Array[] = [];
  return (event, out, quoted) => {
    const made = quoted ? inQuotes : plain;
    const { rank } = event.product;
    let piece = made[rank];
    if (piece === undefined) {
      const scratch = new RowBuffer(256);
      writePieces(fields, { event, out: scratch, quoted });
      piece = made[rank] = scratch.written().slice();
    }
    out.writeBytes(piece);
  };
}

function writePieces(
  pieces: readonly WriteField[],
  { event, out, quoted }: { event: ShopEvent; out: RowBuffer; quoted: boolean },
): void {
  for (let place = 0; place < pieces.length; place++) {
    if (place > 0) out.writeByte(COMMA);
    pieces[place]!(event, out, quoted);
  }
}

/** Nothing, if the column may be empty; else a value its type and rules accept. */
function plausibleField(column: SourceColumn, schema: Schema): WriteField {
  if (column.presence !== "required") return () => {};
  switch (column.type) {
    case "uuid":
      return writeEventId;
    case "timestamptz":
      return writeEventTime;
    case "text": {
      const values = (column.allowed ?? ["small", "medium", "large"]).map(encodedField);
      return (event, out) => out.writeBytes(values[event.idLow % values.length] as Uint8Array);
    }
    case "numeric": {
      const first = column.minimum ?? 0;
      const steps = Math.min(10 ** (column.precision - column.scale) - first, 1000);
      return (event, out) =>
        out.writeBytes(encodedField(`${first + Math.floor(steps * fractionOf(event))}`));
    }
    case "bigint":
      if (column.name === schema.key) return writeLargeId;
      return wholeField(column.minimum ?? 0);
    case "integer":
      return wholeField(column.minimum ?? 0);
  }
}

function wholeField(minimum: number): WriteField {
  return (event, out) => out.writeBytes(encodedField(`${minimum + event.idLow % 1000}`));
}

function writeEventId(event: ShopEvent, out: RowBuffer): void {
  out.writeUuidV7(event.timeMs, event);
}

function writeEventTime(event: ShopEvent, out: RowBuffer): void {
  out.writeInstant(event.timeMs);
}

/** 62 random bits: a key that is not met twice. */
function writeLargeId(event: ShopEvent, out: RowBuffer): void {
  out.writeBytes(encodedField(`${BigInt(event.idHigh) * 0x1_0000_0000n + BigInt(event.idLow)}`));
}

function fractionOf(event: ShopEvent): number {
  return event.idLow / 0x1_0000_0000;
}

function encodedField(text: string): Uint8Array {
  return new TextEncoder().encode(csvField(text));
}

function allows(column: { allowed?: readonly string[] }, values: readonly string[]): boolean {
  return values.every((value) => column.allowed?.includes(value) ?? true);
}

function byteString(bytes: Uint8Array): string {
  // takes anything like an array, whatever its type says; spreading the bytes is ten times slower
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
