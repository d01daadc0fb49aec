// @ts-check
/** What the report `traffic` tells, made ready to be drawn. */
import { moneyAsNumber, parseMoney } from "./money.js";
import { numberOf, reportRows, timeOf } from "./report_rows.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A point stands for one of these; larger ones are whole days. */
const BUCKETS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((each) =>
  each * MINUTE_MS
);

/**
 * What happened in one minute.
 * @typedef {{ startMs: number, views: number, purchases: number, revenue: bigint }} Minute revenue
 *   in millionths
 */

/**
 * The minutes in which something happened, the oldest first.
 * @param {import("../dashboard_facts.ts").ReportFacts | undefined} facts
 * @returns {Minute[]}
 */
export function trafficMinutes(facts) {
  /** @type {Minute[]} */
  const minutes = [];
  for (const row of reportRows(facts)) {
    const startMs = timeOf(row.minute);
    if (startMs === null) continue;
    minutes.push({
      startMs,
      views: numberOf(row.views) ?? 0,
      purchases: numberOf(row.purchases) ?? 0,
      revenue: parseMoney(row.revenue ?? "0") ?? 0n,
    });
  }
  return minutes.sort((a, b) => a.startMs - b.startMs);
}

/**
 * @param {readonly Minute[]} minutes
 * @returns {Omit<Minute, "startMs">}
 */
export function sumMinutes(minutes) {
  const sums = { views: 0, purchases: 0, revenue: 0n };
  for (const { views, purchases, revenue } of minutes) {
    sums.views += views;
    sums.purchases += purchases;
    sums.revenue += revenue;
  }
  return sums;
}

/**
 * How much time a point of the chart stands for, so that there are not more than can be seen.
 * @param {number} lengthMs of what is shown
 * @param {number} mostPoints
 */
export function bucketLengthMs(lengthMs, mostPoints) {
  const dayMs = 24 * HOUR_MS;
  return BUCKETS_MS.find((bucketMs) => lengthMs / bucketMs <= mostPoints) ??
    Math.ceil(lengthMs / mostPoints / dayMs) * dayMs;
}

/**
 * Lines of a chart. The last bucket may have only begun: it is in the `tail`s, with the one before
 * it, so that it can be drawn as what it is; the lines end before it.
 * @typedef {object} TrafficSeries
 * @property {number[]} startsMs
 * @property {number} bucketMs
 * @property {boolean} hasTail
 * @property {number[]} views
 * @property {number[]} purchases
 * @property {bigint[]} revenue
 */

/**
 * The minutes in buckets; a minute that is not there is one in which nothing happened. A bucket that
 * begins before `sinceMs` is left out.
 * @param {readonly Minute[]} minutes
 * @param {{ sinceMs: number, untilMs: number, bucketMs: number }} shown half-open
 * @returns {TrafficSeries}
 */
export function trafficSeries(minutes, { sinceMs, untilMs, bucketMs }) {
  const firstMs = Math.ceil(sinceMs / bucketMs) * bucketMs;
  const count = Math.max(0, Math.ceil((untilMs - firstMs) / bucketMs));
  const startsMs = Array.from({ length: count }, (_, index) => firstMs + index * bucketMs);
  const views = new Array(count).fill(0);
  const purchases = new Array(count).fill(0);
  const revenue = new Array(count).fill(0n);
  for (const minute of minutes) {
    const index = Math.floor((minute.startMs - firstMs) / bucketMs);
    if (index < 0 || index >= count) continue;
    views[index] += minute.views;
    purchases[index] += minute.purchases;
    revenue[index] += minute.revenue;
  }
  const hasTail = count > 0 && firstMs + count * bucketMs > untilMs;
  return { startsMs, bucketMs, hasTail, views, purchases, revenue };
}

/**
 * A line and its tail, as uPlot draws them: null where there is nothing to be drawn.
 * @param {readonly (number | bigint)[]} values bigints are money
 * @param {boolean} hasTail
 * @returns {[(number | null)[], (number | null)[]]}
 */
export function lineAndTail(values, hasTail) {
  const numbers = values.map((value) => typeof value === "bigint" ? moneyAsNumber(value) : value);
  if (!hasTail) return [numbers, numbers.map(() => null)];
  const last = numbers.length - 1;
  return [
    numbers.map((value, index) => index === last ? null : value),
    numbers.map((value, index) => index >= last - 1 ? value : null),
  ];
}

/**
 * As in `5 minutes`, `hour`: behind "per".
 * @param {number} bucketMs
 */
export function bucketName(bucketMs) {
  const minutes = bucketMs / MINUTE_MS;
  if (minutes === 1) return "minute";
  if (minutes < 60) return `${minutes} minutes`;
  if (minutes === 60) return "hour";
  if (minutes < 1440) return `${minutes / 60} hours`;
  return minutes === 1440 ? "day" : `${minutes / 1440} days`;
}
