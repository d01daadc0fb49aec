const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Traffic of each UTC hour relative to the others: asleep at four, busiest around eight at night. */
const HOUR_WEIGHTS = [
  ...[0.45, 0.3, 0.2, 0.15, 0.15, 0.25, 0.45, 0.7, 0.9, 1.0, 1.05, 1.1],
  ...[1.2, 1.15, 1.05, 1.05, 1.1, 1.25, 1.5, 1.8, 2.0, 1.9, 1.5, 0.85],
] as const;

const MEAN_WEIGHT = HOUR_WEIGHTS.reduce((sum: number, weight) => sum + weight, 0) / 24;

/**
 * Events in a day of the shop's own time, on average; `--rate` does not touch it. A million events
 * are then some twelve days, and a daily rhythm can be seen in them.
 */
export const EVENTS_PER_DAY = 86_400;

/** Traffic at this time (epoch ms, not negative) relative to the day's average, which is 1. */
export function trafficAt(timeMs: number): number {
  const hour = Math.floor((timeMs % DAY_MS) / HOUR_MS);
  return (HOUR_WEIGHTS[hour] as number) / MEAN_WEIGHT;
}

/**
 * When a run must start so that its last event falls shortly before `endMs`.
 * @param eventCount how many valid events the run has
 * @returns epoch ms, on a whole second, not negative
 */
export function startOfSpan(endMs: number, eventCount: number): number {
  // Events come in sessions of about six, so the standard deviation of their number over a span is
  // some three times its square root; and the first sessions need some minutes to fill the shop.
  const wantedCount = eventCount + 10 * Math.sqrt(eventCount) + 600;
  const days = Math.floor(wantedCount / EVENTS_PER_DAY);
  let leftCount = wantedCount - days * EVENTS_PER_DAY;
  let startMs = endMs - days * DAY_MS;
  while (leftCount > 0 && startMs > 0) {
    const hourMs = (Math.ceil(startMs / HOUR_MS) - 1) * HOUR_MS;
    const perMs = (EVENTS_PER_DAY / DAY_MS) * trafficAt(hourMs);
    const hourCount = (startMs - hourMs) * perMs;
    startMs = leftCount < hourCount ? startMs - leftCount / perMs : hourMs;
    leftCount -= hourCount;
  }
  return Math.max(Math.floor(startMs / 1000) * 1000, 0);
}
