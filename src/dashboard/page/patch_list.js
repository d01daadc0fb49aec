// @ts-check
import { listChanges } from "./list_changes.js";

/**
 * Nodes by key, of each parent.
 * @type {WeakMap<Element, Map<string, HTMLElement>>}
 */
const NODES = new WeakMap();

/**
 * Makes the children of `parent`, which are all made here, those of `items`, in their order. A node
 * lives as long as its key.
 * @template Item
 * @param {Element} parent
 * @param {readonly Item[]} items
 * @param {{
 *   key: (item: Item) => string,
 *   create: (item: Item) => HTMLElement,
 *   update: (node: HTMLElement, item: Item) => void,
 * }} how a key that comes again counts as another one
 */
export function patchList(parent, items, { key, create, update }) {
  const nodes = NODES.get(parent) ?? new Map();
  NODES.set(parent, nodes);
  /** @type {Map<string, Item>} */
  const byKey = new Map();
  for (const item of items) {
    const itemKey = key(item);
    let unique = itemKey;
    for (let again = 2; byKey.has(unique); again++) unique = `${itemKey} ${again}`;
    byKey.set(unique, item);
  }
  for (const change of listChanges([...nodes.keys()], [...byKey.keys()])) {
    if (change.kind === "remove") {
      nodes.get(change.key).remove();
      nodes.delete(change.key);
      continue;
    }
    const node = change.isNew
      ? create(/** @type {Item} */ (byKey.get(change.key)))
      : nodes.get(change.key);
    nodes.set(change.key, node);
    parent.insertBefore(node, change.before === null ? null : nodes.get(change.before));
  }
  // in the order of the document, for the next time
  NODES.set(parent, new Map([...byKey.keys()].map((each) => [each, nodes.get(each)])));
  for (const [each, item] of byKey) update(nodes.get(each), item);
}
