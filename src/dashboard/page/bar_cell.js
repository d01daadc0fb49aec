// @ts-check
import { fromTemplate } from "./from_template.js";
import { part } from "./part.js";
import { setText } from "./set_text.js";

/**
 * Makes a cell of class `with-bar` one that `updateBarCell` fills in.
 * @param {HTMLElement} cell
 */
export function fillBarCell(cell) {
  cell.append(fromTemplate("bar-cell"));
}

/**
 * @param {HTMLElement} cell
 * @param {{ text: string, share: number }} content share of the longest bar, 0 to 1
 */
export function updateBarCell(cell, { text, share }) {
  setText(part(cell, ".bar-text"), text);
  part(cell, ".bar").style.width = `${(share * 100).toFixed(2)}%`;
}
