import type { ExportFormat } from "./export_format.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK = 0x20;
/** What JSON cannot have in a text, each as a backslash and what follows. */
const ESCAPES: readonly Uint8Array[] = Array.from({ length: BLANK }, (_, code) =>
  // the shortest that there is, as in \n or \u0001
  new TextEncoder().encode(JSON.stringify(String.fromCharCode(code)).slice(1, -1)));
/** As long as the longest, `\u0001`. */
const GROWTH = 6;

/** An object a line, its keys in the order of the columns. */
export function ndjsonFormat(columnNames: readonly string[]): ExportFormat {
  const encoder = new TextEncoder();
  return {
    head: new Uint8Array(0),
    before: columnNames.map((name, index) =>
      encoder.encode(`${index === 0 ? "{" : ","}${JSON.stringify(name)}:`)
    ),
    after: encoder.encode("}\n"),
    nullText: encoder.encode("null"),
    quote: QUOTE,
    putText(buffer, bytes, at, end) {
      buffer.reserve(GROWTH * (end - at) + 2);
      const target = buffer.bytes;
      let to = buffer.length;
      target[to++] = QUOTE;
      for (let index = at; index < end; index++) {
        const byte = bytes[index]!;
        if (byte < BLANK) {
          buffer.length = to;
          buffer.putBytes(ESCAPES[byte]!);
          to = buffer.length;
          continue;
        }
        if (byte === QUOTE || byte === BACKSLASH) target[to++] = BACKSLASH;
        target[to++] = byte;
      }
      target[to++] = QUOTE;
      buffer.length = to;
    },
  };
}
