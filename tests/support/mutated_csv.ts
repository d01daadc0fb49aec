/** CSV as a shop would write it, and what is left of it after accidents. */
import type { Random } from "../../src/generate/random.ts";
import { eventLine, HEADER } from "./ingest_fixture.ts";

const UTF8 = new TextEncoder();

/** What may get into a file, few in kind, so that odd neighbours are frequent. */
const INTRUDERS: readonly Uint8Array[] = [
  ...['"', '""', '"\n', '",', ',"', ",", "\n", "\r\n", "\r", "\r\r\n", " ", "-", "0", "\0", "é"],
  ...["\ufeff", `${HEADER}\n`, "\n\n", '5" lamp', '"open', '"a"b', "1e999", "\u{1f6cb}"],
].map((text) => UTF8.encode(text)).concat([Uint8Array.of(0xff), Uint8Array.of(0xe2, 0x82)]);

export interface WrittenCsv {
  readonly bytes: Uint8Array;
  /** Places where a writer that stops is at its worst: within quotes, characters, CRLF, prices. */
  readonly worstCuts: readonly number[];
}

/** A right file: some fields quoted, some beyond ASCII, line ends of either kind. */
export function writtenCsv(random: Random, options: { records: number }): WrittenCsv {
  const pieces: Uint8Array[] = [];
  const worstCuts: number[] = [];
  let length = 0;
  const put = (text: string) => {
    const bytes = UTF8.encode(text);
    pieces.push(bytes);
    length += bytes.length;
  };
  /** Puts a text, and remembers a place inside it. */
  const putCut = (text: string) => {
    const size = UTF8.encode(text).length;
    if (size > 1) worstCuts.push(length + 1 + random.below(size - 1));
    put(text);
  };
  const lineEnd = random.pick(["\n", "\r\n"]);
  if (random.below(8) === 0) putCut("\ufeff");
  if (random.below(8) === 0) putCut("\n\r\n");
  worstCuts.push(length + 1 + random.below(HEADER.length));
  put(HEADER);
  putCut(lineEnd);
  for (let record = 0; record < options.records; record++) {
    const [key, time, type, user, product, , category, , quantity] = eventLine(record).split(",");
    put(`${key},${time},${type},${user},${product},`);
    switch (random.below(5)) {
      case 0:
        putCut('"a ""lamp"", red"');
        break;
      case 1:
        putCut(`"two${lineEnd}lines"`);
        break;
      case 2:
        putCut("é椅\u{1f6cb}");
        break;
      case 3:
        put("Lamp");
        break;
    }
    put(`,${category},`);
    putCut(`${1 + random.below(900)}.${10 + random.below(90)}`);
    put(`,${quantity}`);
    putCut(lineEnd);
    if (random.below(20) === 0) put(lineEnd);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes, worstCuts };
}

/** Such a file after some accidents; `keepBytes` at its begin are spared. */
export function mutatedCsv(
  random: Random,
  { records, keepBytes = 0 }: { records: number; keepBytes?: number },
): Uint8Array {
  let { bytes } = writtenCsv(random, { records });
  for (let accidents = random.below(12); accidents > 0; accidents--) {
    const from = Math.min(bytes.length, keepBytes + random.below(bytes.length));
    const until = Math.min(bytes.length, from + random.below(random.pick([2, 30, 400])));
    const before = bytes.subarray(0, from);
    const within = bytes.subarray(from, until);
    const after = bytes.subarray(until);
    switch (random.below(4)) {
      case 0:
        bytes = joined(before, random.pick(INTRUDERS), within, after);
        break;
      case 1:
        bytes = joined(before, after);
        break;
      case 2:
        bytes = joined(before, within, within, after);
        break;
      case 3:
        bytes = joined(before, within.map((byte) => byte ^ 1 << random.below(8)), after);
        break;
    }
  }
  return bytes;
}

/** Nothing but chance; few different bytes, or all of them. */
export function randomBytes(random: Random, options: { most: number }): Uint8Array {
  const few = Uint8Array.from({ length: 1 + random.below(6) }, () => random.below(256));
  const odd = Uint8Array.from('",\n\r', (character) => character.charCodeAt(0));
  const isFew = random.below(2) === 0;
  return Uint8Array.from({ length: random.below(options.most + 1) }, () => {
    if (random.below(3) === 0) return odd[random.below(odd.length)]!;
    return isFew ? few[random.below(few.length)]! : random.below(256);
  });
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
