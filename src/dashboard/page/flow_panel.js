// @ts-check
import { element } from "./element.js";
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatCountOf,
  formatDuration,
  formatRate,
  formatShare,
} from "./number_format.js";
import { movingMean } from "./moving_mean.js";
import { part } from "./part.js";
import { plainTableName } from "./plain_table_name.js";
import { safeText } from "./safe_text.js";
import { setText } from "./set_text.js";
import { sparkPath } from "./spark_path.js";

/**
 * @typedef {import("../dashboard_facts.ts").Pulse} Pulse
 * @typedef {import("../dashboard_facts.ts").Totals} Totals
 */

/** As `pgsluice status --watch`: batches come by the second, and "now" is the mean of these. */
const NOW_SECONDS = 5;
const SPARK = { width: 240, height: 44 };
/** Nothing is known of it. */
const UNKNOWN = "–";

/** States of files, as they are told, in the order in which they matter. */
const FILE_STATES = /** @type {const} */ ([
  "failed",
  "held",
  "open",
  "done",
  "same",
  "superseded",
  "undone",
  "skipped",
]);

/**
 * @param {Pulse} pulse
 */
export function showPulse({ pipeline, past, standbys }) {
  if (pipeline === null) return;
  const isStream = pipeline.sourceKind === "stdin";
  setText(element("source-kind"), isStream ? "Standard input" : "Folder");
  showPlace("source-path", isStream ? "a stream of CSV" : pipeline.sourcePath);
  showPlace("target-table", plainTableName(pipeline.targetTable));
  setText(element("ingester-owner"), ownerText(pipeline.hasOwner, standbys));
  const records = past.map((second) => second.records);
  const rates = movingMean(records, NOW_SECONDS);
  setText(element("rate"), formatRate(rates.at(-1) ?? 0));
  const { line, area } = sparkPath(rates, SPARK);
  element("spark-line").setAttribute("d", line);
  element("spark-area").setAttribute("d", area);
  const bytes = movingMean(past.map((second) => second.sizeBytes), NOW_SECONDS);
  setText(element("rate-bytes"), `${formatBytes(bytes.at(-1) ?? 0)}/s`);
  const most = Math.max(0, ...records);
  setText(
    element("spark-caption"),
    `Last ${past.length} s: ${formatRate(mean(records))}/s on average, ${
      formatCount(most)
    } at most`,
  );
}

/**
 * @param {Totals} totals
 * @param {{ atMs: number, isStream: boolean }} known
 */
export function showTotals(totals, { atMs, isStream }) {
  const { arrivedBytesPerSecond, latency } = totals;
  setText(
    element("arriving"),
    arrivedBytesPerSecond === null ? UNKNOWN : `${formatBytes(arrivedBytesPerSecond)}/s`,
  );
  setText(element("backlog"), backlogText(totals, isStream));
  setText(element("backlog-age"), backlogAgeText(totals, atMs));
  setText(element("file-counts"), fileCountsText(totals));
  setText(element("latency-p50"), latency === null ? UNKNOWN : formatDuration(latency.p50Ms));
  setText(element("latency-p95"), latency === null ? UNKNOWN : formatDuration(latency.p95Ms));
  setText(element("latency-p99"), latency === null ? UNKNOWN : formatDuration(latency.p99Ms));
  setText(
    element("latency-files"),
    latency === null
      ? "no file in the last minute"
      : `${formatCountOf(latency.files, "file")} in the last minute`,
  );
  showFates(totals);
}

/** @param {Totals} totals */
function showFates({ loaded, rejected, duplicate, committedBytes }) {
  const records = loaded + rejected + duplicate;
  setText(element("total-loaded"), formatCount(loaded));
  setText(element("total-rejected"), formatCount(rejected));
  setText(element("total-duplicate"), formatCount(duplicate));
  setText(element("rejected-share"), records === 0 ? "" : formatShare(rejected / records));
  setText(element("duplicate-share"), records === 0 ? "" : formatShare(duplicate / records));
  setText(
    element("committed-bytes"),
    `${formatCountOf(records, "record")}, ${formatBytes(committedBytes)}`,
  );
  const fates = element("fates");
  const shares = { ".share-duplicate": duplicate, ".share-rejected": rejected };
  for (const [selector, count] of Object.entries(shares)) {
    const share = records === 0 ? 0 : count / records * 100;
    // what there is little of is seen all the same
    part(fates, selector).style.width = count === 0 ? "0" : `max(3px, ${share.toFixed(2)}%)`;
  }
  fates.dataset.empty = String(records === 0);
}

/**
 * @param {string} id
 * @param {string} text
 */
function showPlace(id, text) {
  const place = element(id);
  const shown = safeText(text);
  setText(place, shown);
  if (place.title !== shown) place.title = shown;
}

/**
 * @param {boolean} hasOwner
 * @param {number} standbys
 */
function ownerText(hasOwner, standbys) {
  const owner = hasOwner ? "one at work" : "none is running";
  if (standbys === 0) return owner;
  return `${owner}, ${formatCount(standbys)} ${standbys === 1 ? "stands" : "stand"} by`;
}

/**
 * @param {Totals} totals
 * @param {boolean} isStream
 */
function backlogText({ backlog, backlogUnknown }, isStream) {
  if (isStream) return "cannot be seen";
  if (backlog === null) return backlogUnknown === null ? UNKNOWN : safeText(backlogUnknown);
  const { files, sizeBytes } = backlog;
  if (files === 0) return "nothing";
  return `${formatCountOf(files, "file")}, ${formatBytes(sizeBytes)}`;
}

/**
 * @param {Totals} totals
 * @param {number} atMs
 */
function backlogAgeText({ backlog }, atMs) {
  if (backlog === null || backlog.oldestChangeMs === null) return UNKNOWN;
  return `came ${formatAgo(atMs - backlog.oldestChangeMs)}`;
}

/** @param {Totals} totals */
function fileCountsText({ filesByState }) {
  const counts = FILE_STATES
    .map((state) => ({ state, count: filesByState[state] ?? 0 }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${formatCount(count)} ${state}`);
  return counts.length === 0 ? "none yet" : counts.join(", ");
}

/** @param {readonly number[]} values */
function mean(values) {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
