// @ts-check
/** Times for people, in a pipeline's time zone. */

/** @type {Map<string, Intl.DateTimeFormat>} made once each: making one takes longer than using it */
const FORMATS = new Map();

/** @type {Readonly<Record<string, Intl.DateTimeFormatOptions>>} */
const PARTS = {
  clock: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  minute: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { day: "numeric", month: "short", year: "numeric" },
};

/**
 * The zone if the browser knows it, else UTC: PostgreSQL knows some that browsers do not.
 * @param {string} zone
 */
export function knownZone(zone) {
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: zone });
    return zone;
  } catch {
    return "UTC";
  }
}

/**
 * As in `12:03:20`.
 * @param {number} atMs
 * @param {string} zone
 */
export function formatClock(atMs, zone) {
  return format("clock", atMs, zone);
}

/**
 * As in `14 Mar 2026, 12:03`.
 * @param {number} atMs
 * @param {string} zone
 */
export function formatMoment(atMs, zone) {
  return `${format("day", atMs, zone)}, ${format("minute", atMs, zone)}`;
}

/**
 * As in `14 Mar 2026, 10:05 – 15 Mar 2026, 10:05 UTC`; the day is told once if it is one.
 * @param {{ sinceMs: number | null, untilMs: number | null }} window half-open; null is open
 * @param {string} zone
 */
export function formatWindow({ sinceMs, untilMs }, zone) {
  const name = zoneName(zone);
  if (sinceMs === null && untilMs === null) return "all events";
  if (sinceMs === null) {
    return `up to ${formatMoment(/** @type {number} */ (untilMs), zone)} ${name}`;
  }
  if (untilMs === null) return `since ${formatMoment(sinceMs, zone)} ${name}`;
  const isOneDay = format("day", sinceMs, zone) === format("day", untilMs, zone);
  const end = isOneDay ? format("minute", untilMs, zone) : formatMoment(untilMs, zone);
  return `${formatMoment(sinceMs, zone)} – ${end} ${name}`;
}

/**
 * The zone as it is told beside a time.
 * @param {string} zone
 */
export function zoneName(zone) {
  return knownZone(zone);
}

/**
 * @param {"clock" | "minute" | "day"} part
 * @param {number} atMs
 * @param {string} zone
 */
function format(part, atMs, zone) {
  const key = `${part} ${zone}`;
  let found = FORMATS.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat("en-GB", { ...PARTS[part], timeZone: knownZone(zone) });
    FORMATS.set(key, found);
  }
  return found.format(atMs);
}
