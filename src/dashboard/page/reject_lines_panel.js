// @ts-check
import { element } from "./element.js";
import { faultInRaw } from "./fault_in_raw.js";
import { fromTemplate } from "./from_template.js";
import { formatAgo, formatCount } from "./number_format.js";
import { part } from "./part.js";
import { patchList } from "./patch_list.js";
import { ReportPanel } from "./report_panel.js";
import { numberOf, reportRows, textOf, timeOf } from "./report_rows.js";
import { safeText } from "./safe_text.js";
import { setText } from "./set_text.js";

const SHOWN_LINES = 10;
/** So much of a line is put on the page while it is closed: no more fits. */
const CLOSED_LENGTH = 300;

/**
 * @typedef {object} RejectLine
 * @property {string} file
 * @property {number | null} line
 * @property {string} column empty if the record as a whole is at fault
 * @property {string} reason
 * @property {string} raw
 * @property {number | null} rejectedAtMs
 */

/**
 * The last lines rejected. While somebody reads in them they stay where they are, and a button says
 * how many newer ones there are.
 */
export class RejectLinesPanel {
  #panel;
  #list = element("lines");
  #button = element("newer-lines");
  /** @type {readonly RejectLine[]} */
  #newest = [];
  /** @type {readonly RejectLine[]} */
  #shown = [];
  #isPointedAt = false;

  constructor() {
    this.#panel = new ReportPanel("reject-lines", {
      empty: "Nothing was rejected.",
      draw: (answer) => this.#take(answer),
    });
    this.#list.addEventListener("pointerenter", () => {
      this.#isPointedAt = true;
    });
    this.#list.addEventListener("pointerleave", () => {
      this.#isPointedAt = false;
      this.#follow();
    });
    this.#button.addEventListener("click", () => {
      for (const open of this.#list.querySelectorAll("details[open]")) {
        /** @type {HTMLDetailsElement} */ (open).open = false;
      }
      this.#show();
      part(this.#list, "summary").focus();
    });
  }

  /**
   * @param {import("./report_panel.js").ReportFacts | undefined} facts
   * @param {string} zone
   */
  show(facts, zone) {
    this.#panel.show(facts, zone);
  }

  /** @param {import("./report_panel.js").Now} now */
  tick(now) {
    const { atMs } = now;
    this.#panel.tick(now);
    this.#follow();
    const rows = [...this.#list.children];
    this.#shown.forEach(({ rejectedAtMs }, index) => {
      const row = rows[index];
      if (row === undefined || rejectedAtMs === null) return;
      setText(part(row, ".line-age"), formatAgo(atMs - rejectedAtMs));
    });
  }

  /** @param {import("./report_panel.js").ReportAnswer} answer */
  #take(answer) {
    this.#newest = reportRows(answer).slice(0, SHOWN_LINES).map((row) => ({
      file: textOf(row.file),
      line: numberOf(row.line),
      column: textOf(row.column),
      reason: textOf(row.reason),
      raw: textOf(row.raw),
      rejectedAtMs: timeOf(row.rejected_at),
    }));
    this.#follow();
    return this.#newest.length > 0;
  }

  #follow() {
    if (!this.#isRead()) return this.#show();
    const present = new Set(this.#shown.map(keyOf));
    const newer = this.#newest.filter((line) => !present.has(keyOf(line))).length;
    this.#button.hidden = newer === 0;
    const count = newer === SHOWN_LINES ? `${newer} or more` : formatCount(newer);
    setText(this.#button, `Show ${count} newer`);
  }

  #isRead() {
    if (this.#shown.length === 0) return false;
    return this.#isPointedAt || this.#list.contains(document.activeElement) ||
      this.#list.querySelector("details[open]") !== null;
  }

  #show() {
    this.#button.hidden = true;
    if (this.#shown === this.#newest) return;
    this.#shown = this.#newest;
    patchList(this.#list, this.#shown, { key: keyOf, create: createLine, update: updateLine });
  }
}

/** @param {RejectLine} line */
function keyOf({ file, line, rejectedAtMs, reason }) {
  return JSON.stringify([file, line, rejectedAtMs, reason]);
}

function createLine() {
  const item = document.createElement("li");
  item.append(fromTemplate("reject-line"));
  return item;
}

/**
 * @param {HTMLElement} node
 * @param {RejectLine} line
 */
function updateLine(node, line) {
  const { file, line: number, column, reason, raw } = line;
  setText(part(node, ".line-file"), safeText(file));
  setText(part(node, ".line-number"), number === null ? "" : `line ${number}`);
  const badge = part(node, ".line-column");
  badge.hidden = column === "";
  setText(badge, safeText(column));
  setText(part(node, ".line-reason"), safeText(reason));
  setText(part(node, ".line-raw"), safeText(raw.slice(0, CLOSED_LENGTH)));
  const whole = part(node, ".line-whole");
  // what is written in a place never changes
  if (whole.firstChild === null) {
    whole.append(...markedRaw(line));
    whole.setAttribute("aria-label", `Line ${number ?? ""} of ${safeText(file)}`);
  }
}

/** @param {RejectLine} line */
function markedRaw({ raw, reason }) {
  const fault = faultInRaw(reason, raw);
  if (fault === null) return [safeText(raw)];
  const mark = document.createElement("mark");
  mark.textContent = safeText(raw.slice(fault.start, fault.end));
  return [safeText(raw.slice(0, fault.start)), mark, safeText(raw.slice(fault.end))];
}
