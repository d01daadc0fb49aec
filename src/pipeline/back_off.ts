const FIRST_MS = 200;
/** A database that is back is found within this time. */
const LONGEST_MS = 15_000;

/**
 * How long to wait after this many failed attempts in a row. Doubles from one to the next; half of
 * it is by chance, so that many ingesters do not return as one.
 *
 * @param attempt from 1
 * @param random from 0 to 1
 */
export function backOffMs(attempt: number, random: number): number {
  const longestMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  return Math.round(longestMs / 2 + random * longestMs / 2);
}
