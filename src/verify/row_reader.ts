import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Schema, SourceColumn } from "../schema/schema.ts";
import { type ColumnReader, columnReader } from "./column_reader.ts";
import type { RecordBlock, SplitRecord } from "./record_block.ts";
import type { VerifiedFile } from "./snapshot.ts";
import { epochText, type Instant, readTimestamp } from "./timestamp_reader.ts";
import { ZoneClock } from "./zone_clock.ts";

/** The file's first record is no header of the schema; the message says why. */
export class HeaderFault extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "HeaderFault";
  }
}

/** The texts of the columns verified, as in `row_text.ts`; or why the record is not valid. */
export type ReadRow =
  | { readonly ok: true; readonly texts: readonly (string | null)[] }
  | { readonly ok: false; readonly reason: string };

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

/** Reads a file's records as rows of the schema, by the file's header. */
export class RowReader {
  readonly #schema: Schema;
  readonly #header: readonly (string | null)[];
  /** Its bytes without its line end. */
  readonly #headerLine: Buffer;
  /** By column: place of its field in the record, -1 if the file does not have it. */
  readonly #places: readonly number[];
  readonly #readers: readonly (ColumnReader | null)[];
  readonly #clock: ZoneClock;
  readonly #keyPrefix: Buffer;
  /** Of the record being read, by column. */
  readonly #instants = new Map<string, Instant>();

  /**
   * @param header the file's first record, of `block`
   * @throws HeaderFault
   */
  constructor(
    header: SplitRecord,
    { block, schema, file, pipelineName }: {
      block: RecordBlock;
      schema: Schema;
      file: Pick<VerifiedFile, "path" | "generation" | "timeZone">;
      pipelineName: string;
    },
  ) {
    const { fields } = header;
    if (fields === null) throw new HeaderFault("its quoting is malformed, or it is too long");
    if (fields.includes(null)) throw new HeaderFault("it is not UTF-8");
    this.#schema = schema;
    this.#header = fields;
    this.#headerLine = lineOf(header, block);
    this.#places = placeColumns(schema, fields);
    this.#readers = schema.columns.map((column) =>
      column.type === "timestamptz" ? null : columnReader(column)
    );
    this.#clock = new ZoneClock(file.timeZone);
    this.#keyPrefix = createHash("sha256")
      .update(JSON.stringify([pipelineName, file.path, file.generation]))
      .digest();
  }

  /** True for a later record, of `block`, that has the header's bytes, whatever its line end. */
  isHeader(record: SplitRecord, block: RecordBlock): boolean {
    const { fields } = record;
    return fields !== null && fields.length === this.#header.length &&
      fields.every((field, index) => field === this.#header[index]) &&
      lineOf(record, block).equals(this.#headerLine);
  }

  read(record: SplitRecord): ReadRow {
    const { fields } = record;
    if (fields === null) return { ok: false, reason: "malformed quoting, or too long" };
    if (fields.length !== this.#header.length) {
      return {
        ok: false,
        reason: `${fields.length} fields, where the header has ${this.#header.length}`,
      };
    }
    for (const field of fields) {
      // the record as a whole is at fault, whichever of its fields it is
      if (field === null) return { ok: false, reason: "it is not UTF-8" };
      if (field.includes("\0")) return { ok: false, reason: "it contains a NUL byte" };
    }
    const { columns, derived } = this.#schema;
    const texts: (string | null)[] = [];
    const instants = this.#instants;
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index]!;
      const place = this.#places[index]!;
      const given = place === -1 ? "" : fields[place]!;
      // blanks around are no part of what is not text
      const field = column.type === "text" ? given : withoutBlanks(given);
      let text: string | null | undefined;
      if (field === "") {
        text = this.#absent(column, record);
      } else if (column.type === "timestamptz") {
        const instant = readTimestamp(field, this.#clock);
        if (instant === null) return { ok: false, reason: fault(column, field) };
        instants.set(column.name, instant);
        text = epochText(instant);
      } else {
        text = this.#readers[index]!(field) ?? undefined;
      }
      if (text === undefined) return { ok: false, reason: fault(column, field) };
      texts.push(text);
    }
    for (const { from, derivation } of derived) {
      const { seconds } = instants.get(from)!;
      const local = seconds + this.#clock.offsetAt(seconds);
      const day = Math.floor(local / DAY_SECONDS);
      texts.push(String(
        derivation === "date"
          ? day * DAY_SECONDS
          : Math.floor((local - day * DAY_SECONDS) / HOUR_SECONDS),
      ));
    }
    return { ok: true, texts };
  }

  /** What an empty field means; undefined if there must be a value. */
  #absent(column: SourceColumn, record: SplitRecord): string | null | undefined {
    switch (column.presence) {
      case "required":
        return undefined;
      case "derived":
        return this.#derivedKey(record.startByte);
      case "optional":
        return "default" in column && column.default !== undefined ? String(column.default) : null;
    }
  }

  /** A UUIDv8 of 74 bits that tell file and generation, then the record's 48-bit start byte. */
  #derivedKey(startByte: number): string {
    const prefix = this.#keyPrefix;
    const bytes = Buffer.alloc(16);
    prefix.copy(bytes, 0, 0, 10);
    bytes.writeUIntBE(startByte, 10, 6);
    bytes[6] = bytes[6]! & 0x0f | 0x80;
    bytes[8] = bytes[8]! & 0x3f | 0x80;
    const hex = bytes.toString("hex");
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      hex.slice(12, 16),
      hex.slice(16, 20),
      hex.slice(20),
    ].join("-");
  }
}

/** A copy of its bytes up to its LF, CRLF, or the CR that ends the file. */
function lineOf(record: SplitRecord, block: RecordBlock): Buffer {
  const line = Buffer.from(block.bytesOf(record));
  const lineEnd = /\r?\n?$/.exec(line.subarray(-2).toString("latin1"))![0];
  return line.subarray(0, line.length - lineEnd.length);
}

function withoutBlanks(field: string): string {
  // most have none, and a look is quicker than a replacement
  return /^[ \t]|[ \t]$/.test(field) ? field.replace(/^[ \t]+|[ \t]+$/g, "") : field;
}

function fault(column: SourceColumn, field: string): string {
  if (field === "") return `${column.name} is empty`;
  const shown = field.length <= 40 ? field : `${field.slice(0, 40)}…`;
  return `${column.name} is ${JSON.stringify(shown)}`;
}

/** Finds the schema's columns in a header, whatever the order, case and blanks around. */
function placeColumns(schema: Schema, header: readonly (string | null)[]): number[] {
  const names = header.map((field) => field?.trim().toLowerCase() ?? null);
  return schema.columns.map((column) => {
    const wanted = [column.name, ...column.aliases ?? []].map((name) => name.toLowerCase());
    const places = names.flatMap((name, place) =>
      name !== null && wanted.includes(name) ? [place] : []
    );
    if (places.length > 1) throw new HeaderFault(`it has ${column.name} ${places.length} times`);
    if (places.length === 0 && column.presence === "required") {
      throw new HeaderFault(`it has no column ${column.name}`);
    }
    return places[0] ?? -1;
  });
}
