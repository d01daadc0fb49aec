/**
 * Verify's own reading of RFC 4180, byte by byte, for what `@std/csv` does not accept. Written
 * apart from the ingester's scanner, so that a fault of one is seen by the other.
 */
const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/** What a look at the bytes from a record's start on told. */
export type QuotedSplit =
  /** A record: its fields without their quotes, and where the next line begins. */
  | { readonly kind: "record"; readonly fields: Uint8Array[]; readonly end: number }
  /** Text after a closing quote, or no closing quote before the end. */
  | { readonly kind: "malformed" }
  /** It depends on bytes that are not here yet. */
  | { readonly kind: "more" };

/**
 * Splits the record that starts where `bytes` do. Pure; `fields` share memory with `bytes`.
 * @param options.isLast true if nothing follows `bytes`
 */
export function splitQuoted(bytes: Uint8Array, { isLast }: { isLast: boolean }): QuotedSplit {
  const fields: Uint8Array[] = [];
  const end = bytes.length;
  for (let at = 0;;) {
    if (bytes[at] === QUOTE) {
      const close = closingQuote(bytes, at + 1);
      // the last byte may be the first of two quotes
      if (close === -1 || (close + 1 === end && !isLast)) {
        return { kind: isLast ? "malformed" : "more" };
      }
      fields.push(withoutDoubledQuotes(bytes.subarray(at + 1, close)));
      at = close + 1;
      if (bytes[at] === CR) {
        at++;
        if (at < end && bytes[at] !== LF) return { kind: "malformed" };
      }
    } else {
      const from = at;
      while (at < end && bytes[at] !== COMMA && bytes[at] !== LF) at++;
      const isCrlf = bytes[at] !== COMMA && at > from && bytes[at - 1] === CR;
      fields.push(bytes.subarray(from, isCrlf ? at - 1 : at));
    }
    if (at === end) return isLast ? { kind: "record", fields, end } : { kind: "more" };
    if (bytes[at] === LF) return { kind: "record", fields, end: at + 1 };
    if (bytes[at] !== COMMA) return { kind: "malformed" };
    at++;
  }
}

/** Place of the quote that closes the field whose text begins at `from`; -1 if there is none. */
function closingQuote(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(QUOTE, from);
  while (at !== -1 && bytes[at + 1] === QUOTE) at = bytes.indexOf(QUOTE, at + 2);
  return at;
}

function withoutDoubledQuotes(text: Uint8Array): Uint8Array {
  if (text.indexOf(QUOTE) === -1) return text;
  const single = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    single[length++] = text[at]!;
    // every quote inside is one of a pair
    if (text[at] === QUOTE) at++;
  }
  return single.subarray(0, length);
}
