import { parseDuration } from "./parse_duration.ts";

/** A point in time as people say it: an instant, or so long before something. */
export type Moment =
  | { readonly kind: "ago"; readonly durationMs: number }
  | {
    readonly kind: "instant";
    /** ms since 1970. @param timeZone of a time that names none */
    at(timeZone: string): number;
  };

/** Names an offset from UTC: what has none is local. */
const WITH_OFFSET = /\d[Tt ]\d.*(?:[zZ]|[+-]\d\d(?::?\d\d)?)$/;

/**
 * Reads a duration as `1h`, or a date or a date and time as `2025-01-31T08:00`, local or with its
 * offset.
 * @returns undefined if the text is neither
 */
export function parseMoment(text: string): Moment | undefined {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return { kind: "ago", durationMs };
  // Temporal accepts a zone's name in brackets and, without an offset, ignores it
  if (text.includes("[")) return undefined;
  try {
    if (WITH_OFFSET.test(text)) {
      const { epochMilliseconds } = Temporal.Instant.from(text);
      return { kind: "instant", at: () => epochMilliseconds };
    }
    const local = Temporal.PlainDateTime.from(text);
    return {
      kind: "instant",
      at: (timeZone) => local.toZonedDateTime(timeZone).epochMilliseconds,
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
