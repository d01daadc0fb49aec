/**
 * Moves the events of a generated CSV closer together in time: what lies so far behind an origin
 * lies a fraction of that behind it then. Their order stays, and so do the length of each line and
 * its key. What has no plain key and time at the start of a line stays as it is.
 */
const KEY_LENGTH = 36;
const COMMA = 0x2c;
const LF = 0x0a;
const ZERO = 0x30;
/** Of the generator's times: as in `2026-03-14T10:00:00.000Z`. */
const TIME_LENGTH = 24;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** @returns how many events were moved */
export function squeezeTimes(
  bytes: Uint8Array,
  { originMs, factor }: { originMs: number; factor: number },
): number {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let count = 0;
  for (let at = 0; at !== -1 && at < bytes.length;) {
    const start = at + KEY_LENGTH + 1;
    const end = start + TIME_LENGTH;
    // most lines are others but for these
    if (bytes[start - 1] === COMMA && bytes[end] === COMMA && bytes[end - 2]! >= ZERO) {
      const text = decoder.decode(bytes.subarray(start, end));
      const timeMs = TIME.test(text) ? Date.parse(text) : NaN;
      if (timeMs >= originMs) {
        const squeezedMs = Math.floor(originMs + (timeMs - originMs) / factor);
        encoder.encodeInto(new Date(squeezedMs).toISOString(), bytes.subarray(start, end));
        count++;
      }
    }
    const newline = bytes.indexOf(LF, at);
    at = newline === -1 ? -1 : newline + 1;
  }
  return count;
}
