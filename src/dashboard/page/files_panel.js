// @ts-check
import { element } from "./element.js";
import { fromTemplate } from "./from_template.js";
import { formatAgo, formatBytes, formatCount } from "./number_format.js";
import { part } from "./part.js";
import { patchTable } from "./patch_table.js";
import { ReportPanel } from "./report_panel.js";
import { numberOf, reportRows, textOf, timeOf } from "./report_rows.js";
import { safeText } from "./safe_text.js";
import { setText } from "./set_text.js";

const SHOWN_FILES = 12;

/** @type {Readonly<Record<string, "good" | "warn" | "bad">>} others are calm */
const TONES = { done: "good", held: "warn", failed: "bad" };

/**
 * @typedef {object} ShownFile
 * @property {string} path
 * @property {number} generation
 * @property {string} state
 * @property {string} reason
 * @property {number | null} loaded
 * @property {number | null} rejected
 * @property {number | null} duplicate
 * @property {number | null} committedBytes
 * @property {number | null} sizeBytes
 * @property {number | null} updatedAtMs
 */

/** Files and how far they are read; those that need a person first. */
export class FilesPanel {
  #panel;
  /** @type {readonly ShownFile[]} */
  #files = [];

  constructor() {
    this.#panel = new ReportPanel("files", {
      empty: "No file has been read yet.",
      draw: (answer) => this.#draw(answer),
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
    const rows = element("files-table").querySelectorAll("tbody tr");
    this.#files.forEach(({ updatedAtMs }, index) => {
      const cell = rows[index]?.lastElementChild;
      if (cell === null || cell === undefined || updatedAtMs === null) return;
      setText(cell, formatAgo(atMs - updatedAtMs));
    });
  }

  /** @param {import("./report_panel.js").ReportAnswer} answer */
  #draw(answer) {
    const files = reportRows(answer).slice(0, SHOWN_FILES).map((row) => ({
      path: textOf(row.path),
      generation: numberOf(row.generation) ?? 1,
      state: textOf(row.state),
      reason: textOf(row.reason),
      loaded: numberOf(row.loaded),
      rejected: numberOf(row.rejected),
      duplicate: numberOf(row.duplicate),
      committedBytes: numberOf(row.committed_bytes),
      sizeBytes: numberOf(row.size_bytes),
      updatedAtMs: timeOf(row.updated_at),
    }));
    this.#files = files;
    patchTable(element("files-table"), {
      columns: FILE_COLUMNS,
      rows: files,
      key: ({ path, generation }) => JSON.stringify([path, generation]),
    });
    return files.length > 0;
  }
}

/** @type {readonly import("./patch_table.js").TableColumn<ShownFile>[]} */
const FILE_COLUMNS = [
  {
    title: "File",
    isHeader: true,
    create: (cell) => cell.append(fromTemplate("file-cell")),
    update(cell, { path, generation, state, reason }) {
      const shown = generation > 1 ? `${path} (generation ${formatCount(generation)})` : path;
      setText(part(cell, ".file-path"), safeText(shown));
      const badge = part(cell, ".file-state");
      setText(badge, safeText(state));
      badge.dataset.tone = TONES[state] ?? "calm";
      setText(part(cell, ".file-reason"), safeText(reason));
    },
  },
  { title: "Loaded", className: "number", text: ({ loaded }) => countText(loaded) },
  { title: "Rejected", className: "number", text: ({ rejected }) => countText(rejected) },
  { title: "Duplicates", className: "number", text: ({ duplicate }) => countText(duplicate) },
  { title: "Read", className: "number", text: readText },
  { title: "Last read", className: "number" },
];

/** @param {number | null} count */
function countText(count) {
  return count === null ? "" : formatCount(count);
}

/** @param {ShownFile} file */
function readText({ committedBytes, sizeBytes }) {
  if (committedBytes === null) return "";
  if (sizeBytes === null || committedBytes >= sizeBytes) return formatBytes(committedBytes);
  return `${formatBytes(committedBytes)} of ${formatBytes(sizeBytes)}`;
}
