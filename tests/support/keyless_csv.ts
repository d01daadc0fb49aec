/** Events without an event_id, as those write them who cannot tell repeats. */

const KEYLESS_HEADER = "price,user_id,event_type,product_id,event_timestamp";

/** A line whose content follows from the number. */
export function keylessLine(number: number, price = "1.00"): string {
  const seconds = String(number % 60).padStart(2, "0");
  return `${price},${number + 1},view,8,2026-01-02T03:04:${seconds}Z`;
}

/** Header and lines, each with its newline. */
export function keylessCsv(lines: readonly string[]): string {
  return [KEYLESS_HEADER, ...lines].map((line) => line + "\n").join("");
}

export function keylessLines(from: number, until: number, price = "1.00"): string[] {
  return Array.from({ length: until - from }, (_, index) => keylessLine(from + index, price));
}
