import type { ExportBuffer } from "./export_buffer.ts";
import type { ExportFormat } from "./export_format.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;
/** Quotes around, and each character may be a quote that is doubled. */
const GROWTH = 2;

/**
 * CSV as RFC 4180 has it, with lines that end in LF, and a header. Null is nothing, the empty text
 * two quotes; quotes stand only where they are needed, as in PostgreSQL's own CSV.
 */
export function csvFormat(columnNames: readonly string[]): ExportFormat {
  const encoder = new TextEncoder();
  return {
    head: encoder.encode(columnNames.join(",") + "\n"),
    before: columnNames.map((_, index) => encoder.encode(index === 0 ? "" : ",")),
    after: encoder.encode("\n"),
    nullText: new Uint8Array(0),
    quote: 0,
    putText(buffer, bytes, at, end) {
      buffer.reserve(GROWTH * (end - at) + GROWTH);
      const start = buffer.length;
      if (at < end && putPlain(buffer, bytes, at, end)) return;
      buffer.length = start;
      putQuoted(buffer, bytes, at, end);
    },
  };
}

/** @returns false if it needs quotes; what was put by then is to be dropped */
function putPlain(buffer: ExportBuffer, bytes: Uint8Array, at: number, end: number): boolean {
  const target = buffer.bytes;
  let to = buffer.length;
  for (let index = at; index < end; index++) {
    const byte = bytes[index]!;
    if (byte === QUOTE || byte === COMMA || byte === LF || byte === CR) return false;
    target[to++] = byte;
  }
  buffer.length = to;
  return true;
}

function putQuoted(buffer: ExportBuffer, bytes: Uint8Array, at: number, end: number): void {
  const target = buffer.bytes;
  let to = buffer.length;
  target[to++] = QUOTE;
  for (let index = at; index < end; index++) {
    const byte = bytes[index]!;
    if (byte === QUOTE) target[to++] = QUOTE;
    target[to++] = byte;
  }
  target[to++] = QUOTE;
  buffer.length = to;
}
