// @ts-check

/**
 * Shows a text, as text, in the text node that is there: what has not changed is not touched, so
 * that nothing flickers and a selection stays.
 * @param {Element} node without element children
 * @param {string} text
 */
export function setText(node, text) {
  const child = node.firstChild;
  if (child === null) {
    if (text !== "") node.append(text);
    return;
  }
  if (child.nodeValue !== text) child.nodeValue = text;
}
