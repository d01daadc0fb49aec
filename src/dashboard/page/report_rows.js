// @ts-check
/**
 * @typedef {import("../dashboard_facts.ts").ReportFacts} ReportFacts
 * @typedef {import("../../query/report.ts").ReportValue} ReportValue
 * @typedef {Readonly<Record<string, ReportValue | undefined>>} ReportRow
 */

/**
 * A report's rows, by the names of its columns; a column that it does not have is undefined.
 * @param {ReportFacts | undefined} facts
 * @returns {ReportRow[]} none if there is no answer
 */
export function reportRows(facts) {
  if (facts === undefined || "error" in facts) return [];
  return facts.rows.map((row) =>
    Object.fromEntries(facts.columns.map((name, index) => [name, row[index]]))
  );
}

/**
 * As a number, whether it came as one or as text, which a count beyond 2^53 does.
 * @param {ReportValue | undefined} value
 * @returns {number | null} null if it is neither
 */
export function numberOf(value) {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/**
 * @param {ReportValue | undefined} value
 * @returns {string} empty for nothing
 */
export function textOf(value) {
  return value === null || value === undefined ? "" : String(value);
}

/**
 * ms since 1970 of a time as ISO 8601.
 * @param {ReportValue | undefined} value
 * @returns {number | null}
 */
export function timeOf(value) {
  const ms = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isNaN(ms) ? null : ms;
}
