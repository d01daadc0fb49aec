// @ts-check
import { element } from "./element.js";
import { formatMoney } from "./money.js";
import { formatCount, formatDuration } from "./number_format.js";
import { patchTable } from "./patch_table.js";
import { ReportPanel } from "./report_panel.js";
import { setText } from "./set_text.js";
import { TimeChart } from "./time_chart.js";
import { formatMoment, formatWindow, zoneName } from "./time_format.js";
import {
  bucketLengthMs,
  bucketName,
  lineAndTail,
  sumMinutes,
  trafficMinutes,
  trafficSeries,
} from "./traffic_series.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A point of a line has at least so much room. */
const POINT_PIXELS = 3;
const AXIS_PIXELS = 66;

/**
 * @typedef {import("./report_panel.js").ReportAnswer} ReportAnswer
 * @typedef {import("./traffic_series.js").Minute} Minute
 * @typedef {import("./traffic_series.js").TrafficSeries} TrafficSeries
 */

/** Revenue and events over time, for the whole window or its end. */
export class SalesPanel {
  #panel;
  #revenueChart;
  #eventsChart;
  /** @type {readonly Minute[]} */
  #minutes = [];
  /** @type {ReportAnswer | null} */
  #answer = null;
  #zone = "UTC";
  /** @type {TrafficSeries | null} */
  #series = null;
  /** @type {number | null} index of the series */
  #pointedAt = null;
  /** ms before the window's end; null for all of it */
  #range = /** @type {number | null} */ (null);

