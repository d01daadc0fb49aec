// @ts-check
import { element } from "./element.js";

/**
 * A copy of what stands in the page's template of that id: markup is written in the page only.
 * @param {string} id
 * @returns {DocumentFragment}
 */
export function fromTemplate(id) {
  const template = /** @type {HTMLTemplateElement} */ (element(id));
  return /** @type {DocumentFragment} */ (template.content.cloneNode(true));
}
