/** Drives a scanner over bytes that are all there, and writes down what it found. */
import { RecordScanner, type ScanStep } from "../../src/csv/record_scanner.ts";
import { QUOTED_FIELD_WITH_QUOTES } from "../../src/csv/record.ts";

export interface Found {
  readonly kind: "record" | "malformed";
  readonly startByte: number;
  readonly endByte: number;
  readonly lineNumber: number;
  readonly terminated: boolean;
  /** As Latin-1 text unless asked otherwise, so that every byte is one character; of records only. */
  readonly fields?: readonly string[];
  readonly code?: string;
}

export interface ScanAllOptions {
  readonly maxRecordBytes?: number;
  readonly startByte?: number;
  readonly startLine?: number;
  /** One that was used before, of the same record limit; a new one unless given. */
  readonly scanner?: RecordScanner;
  /** Of the fields. */
  readonly decoder?: TextDecoder;
  /** How many bytes to give next; all of them unless given. */
  readonly chunkBytes?: () => number;
  /** Called after each step, while the scanner stands on what it found. */
  readonly onStep?: (scanner: RecordScanner, step: ScanStep) => void;
}

export const LATIN1 = new TextDecoder("latin1");

/** One byte a character: text of Latin-1 characters as bytes. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function scanAll(input: Uint8Array, options: ScanAllOptions = {}): Found[] {
  const { startByte = 0, startLine = 1, maxRecordBytes = 1024 * 1024 } = options;
  const scanner = options.scanner ?? new RecordScanner({ startByte, startLine, maxRecordBytes });
  options.scanner?.restart({ startByte, startLine });
  const found: Found[] = [];
  let given = startByte;
  let atEnd = false;
  for (;;) {
    const step = scanner.next(atEnd);
    options.onStep?.(scanner, step);
    if (step === "end") return found;
    if (step === "more") {
      const room = scanner.room();
      const wanted = options.chunkBytes?.() ?? room.length;
      const chunk = input.subarray(given, given + Math.min(wanted, room.length));
      room.set(chunk);
      // what lies behind must have no say; after the window moved anything may lie there
      room.fill(0x0a, chunk.length, chunk.length + 64);
      scanner.grow(chunk.length);
      given += chunk.length;
      atEnd = given === input.length;
      continue;
    }
    const { startByte, endByte, lineNumber, terminated } = scanner;
    const place = { kind: step, startByte, endByte, lineNumber, terminated };
    if (step === "record") {
      found.push({ ...place, fields: fieldsOf(scanner, options.decoder ?? LATIN1) });
    } else found.push({ ...place, code: scanner.problem.code });
  }
}

/** The fields of the record a scanner stands on. */
function fieldsOf(scanner: RecordScanner, decoder: TextDecoder): string[] {
  const fields: string[] = [];
  for (let index = 0; index < scanner.fieldCount; index++) {
    const text = decoder.decode(
      scanner.bytes.subarray(scanner.fieldStarts[index], scanner.fieldEnds[index]),
    );
    const collapse = scanner.fieldQuoting[index] === QUOTED_FIELD_WITH_QUOTES;
    fields.push(collapse ? text.replaceAll('""', '"') : text);
  }
  return fields;
}
