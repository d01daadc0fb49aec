/** What every duration matches. */
export const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** @returns ms; undefined if the text is none, or too long to be exact */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const durationMs = Math.round(Number(match[1]) * UNIT_MS[match[2]!]!);
  return Number.isSafeInteger(durationMs) ? durationMs : undefined;
}
