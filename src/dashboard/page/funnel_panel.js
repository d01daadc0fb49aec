// @ts-check
import { element } from "./element.js";
import { fromTemplate } from "./from_template.js";
import { formatCount, formatDuration, formatShare } from "./number_format.js";
import { part } from "./part.js";
import { patchList } from "./patch_list.js";
import { ReportPanel } from "./report_panel.js";
import { numberOf, reportRows, textOf } from "./report_rows.js";
import { safeText } from "./safe_text.js";
import { setText } from "./set_text.js";

/** @type {Readonly<Record<string, string>>} what the report's stages are */
const STAGES = {
  "viewed": "viewed a product",
  "purchased": "bought one they had viewed",
  "purchased again": "bought again",
};

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {number} users
 * @property {number | null} ratio of those of the stage before
 * @property {number | null} medianMs
 * @property {number | null} p95Ms
 */

/** How many users came how far. */
export function funnelPanel() {
  return new ReportPanel("funnel", {
    empty: "Nobody has viewed anything in this time.",
    draw(answer) {
      const stages = reportRows(answer).map(({ stage, users, ratio, median_ms, p95_ms }) => ({
        name: textOf(stage),
        users: numberOf(users) ?? 0,
        ratio: numberOf(ratio),
        medianMs: numberOf(median_ms),
        p95Ms: numberOf(p95_ms),
      }));
      const most = Math.max(0, ...stages.map(({ users }) => users));
      patchList(element("funnel-steps"), stages, {
        key: ({ name }) => name,
        create: createStep,
        update: (node, stage) => updateStep(node, stage, most),
      });
      return most > 0;
    },
  });
}

function createStep() {
  const step = document.createElement("li");
  step.append(fromTemplate("funnel-step"));
  return step;
}

/**
 * @param {HTMLElement} node
 * @param {Stage} stage
 * @param {number} most
 */
function updateStep(node, { name, users, ratio, medianMs, p95Ms }, most) {
  setText(part(node, ".funnel-name"), safeText(STAGES[name] ?? name));
  setText(part(node, ".funnel-count"), formatCount(users));
  setText(
    part(node, ".funnel-ratio"),
    ratio === null ? users === 1 ? "user" : "users" : `users, ${formatShare(ratio)} of those`,
  );
  part(node, ".funnel-fill").style.width = most === 0 ? "0" : `${users / most * 100}%`;
  setText(part(node, ".funnel-taken"), takenText(medianMs, p95Ms));
}

/**
 * @param {number | null} medianMs
 * @param {number | null} p95Ms
 */
function takenText(medianMs, p95Ms) {
  if (medianMs === null) return "";
  const most = p95Ms === null ? "" : `, 95 % ${withinText(p95Ms)}`;
  return `half of them ${withinText(medianMs)}${most}`;
}

/** @param {number} takenMs */
function withinText(takenMs) {
  return takenMs < 1 ? "at once" : `within ${formatDuration(takenMs)}`;
}
