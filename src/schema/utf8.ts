/**
 * Whether `[start, end)` is well-formed UTF-8: no lone or missing continuation, no overlong form,
 * no surrogate, nothing beyond U+10FFFF.
 * @see https://www.unicode.org/versions/latest/core-spec/chapter-3/#G27506 (table 3-7)
 */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at++]!;
    if (lead < 0x80) continue;
    let more: number;
    let least = 0x80;
    let most = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
      more = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead === 0xe0) least = 0xa0;
      if (lead === 0xed) most = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead === 0xf0) least = 0x90;
      if (lead === 0xf4) most = 0x8f;
    } else {
      return false;
    }
    if (at + more > end) return false;
    for (; more > 0; more--) {
      const byte = bytes[at++]!;
      if (byte < least || byte > most) return false;
      least = 0x80;
      most = 0xbf;
    }
  }
  return true;
}
