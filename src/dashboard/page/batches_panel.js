// @ts-check
import { element } from "./element.js";
import { fromTemplate } from "./from_template.js";
import { formatBytes, formatCount, formatDuration, formatShare } from "./number_format.js";
import { part } from "./part.js";
import { patchList } from "./patch_list.js";
import { patchTable } from "./patch_table.js";
import { ReportPanel } from "./report_panel.js";
import { numberOf, reportRows, textOf, timeOf } from "./report_rows.js";
import { safeText } from "./safe_text.js";
import { setText } from "./set_text.js";
import { formatClock } from "./time_format.js";

const SHOWN_BATCHES = 8;

/** @type {Readonly<Record<string, string>>} what a batch waits for in each of its stages */
const STAGES = {
  read: "reading files",
  decode: "making rows",
  queue: "waiting for a connection",
  copy: "sending rows",
  turn: "waiting for older batches",
  ledger: "writing the ledger",
  commit: "committing",
};

/** The last batches. */
export function batchesPanel() {
  return new ReportPanel("batches", {
    empty: "Nothing was committed yet.",
    draw(answer, zone) {
      const batches = reportRows(answer).slice(0, SHOWN_BATCHES).map((row) => ({
        committedAtMs: timeOf(row.committed_at),
        committedAt: textOf(row.committed_at),
        files: numberOf(row.files),
        records: sumOf([row.loaded, row.rejected, row.duplicate]),
        bytes: numberOf(row.bytes),
        route: textOf(row.route),
        elapsedMs: numberOf(row.elapsed_ms),
      }));
      patchTable(element("batches-table"), {
        columns: [
          {
            title: "Committed",
            isHeader: true,
            className: "nowrap",
            text: ({ committedAtMs }) =>
              committedAtMs === null ? "" : formatClock(committedAtMs, zone),
          },
          {
            title: "Files",
            className: "number",
            text: ({ files }) => files === null ? "" : formatCount(files),
          },
          {
            title: "Records",
            className: "number",
            text: ({ records }) => records === null ? "" : formatCount(records),
          },
          {
            title: "Bytes",
            className: "number",
            text: ({ bytes }) => bytes === null ? "" : formatBytes(bytes),
          },
          { title: "Route", text: ({ route }) => safeText(route) },
          {
            title: "Took",
            className: "number",
            text: ({ elapsedMs }) => elapsedMs === null ? "" : formatDuration(elapsedMs),
          },
        ],
        rows: batches,
        key: ({ committedAt, bytes, records }) => JSON.stringify([committedAt, bytes, records]),
      });
      return batches.length > 0;
    },
  });
}

/**
 * @param {readonly (import("../../query/report.ts").ReportValue | undefined)[]} values
 * @returns {number | null} null if one is missing
 */
function sumOf(values) {
  return values.map(numberOf).reduce(
    (sum, value) => sum === null || value === null ? null : sum + value,
    0,
  );
}

/**
 * Where the time of a batch goes, of the last hundred.
 * @param {import("../../status/recent_batches.ts").RecentBatches | null} recent
 */
export function showStages(recent) {
  element("stages").hidden = recent === null;
  if (recent === null) return;
  const stages = recent.stages.map((stage, index) => ({ ...stage, index }));
  patchList(element("stage-bar"), stages, {
    key: ({ stage }) => stage,
    create({ index }) {
      const bar = document.createElement("span");
      bar.className = `stage-${index}`;
      return bar;
    },
    update(node, { share }) {
      node.style.width = `${(share * 100).toFixed(2)}%`;
    },
  });
  patchList(element("stage-legend"), stages, {
    key: ({ stage }) => stage,
    create({ index }) {
      const item = document.createElement("li");
      item.append(fromTemplate("stage-item"));
      part(item, ".key").classList.add(`stage-${index}`);
      return item;
    },
    update(node, { stage, share, meanMs }) {
      setText(part(node, ".stage-name"), safeText(STAGES[stage] ?? stage));
      setText(part(node, ".stage-share"), formatShare(share));
      setText(part(node, ".stage-mean"), formatDuration(meanMs));
    },
  });
}
