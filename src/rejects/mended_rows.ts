/** Reads the CSV that `rejects export` wrote and somebody mended. */
import type { CsvRecord } from "../csv/record.ts";
import { RecordScanner } from "../csv/record_scanner.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { fieldBytes } from "./field_bytes.ts";
import { scanBytes } from "../csv/scan_bytes.ts";
import { LONGEST_WHOLE_BYTES } from "./whole_records.ts";

/** The longest record exported with every byte doubled, and room for its other columns. */
const MAX_ROW_BYTES = 2 * LONGEST_WHOLE_BYTES + 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;

export interface MendedRow {
  readonly rejectId: number;
  /** The record as it is now, without line ends before and behind it. */
  readonly raw: Uint8Array;
}

/** Where the columns are that matter; the others do not. */
interface Columns {
  readonly rejectId: number;
  readonly raw: number;
  readonly count: number;
}

/**
 * @param input.name as messages call it
 * @throws PgsluiceError `bad-mended-file` that names the line
 */
export async function* readMendedRows(
  input: { readonly bytes: AsyncIterable<Uint8Array>; readonly name: string },
): AsyncGenerator<MendedRow> {
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: MAX_ROW_BYTES });
  let columns: Columns | null = null;
  const read = function* (bytes: Uint8Array, atEnd: boolean): Generator<MendedRow> {
    for (const step of scanBytes(scanner, { bytes, atEnd })) {
      if (step === "malformed") throw badLine(input.name, scanner, scanner.problem.reason);
      if (columns === null) columns = findColumns(input.name, scanner);
      else yield readRow(input.name, scanner, columns);
    }
  };
  for await (const bytes of input.bytes) yield* read(bytes, false);
  yield* read(new Uint8Array(), true);
  if (columns === null) throw badFile(`${input.name} is empty`);
}

function findColumns(name: string, header: CsvRecord): Columns {
  const count = Math.min(header.fieldCount, header.fieldStarts.length);
  const names = Array.from(
    { length: count },
    (_, index) => new TextDecoder().decode(fieldBytes(header, index)).trim().toLowerCase(),
  );
  for (const column of ["reject_id", "raw"]) {
    const found = names.filter((each) => each === column).length;
    if (found === 1) continue;
    throw badFile(
      `${name} has ${found === 0 ? "no" : "more than one"} column ${column} in its header`,
    );
  }
  return {
    rejectId: names.indexOf("reject_id"),
    raw: names.indexOf("raw"),
    count: header.fieldCount,
  };
}

function readRow(name: string, record: CsvRecord, columns: Columns): MendedRow {
  if (record.fieldCount !== columns.count) {
    throw badLine(name, record, `${record.fieldCount} fields, the header has ${columns.count}`);
  }
  const id = new TextDecoder().decode(fieldBytes(record, columns.rejectId)).trim();
  if (!/^[1-9]\d{0,14}$/.test(id)) {
    throw badLine(name, record, `reject_id is ${JSON.stringify(id.slice(0, 40))}, no number`);
  }
  return { rejectId: Number(id), raw: withoutLineEnds(fieldBytes(record, columns.raw)) };
}

/** Without the line ends that an editor may have added around a record. */
function withoutLineEnds(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === LF || bytes[end - 1] === CR)) end--;
  let start = 0;
  for (let at = 0; at < end && (bytes[at] === LF || bytes[at] === CR); at++) {
    // a CR that no LF follows is content
    if (bytes[at] === LF) start = at + 1;
  }
  return bytes.subarray(start, end);
}

function badLine(name: string, { lineNumber }: CsvRecord, reason: string): PgsluiceError {
  return badFile(`${name} line ${lineNumber}: ${reason}`);
}

function badFile(what: string): PgsluiceError {
  return new PgsluiceError("bad-mended-file", `${what}; nothing was changed`, {
    hint: "give a CSV as `pgsluice rejects export` writes it: reject_id and raw, in any order, " +
      "raw in quotes with each quote in it doubled",
  });
}
