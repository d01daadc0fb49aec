/**
 * The dialect said a second time, as slowly and plainly as possible: whole input in one string,
 * regular expressions. What the scanner finds must equal it.
 */
import { type Found, LATIN1 } from "./scan_all.ts";

const QUOTED_FIELD = /"((?:[^"]|"")*)"(,|\r?\n|\r?$)/y;
const PLAIN_FIELD = /([^,\n]*?)(,|\r?\n|\r?$)/y;

export function referenceScan(input: Uint8Array, maxRecordBytes: number): Found[] {
  // Latin-1 of the standard maps 0x80-0x9f elsewhere, but both sides use the same decoder
  const text = LATIN1.decode(input);
  const found: Found[] = [];
  let startByte = input[0] === 0xef && input[1] === 0xbb && input[2] === 0xbf ? 3 : 0;
  let lineNumber = 1;
  while (startByte < text.length) {
    const newline = text.indexOf("\n", startByte);
    const lineEnd = newline === -1 ? text.length : newline + 1;
    const line = text.slice(startByte, lineEnd);
    const isOversizeLine = lengthWithoutLineEnd(line) > maxRecordBytes;
    const record = isOversizeLine ? null : matchRecord(text, startByte);
    const isRecord = record !== null &&
      lengthWithoutLineEnd(text.slice(startByte, record.endByte)) <= maxRecordBytes;
    const isBlank = /^\r*\n?$/.test(line);
    const endByte = isRecord ? record.endByte : lineEnd;
    const terminated = text[endByte - 1] === "\n";
    const place = { startByte, endByte, lineNumber, terminated };
    if (isRecord && !isBlank) found.push({ kind: "record", ...place, fields: record.fields });
    if (!isRecord) found.push({ kind: "malformed", ...place });
    lineNumber += text.slice(startByte, endByte).split("\n").length - 1;
    startByte = endByte;
  }
  return found;
}

function matchRecord(text: string, startByte: number) {
  const fields: string[] = [];
  let at = startByte;
  for (;;) {
    const pattern = text[at] === '"' ? QUOTED_FIELD : PLAIN_FIELD;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return null;
    const [whole, content, end] = match;
    fields.push(pattern === QUOTED_FIELD ? content!.replaceAll('""', '"') : content!);
    at += whole.length;
    if (end !== ",") return { fields, endByte: at };
  }
}

function lengthWithoutLineEnd(record: string): number {
  return record.replace(/\r?\n?$/, "").length;
}
