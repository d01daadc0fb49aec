// @ts-check
import { part } from "./part.js";
import { patchList } from "./patch_list.js";
import { setText } from "./set_text.js";

/**
 * @template Row
 * @typedef {object} TableColumn
 * @property {string} title
 * @property {string} [className] of its cells, its head's too
 * @property {boolean} [isHeader] it says what the row is about
 * @property {(row: Row) => string} [text] what stands in a cell, if that is all
 * @property {(cell: HTMLElement, row: Row) => void} [create] fills a new cell with what `update` fills in
 * @property {(cell: HTMLElement, row: Row) => void} [update]
 */

/**
 * Makes the table one of these columns and rows.
 * @template Row
 * @param {HTMLElement} table with `thead` and `tbody`
 * @param {{
 *   columns: readonly TableColumn<Row>[],
 *   rows: readonly Row[],
 *   key: (row: Row) => string,
 * }} content
 */
export function patchTable(table, { columns, rows, key }) {
  const titles = columns.map(({ title }) => title).join("\n");
  if (table.dataset.columns !== titles) {
    table.dataset.columns = titles;
    part(table, "thead").replaceChildren(headRow(columns));
    patchList(part(table, "tbody"), [], rowPatch(columns, key));
  }
  patchList(part(table, "tbody"), rows, rowPatch(columns, key));
}

/**
 * @template Row
 * @param {readonly TableColumn<Row>[]} columns
 */
function headRow(columns) {
  const row = document.createElement("tr");
  for (const { title, className = "" } of columns) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.className = className;
    cell.textContent = title;
    row.append(cell);
  }
  return row;
}

/**
 * @template Row
 * @param {readonly TableColumn<Row>[]} columns
 * @param {(row: Row) => string} key
 */
function rowPatch(columns, key) {
  return {
    key,
    /** @param {Row} item */
    create: (item) => bodyRow(columns, item),
    /**
     * @param {HTMLElement} node
     * @param {Row} item
     */
    update: (node, item) => {
      columns.forEach(({ text, update }, index) => {
        const cell = /** @type {HTMLElement} */ (node.children[index]);
        if (text !== undefined) setText(cell, text(item));
        update?.(cell, item);
      });
    },
  };
}

/**
 * @template Row
 * @param {readonly TableColumn<Row>[]} columns
 * @param {Row} item
 */
function bodyRow(columns, item) {
  const row = document.createElement("tr");
  for (const { title, className = "", isHeader = false, create } of columns) {
    const cell = document.createElement(isHeader ? "th" : "td");
    // for narrow screens, where a row becomes a card
    cell.dataset.title = title;
    if (isHeader) cell.setAttribute("scope", "row");
    cell.className = className;
    create?.(cell, item);
    row.append(cell);
  }
  return row;
}
