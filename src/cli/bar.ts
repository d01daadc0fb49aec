/** From one eighth of a column to all of it. */
const EIGHTHS = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"] as const;

/**
 * A bar from left to right, exact to an eighth of a column; a share that is not nothing is seen.
 * @param share of the whole, cut at 0 and 1
 * @param width of the whole, in columns
 */
export function bar(share: number, width: number): string {
  if (!(share > 0)) return "";
  const eighths = Math.max(1, Math.round(Math.min(1, share) * width * EIGHTHS.length));
  const rest = eighths % EIGHTHS.length;
  return EIGHTHS.at(-1)!.repeat(Math.floor(eighths / EIGHTHS.length)) +
    (rest === 0 ? "" : EIGHTHS[rest - 1]!);
}
