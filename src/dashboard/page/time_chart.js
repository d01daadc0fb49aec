// @ts-check
import uPlot from "./uPlot.esm.js";
import { formatCount } from "./number_format.js";
import { knownZone } from "./time_format.js";

/** Of the numbers at the left, so that charts below each other line up. */
const AXIS_WIDTH = 58;
const NO_LABELS = null;

/** Ticks a day, an hour, a minute or a second apart: what is written, and what on a new day. */
const TIME_FORMATS = /** @type {uPlot.Axis.Values} */ (/** @type {unknown} */ ([
  [86_400, "{D} {MMM}", NO_LABELS, NO_LABELS, NO_LABELS, NO_LABELS, NO_LABELS, NO_LABELS, 1],
  [60, "{HH}:{mm}", NO_LABELS, NO_LABELS, "\n{D} {MMM}", NO_LABELS, NO_LABELS, NO_LABELS, 1],
  [1, "{HH}:{mm}:{ss}", NO_LABELS, NO_LABELS, "\n{D} {MMM}", NO_LABELS, NO_LABELS, NO_LABELS, 1],
]));

/**
 * Lines over time that are as wide as their place, and of the page's colours.
 *
 * @typedef {object} ChartLine
 * @property {string} color name of a custom property
 * @property {string} [fill] name of a custom property
 */
export class TimeChart {
  #host;
  #lines;
  #chart;
  #zone = "UTC";
  #resize;

  /**
   * @param {HTMLElement} host as high as the chart shall be
   * @param {object} options
   * @param {readonly ChartLine[]} options.lines each has a tail after it in the data
   * @param {boolean} options.hasTimes they are written below it; else below the one under it
   * @param {string} options.syncKey of charts in which the same moment is pointed at
   * @param {(index: number | null) => void} options.onPoint hears what is pointed at
   */
  constructor(host, { lines, hasTimes, syncKey, onPoint }) {
    this.#host = host;
    this.#lines = lines;
    this.#chart = new uPlot(this.#options({ hasTimes, syncKey, onPoint }), this.#noData(), host);
    this.#resize = new ResizeObserver(() => this.#fit());
    this.#resize.observe(host);
  }

  /**
   * @param {readonly (readonly (number | null)[])[]} data seconds since 1970, then of each line its
   *   values and its tail's
   * @param {string} zone
   */
  show(data, zone) {
    this.#zone = knownZone(zone);
    const { idx } = this.#chart.cursor;
    this.#chart.setData(/** @type {uPlot.AlignedData} */ (data));
    if (idx !== null && idx !== undefined) this.point(idx);
  }

  /** After the theme has changed. */
  recolour() {
    this.#chart.redraw(true);
  }

  /**
   * @param {number | null} index of the data; null points at nothing
   */
  point(index) {
    const x = index === null ? undefined : this.#chart.data[0][index];
    const left = x === undefined ? -10 : this.#chart.valToPos(x, "x");
    this.#chart.setCursor({ left, top: x === undefined ? -10 : 10 });
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (width > 0 && height > 0) this.#chart.setSize({ width, height });
  }

  /** @returns {uPlot.AlignedData} */
  #noData() {
    return /** @type {uPlot.AlignedData} */ ([[], ...this.#lines.flatMap(() => [[], []])]);
  }

  /**
   * @param {{ hasTimes: boolean, syncKey: string, onPoint: (index: number | null) => void }} given
   * @returns {uPlot.Options}
   */
  #options({ hasTimes, syncKey, onPoint }) {
    return {
      width: Math.max(200, this.#host.clientWidth),
      height: Math.max(100, this.#host.clientHeight),
      // at the right, half of a time fits that is written below the last point
      padding: [10, 20, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        sync: { key: syncKey },
        points: { size: 7 },
      },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), this.#zone),
      scales: {
        x: { time: true },
        y: {
          range: (_, __, most) => [0, most === null || most <= 0 ? 1 : most * 1.06],
        },
      },
      axes: [
        {
          stroke: () => colour("--muted"),
          font: axisFont(),
          grid: { show: false },
          ticks: { stroke: () => colour("--line"), width: 1, size: 5 },
          ...(hasTimes ? { values: TIME_FORMATS } : { size: 10, values: () => [] }),
          space: 70,
        },
        {
          stroke: () => colour("--muted"),
          font: axisFont(),
          size: AXIS_WIDTH,
          space: 28,
          grid: { stroke: () => colour("--line"), width: 1 },
          ticks: { show: false },
          values: (_, splits) => splits.map(axisLabel),
        },
      ],
      series: [{}, ...this.#lines.flatMap(lineSeries)],
      hooks: {
        setCursor: [(chart) => onPoint(chart.cursor.idx ?? null)],
      },
    };
  }
}

/**
 * @param {ChartLine} line
 * @returns {uPlot.Series[]}
 */
function lineSeries({ color, fill }) {
  const common = {
    stroke: () => colour(color),
    width: 1.75,
    points: { show: false },
  };
  const filled = fill === undefined ? {} : { fill: () => colour(fill) };
  return [{ ...common, ...filled }, { ...common, ...filled, dash: [3, 4] }];
}

/** @param {number} value */
function axisLabel(value) {
  return Number.isInteger(value) ? formatCount(value) : String(Math.round(value * 100) / 100);
}

/** @param {string} name */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function axisFont() {
  return `12px ${colour("--sans") || "sans-serif"}`;
}
