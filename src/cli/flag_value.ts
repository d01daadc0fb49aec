import type { Flag, FlagKind } from "./command.ts";
import { parseMoment } from "./moment.ts";
import { DURATION, parseDuration } from "./parse_duration.ts";

export type FlagValue = boolean | number | string;

interface FlagParser {
  /** What is accepted, as it reads after "expected". */
  readonly expected: string;
  /** What every accepted text matches. */
  readonly pattern?: RegExp;
  /** @returns undefined if the text is not of this kind. */
  parse(text: string): FlagValue | undefined;
}

const WHOLE = /^(\d[\d_]*)([kKmM]?)$/;
const PERCENT = /^(\d+(?:\.\d+)?)%?$/;
const BYTES = /^(\d[\d_]*)(B|KiB|MiB|GiB)?$/;

const PARSERS: Readonly<Record<FlagKind, FlagParser>> = {
  switch: { expected: "true or false (or 1 or 0)", parse: parseSwitch },
  text: { expected: "a text that is not empty", parse: (text) => text === "" ? undefined : text },
  whole: {
    expected: "a whole number such as 500, 20_000, 50k or 1M",
    pattern: WHOLE,
    parse: parseWhole,
  },
  percent: {
    expected: "a percentage from 0 to 100 such as 5%",
    pattern: PERCENT,
    parse: parsePercent,
  },
  duration: {
    expected: "a duration such as 250ms, 5s, 2m, 1h or 30d",
    pattern: DURATION,
    parse: parseDuration,
  },
  bytes: { expected: "a size such as 64KiB, 4MiB or 1000", pattern: BYTES, parse: parseBytes },
  moment: {
    expected: "a duration such as 1h or 30d, or a date or a date and time such as 2025-01-31 or " +
      "2025-01-31T08:00",
    parse: (text) => parseMoment(text) === undefined ? undefined : text,
  },
  instant: {
    expected: "a date or a date and time such as 2025-01-31 or 2025-01-31T08:00:00Z",
    parse: parseInstant,
  },
};

/** What the flag accepts, as it reads after "expected". */
export function expectedValue(flag: Flag): string {
  if (flag.choices !== undefined) return `one of ${flag.choices.join(", ")}`;
  return PARSERS[flag.kind].expected;
}

/** What every text matches that a flag of this kind accepts; undefined where that is any. */
export function valuePattern(kind: FlagKind): RegExp | undefined {
  return PARSERS[kind].pattern;
}

/**
 * The value that `text` says for this flag, in the unit that its kind names.
 * @returns undefined if the text is not what {@linkcode expectedValue} describes.
 */
export function parseFlagValue(flag: Flag, text: string): FlagValue | undefined {
  if (flag.choices !== undefined && !flag.choices.includes(text)) return undefined;
  return PARSERS[flag.kind].parse(text);
}

function parseSwitch(text: string): boolean | undefined {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  return undefined;
}

function parseWhole(text: string): number | undefined {
  const match = WHOLE.exec(text);
  if (match === null) return undefined;
  const factor = { "": 1, k: 1_000, m: 1_000_000 }[match[2]!.toLowerCase()]!;
  return exactOrUndefined(Number(match[1]!.replaceAll("_", "")) * factor);
}

function parsePercent(text: string): number | undefined {
  const match = PERCENT.exec(text);
  const percent = Number(match?.[1]);
  return percent <= 100 ? percent : undefined;
}

function parseBytes(text: string): number | undefined {
  const match = BYTES.exec(text);
  if (match === null) return undefined;
  const unitBytes = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }[match[2] ?? "B"]!;
  return exactOrUndefined(Number(match[1]!.replaceAll("_", "")) * unitBytes);
}

/** Of a time that names no zone in UTC. */
function parseInstant(text: string): number | undefined {
  const moment = parseMoment(text);
  return moment?.kind === "instant" ? moment.at("UTC") : undefined;
}

function exactOrUndefined(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined;
}
