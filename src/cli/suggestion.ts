import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** The known word that was probably meant, or undefined if none is near. */
export function suggestion(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const closest = closestString(word, known);
  // a third of its letters may be wrong, and one in any case; more is another word
  const allowed = Math.max(1, Math.floor(closest.length / 3));
  return levenshteinDistance(word.toLowerCase(), closest) <= allowed ? closest : undefined;
}
