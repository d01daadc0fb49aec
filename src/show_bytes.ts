import { escapeControls } from "./escape_controls.ts";

const REPLACEMENT = "\ufffd";
/** Of a UTF-8 character. */
const MAX_SEQUENCE_BYTES = 4;

/**
 * Bytes of a CSV for a terminal: what is no UTF-8 is shown as `\xff`, control characters as
 * escapes.
 */
export function showBytes(bytes: Uint8Array): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return escapeControls(text.includes(REPLACEMENT) ? showOddBytes(bytes) : text);
}

function showOddBytes(bytes: Uint8Array): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const lengthBytes = sequenceLength(bytes[at]!);
    try {
      text += decoder.decode(bytes.subarray(at, at + lengthBytes));
      at += lengthBytes;
    } catch {
      text += `\\x${bytes[at]!.toString(16).padStart(2, "0")}`;
      at++;
    }
  }
  return text;
}

/** As the first byte says. */
function sequenceLength(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : MAX_SEQUENCE_BYTES;
}
