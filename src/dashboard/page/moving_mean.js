// @ts-check

/**
 * Of each value and those before it, `length` in all; of fewer at the beginning.
 * @param {readonly number[]} values
 * @param {number} length 1 or more
 * @returns {number[]}
 */
export function movingMean(values, length) {
  return values.map((_, index) => {
    const part = values.slice(Math.max(0, index + 1 - length), index + 1);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
