/** `2026-03-14 10:00` and, where it is that precise, seconds; with the offset if it occurs twice. */
export function formatLocalTime(
  iso: string,
  { timeZone, precision }: { timeZone: string; precision: "minute" | "second" },
): string {
  const zoned = Temporal.Instant.from(iso).toZonedDateTimeISO(timeZone);
  const text = zoned.toPlainDateTime().toString({ smallestUnit: precision }).replace("T", " ");
  return occursTwice(zoned) ? `${text} ${zoned.offset}` : text;
}

/** The hour that is repeated when the clocks are set back. */
function occursTwice(zoned: Temporal.ZonedDateTime): boolean {
  const local = zoned.toPlainDateTime();
  const first = local.toZonedDateTime(zoned.timeZoneId, { disambiguation: "earlier" });
  const second = local.toZonedDateTime(zoned.timeZoneId, { disambiguation: "later" });
  return !first.equals(second);
}
