// @ts-check

/**
 * The first element below `root` that the selector finds; there is one.
 * @param {Element} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function part(root, selector) {
  const found = root.querySelector(selector);
  if (found === null) throw new Error(`there is no ${selector} in #${root.id}`);
  return /** @type {HTMLElement} */ (found);
}
