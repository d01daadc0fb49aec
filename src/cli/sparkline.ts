const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/**
 * A character a value, as high as the value is to the greatest of them. Nothing is a blank, so that
 * it can be told from little.
 * @param values >= 0
 */
export function sparkline(values: readonly number[]): string {
  const greatest = Math.max(0, ...values);
  return values.map((value) =>
    value <= 0 ? " " : BARS[Math.ceil(value / greatest * BARS.length) - 1]!
  ).join("");
}
