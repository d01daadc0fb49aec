// @ts-check
/**
 * What to do to a list, so that each of its nodes stays the same one for as long as its key is in
 * it: a reader's selection, focus or open line is never taken from under them.
 *
 * @typedef {{ kind: "remove", key: string }} Removal
 * @typedef {{ kind: "place", key: string, before: string | null, isNew: boolean }} Placing before
 *   the node of that key; null for the end
 */

/**
 * In the order in which they are to be done.
 * @param {readonly string[]} present keys, each once
 * @param {readonly string[]} wanted keys, each once
 * @returns {(Removal | Placing)[]}
 */
export function listChanges(present, wanted) {
  const stays = new Set(wanted);
  const was = new Set(present);
  /** @type {(Removal | Placing)[]} */
  const changes = present.filter((key) => !stays.has(key)).map((key) => ({ kind: "remove", key }));
  // nodes that stay and have the longest common order are not touched
  const kept = longestCommonOrder(present.filter((key) => stays.has(key)), wanted);
  for (let index = wanted.length - 1; index >= 0; index--) {
    const key = /** @type {string} */ (wanted[index]);
    if (kept.has(key)) continue;
    changes.push({
      kind: "place",
      key,
      before: wanted[index + 1] ?? null,
      isNew: !was.has(key),
    });
  }
  return changes;
}

/**
 * Keys that need not move: a longest increasing run of their wanted places.
 * @param {readonly string[]} present
 * @param {readonly string[]} wanted
 * @returns {Set<string>}
 */
function longestCommonOrder(present, wanted) {
  const places = new Map(wanted.map((key, index) => [key, index]));
  const at = present.map((key) => /** @type {number} */ (places.get(key)));
  /** @type {number[]} ends of the runs of each length, as indexes of `at` */
  const ends = [];
  /** @type {(number | null)[]} */
  const before = [];
  at.forEach((place, index) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const end = /** @type {number} */ (ends[middle]);
      if (/** @type {number} */ (at[end]) < place) low = middle + 1;
      else high = middle;
    }
    before.push(low === 0 ? null : /** @type {number} */ (ends[low - 1]));
    ends[low] = index;
  });
  const kept = new Set();
  for (let index = ends.at(-1) ?? null; index !== null; index = before[index] ?? null) {
    kept.add(/** @type {string} */ (present[index]));
  }
  return kept;
}
