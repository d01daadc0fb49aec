// @ts-check

/**
 * The line of a sparkline, as an SVG path. The greatest value touches the top, nothing lies on the
 * bottom.
 * @param {readonly number[]} values >= 0
 * @param {{ width: number, height: number }} size
 * @returns {{ line: string, area: string }} empty without two values
 */
export function sparkPath(values, { width, height }) {
  if (values.length < 2) return { line: "", area: "" };
  const greatest = Math.max(...values);
  const stepX = width / (values.length - 1);
  const points = values.map((value, index) => {
    const y = greatest <= 0 ? height : height - value / greatest * height;
    return `${round(index * stepX)} ${round(y)}`;
  });
  const line = `M${points.join("L")}`;
  return { line, area: `${line}L${round(width)} ${round(height)}L0 ${round(height)}Z` };
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
