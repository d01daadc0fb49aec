/** The records of one stretch of a file, and the decoding of their fields. */
import { parse } from "@std/csv";
import { splitQuoted } from "./split_quoted.ts";

/** What a reject keeps of its record. */
export const HEAD_BYTES = 8 * 1024;
/** Lines without a quote are handed to `@std/csv` in runs of about so many bytes. */
const RUN_BYTES = 64 * 1024;

export interface SplitRecord {
  /** Of the file. */
  readonly startByte: number;
  readonly endByte: number;
  /** Physical line on which it starts, from 1. */
  readonly lineNumber: number;
  /** A field that is not UTF-8 is null. All null: malformed quoting, or longer than the limit. */
  readonly fields: readonly (string | null)[] | null;
}

/** Where a line or a record lies in the block's bytes. */
export interface Extent {
  readonly start: number;
  readonly end: number;
  readonly lineNumber: number;
}

/** A byte order mark inside a file is text, so nothing may take it away. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class RecordBlock {
  /** In the order of the file. */
  readonly records: SplitRecord[] = [];
  readonly #bytes: Uint8Array;
  readonly #startByte: number;
  #run: Extent[] = [];
  #oversizeHead: Uint8Array | null = null;

  /** @param startByte place in the file of the first of `bytes` */
  constructor(bytes: Uint8Array, startByte: number) {
    this.#bytes = bytes;
    this.#startByte = startByte;
  }

  /** The record's first 8 KiB. Valid until the next block is asked for. */
  head(record: SplitRecord): Uint8Array {
    const start = record.startByte - this.#startByte;
    if (start < 0) return this.#oversizeHead!;
    return this.#bytes.subarray(
      start,
      Math.min(record.endByte - this.#startByte, start + HEAD_BYTES),
    );
  }

  /** All its bytes, line end included, unless its fields are null. Valid as long as `head`'s. */
  bytesOf({ startByte, endByte }: SplitRecord): Uint8Array {
    return this.#bytes.subarray(startByte - this.#startByte, endByte - this.#startByte);
  }

  /** A line without a quote. */
  addPlainLine(line: Extent): void {
    this.#run.push(line);
    if (line.end - this.#run[0]!.start >= RUN_BYTES) this.flush();
  }

  /** A record with quotes in it; `fields` are the bytes of its fields. */
  addQuoted(extent: Extent, fields: readonly Uint8Array[]): void {
    this.flush();
    this.#add(extent, this.#textOfQuoted(extent) ?? fields.map(decodeField));
  }

  /** A line whose quoting is malformed, or that is longer than the limit. */
  addMalformed(extent: Extent): void {
    this.flush();
    this.#add(extent, null);
  }

  /** A line longer than the limit that began in an earlier block. */
  addOversize(record: Omit<SplitRecord, "fields">, head: Uint8Array): void {
    this.#oversizeHead = head;
    this.records.push({ ...record, fields: null });
  }

  /** Splits the plain lines added last. */
  flush(): void {
    const run = this.#run;
    if (run.length === 0) return;
    this.#run = [];
    const rows = this.#parseRun(run);
    for (const [index, line] of run.entries()) {
      this.#add(line, rows?.[index] ?? this.#splitPlain(line));
    }
  }

  #add({ start, end, lineNumber }: Extent, fields: SplitRecord["fields"]): void {
    const startByte = this.#startByte + start;
    this.records.push({ startByte, endByte: this.#startByte + end, lineNumber, fields });
  }

  /** One row a line, or null where `@std/csv` does not see it so. */
  #parseRun(run: readonly Extent[]): string[][] | null {
    const text = this.#decode(run[0]!.start, run.at(-1)!.end);
    const rows = text === null ? null : parseOrNull(text);
    return rows?.length === run.length ? rows : null;
  }

  #textOfQuoted({ start, end }: Extent): string[] | null {
    const text = this.#decode(start, end);
    // @std/csv turns CRLF inside quotes into LF, which RFC 4180 does not
    if (text === null || text.includes("\r")) return null;
    const rows = parseOrNull(text);
    return rows?.length === 1 ? rows[0]! : null;
  }

  #splitPlain({ start, end }: Extent): (string | null)[] {
    const split = splitQuoted(this.#bytes.subarray(start, end), { isLast: true });
    if (split.kind !== "record") throw new Error("a line without a quote cannot be malformed");
    return split.fields.map(decodeField);
  }

  #decode(start: number, end: number): string | null {
    return decodeField(this.#bytes.subarray(start, end));
  }
}

function parseOrNull(text: string): string[][] | null {
  // it would take this character away from a line in the middle of the file
  if (text.startsWith("\ufeff")) return null;
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function decodeField(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
