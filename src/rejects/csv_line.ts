/** Fields as bytes, for content that need not be UTF-8. */

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const ENCODER = new TextEncoder();

/**
 * One CSV record as RFC 4180 writes it, with its newline. Text is quoted where it must be, bytes
 * always; neither is changed but for its doubled quotes.
 */
export function csvLine(fields: readonly (string | number | Uint8Array)[]): Uint8Array {
  const parts = fields.map((field) =>
    field instanceof Uint8Array ? quoted(field) : ENCODER.encode(textField(String(field)))
  );
  const line = new Uint8Array(parts.reduce((sum, part) => sum + part.length + 1, 0));
  let at = 0;
  parts.forEach((part, index) => {
    line.set(part, at);
    at += part.length;
    line[at++] = index < parts.length - 1 ? COMMA : LF;
  });
  return line;
}

function textField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function quoted(bytes: Uint8Array): Uint8Array {
  let quotes = 0;
  for (const byte of bytes) if (byte === QUOTE) quotes++;
  const field = new Uint8Array(bytes.length + quotes + 2);
  let at = 0;
  field[at++] = QUOTE;
  for (const byte of bytes) {
    field[at++] = byte;
    if (byte === QUOTE) field[at++] = QUOTE;
  }
  field[at] = QUOTE;
  return field;
}