  constructor() {
    const onPoint = (/** @type {number | null} */ index) => this.#point(index);
    const syncKey = "sales";
    this.#revenueChart = new TimeChart(element("revenue-chart"), {
      lines: [{ color: "--money", fill: "--money-soft" }],
      hasTimes: false,
      syncKey,
      onPoint,
    });
    this.#eventsChart = new TimeChart(element("events-chart"), {
      lines: [{ color: "--views" }, { color: "--purchases" }],
      hasTimes: true,
      syncKey,
      onPoint,
    });
    this.#panel = new ReportPanel("sales", {
      empty: "No event is in the table yet.",
      draw: (answer, zone) => this.#take(answer, zone),
    });
    element("ranges").addEventListener("change", ({ target }) => {
      const { value } = /** @type {HTMLInputElement} */ (target);
      this.#range = value === "all" ? null : Number(value);
      this.#draw();
    });
    const charts = element("charts");
    charts.addEventListener("keydown", (event) => this.#step(event));
    charts.addEventListener("blur", () => this.#revenueChart.point(null));
    new ResizeObserver(() => this.#draw()).observe(element("revenue-chart"));
    element("sales-details").addEventListener("toggle", () => this.#drawTable());
  }

  /**
   * @param {import("./report_panel.js").ReportFacts | undefined} facts
   * @param {string} zone
   */
  show(facts, zone) {
    // its place has no size before it is shown
    if (this.#panel.show(facts, zone)) this.#draw();
  }

  /** @param {import("./report_panel.js").Now} now */
  tick(now) {
    this.#panel.tick(now);
  }

  recolour() {
    this.#revenueChart.recolour();
    this.#eventsChart.recolour();
  }

  /**
   * @param {ReportAnswer} answer
   * @param {string} zone
   */
  #take(answer, zone) {
    this.#minutes = trafficMinutes(answer);
    this.#answer = answer;
    this.#zone = zone;
    return this.#minutes.some(({ views, purchases }) => views + purchases > 0);
  }

  /** Half-open; null while there is nothing to show. */
  #shown() {
    const first = this.#minutes[0];
    const last = this.#minutes.at(-1);
    if (this.#answer === null || first === undefined || last === undefined) return null;
    const untilMs = this.#answer.untilMs ?? last.startMs + MINUTE_MS;
    const wholeMs = untilMs - (this.#answer.sinceMs ?? first.startMs);
    const lengthMs = this.#range === null ? wholeMs : Math.min(this.#range, wholeMs);
    return { sinceMs: untilMs - lengthMs, untilMs, wholeMs };
  }

  #draw() {
    const shown = this.#shown();
    if (shown === null) return;
    const { sinceMs, untilMs, wholeMs } = shown;
    const minutes = this.#minutes.filter(({ startMs }) => startMs >= sinceMs && startMs < untilMs);
    this.#drawSums(sumMinutes(minutes));
    setText(element("range-all"), rangeName(wholeMs));
    setText(element("sales-window"), formatWindow({ sinceMs, untilMs }, this.#zone));
    const mostPoints = (element("revenue-chart").clientWidth - AXIS_PIXELS) / POINT_PIXELS;
    const bucketMs = bucketLengthMs(untilMs - sinceMs, Math.max(20, mostPoints));
    const series = trafficSeries(minutes, { sinceMs, untilMs, bucketMs });
    this.#series = series;
    for (const per of document.querySelectorAll("#charts .per")) {
      setText(per, `per ${bucketName(bucketMs)}`);
    }
    const seconds = series.startsMs.map((ms) => ms / 1000);
    const { hasTail, revenue, views, purchases } = series;
    this.#revenueChart.show([seconds, ...lineAndTail(revenue, hasTail)], this.#zone);
    this.#eventsChart.show(
      [seconds, ...lineAndTail(views, hasTail), ...lineAndTail(purchases, hasTail)],
      this.#zone,
    );
    this.#describe(series);
    this.#point(this.#pointedAt);
    this.#drawTable();
  }

  /** @param {Omit<Minute, "startMs">} sums */
  #drawSums({ views, purchases, revenue }) {
    setText(element("revenue"), formatMoney(revenue));
    setText(element("purchases"), formatCount(purchases));
    setText(element("views"), formatCount(views));
    setText(
      element("average-order"),
      purchases === 0 ? "–" : formatMoney(revenue / BigInt(purchases)),
    );
  }

  /** @param {TrafficSeries} series */
  #describe({ startsMs, bucketMs, revenue, views }) {
    const best = revenue.reduce(
      (found, value, index) => value > /** @type {bigint} */ (revenue[found]) ? index : found,
      0,
    );
    const busiest = views.reduce(
      (found, value, index) => value > /** @type {number} */ (views[found]) ? index : found,
      0,
    );
    const at = (/** @type {number} */ index) => formatMoment(startsMs[index] ?? 0, this.#zone);
    const label = startsMs.length === 0
      ? "Charts of revenue, views and purchases over time: nothing yet"
      : `Charts of revenue, views and purchases per ${bucketName(bucketMs)}, ` +
        `${element("sales-window").textContent}. Most revenue: ${
          formatMoney(/** @type {bigint} */ (revenue[best]))
        } at ${at(best)}. Most views: ${formatCount(/** @type {number} */ (views[busiest]))} at ${
          at(busiest)
        }. Arrow keys move along it; the table below has the same by hour.`;
    const charts = element("charts");
    if (charts.getAttribute("aria-label") !== label) charts.setAttribute("aria-label", label);
  }

  /** @param {number | null} index */
  #point(index) {
    this.#pointedAt = index;
    const readout = element("readout");
    const startMs = index === null ? undefined : this.#series?.startsMs[index];
    readout.dataset.live = String(startMs !== undefined);
    if (index === null || startMs === undefined || this.#series === null) {
      setText(element("readout-time"), "Point at a chart, or move along it with the arrow keys");
      setText(element("readout-values"), "");
      return;
    }
    const { bucketMs, revenue, views, purchases, hasTail, startsMs } = this.#series;
    const isTail = hasTail && index === startsMs.length - 1;
    const span = formatWindow({ sinceMs: startMs, untilMs: startMs + bucketMs }, this.#zone);
    setText(element("readout-time"), `${span}${isTail ? ", so far" : ""}:`);
    setText(
      element("readout-values"),
      `revenue ${formatMoney(revenue[index] ?? 0n)} · ${formatCount(views[index] ?? 0)} views · ` +
        `${formatCount(purchases[index] ?? 0)} purchases`,
    );
  }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const length = this.#series?.startsMs.length ?? 0;
    if (length === 0) return;
    const at = this.#pointedAt ?? length;
    const wanted = {
      ArrowLeft: at - 1,
      ArrowRight: this.#pointedAt === null ? 0 : at + 1,
      Home: 0,
      End: length - 1,
    }[event.key];
    if (event.key === "Escape") this.#revenueChart.point(null);
    if (wanted === undefined) return;
    event.preventDefault();
    this.#revenueChart.point(Math.max(0, Math.min(length - 1, wanted)));
  }

  /** By hour, the newest first; only while somebody reads it. */
  #drawTable() {
    if (!(/** @type {HTMLDetailsElement} */ (element("sales-details"))).open) return;
    const shown = this.#shown();
    if (shown === null) return;
    /** @type {Map<string, { startMs: number, views: number, purchases: number, revenue: bigint }>} */
    const hours = new Map();
    for (const { startMs, views, purchases, revenue } of this.#minutes) {
      if (startMs < shown.sinceMs) continue;
      const hourMs = Math.floor(startMs / HOUR_MS) * HOUR_MS;
      const key = String(hourMs);
      const hour = hours.get(key) ?? { startMs: hourMs, views: 0, purchases: 0, revenue: 0n };
      hour.views += views;
      hour.purchases += purchases;
      hour.revenue += revenue;
      hours.set(key, hour);
    }
    patchTable(element("sales-table"), {
      columns: [
        {
          title: `Hour from (${zoneName(this.#zone)})`,
          isHeader: true,
          text: ({ startMs }) => formatMoment(startMs, this.#zone),
        },
        { title: "Revenue", className: "number", text: ({ revenue }) => formatMoney(revenue) },
        {
          title: "Purchases",
          className: "number",
          text: ({ purchases }) => formatCount(purchases),
        },
        { title: "Views", className: "number", text: ({ views }) => formatCount(views) },
      ],
      rows: [...hours.values()].reverse(),
      key: ({ startMs }) => String(startMs),
    });
  }
}

/** @param {number} lengthMs */
function rangeName(lengthMs) {
  // a window in whole minutes is longer by what they were rounded to
  const nearest = Math.round(lengthMs / HOUR_MS);
  const isNear = Math.abs(lengthMs - nearest * HOUR_MS) <= 2 * MINUTE_MS;
  const hours = isNear ? nearest : lengthMs / HOUR_MS;
  if (hours >= 48 && hours % 24 === 0) return `${hours / 24} days`;
  return Number.isInteger(hours) ? `${hours} h` : formatDuration(lengthMs);
}
