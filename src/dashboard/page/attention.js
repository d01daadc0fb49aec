// @ts-check
import { element } from "./element.js";
import { formatCountOf } from "./number_format.js";
import { numberOf, reportRows, textOf } from "./report_rows.js";
import { safeText } from "./safe_text.js";
import { setText } from "./set_text.js";

const NAMED_FILES = 3;

/**
 * What went wrong last, where everybody sees it.
 * @param {import("../dashboard_facts.ts").Reports} reports
 * @param {import("../dashboard_facts.ts").Totals | null} totals
 */
export function showAttention(reports, totals) {
  const reject = lastReject(reports);
  element("last-reject").hidden = reject === null;
  setText(element("last-reject-text"), reject ?? "");
  const files = troubledFiles(reports, totals);
  element("troubled-files").hidden = files === null;
  setText(element("troubled-files-text"), files ?? "");
  element("attention").hidden = reject === null && files === null;
}

/**
 * @param {import("../dashboard_facts.ts").Reports} reports
 */
function lastReject(reports) {
  const [row] = reportRows(reports.reject_lines);
  if (row === undefined) return null;
  const line = numberOf(row.line);
  const place = `${textOf(row.file)}${line === null ? "" : ` line ${line}`}`;
  return safeText(`${place}: ${textOf(row.reason)}`);
}

/**
 * @param {import("../dashboard_facts.ts").Reports} reports
 * @param {import("../dashboard_facts.ts").Totals | null} totals
 */
function troubledFiles(reports, totals) {
  const troubled = reportRows(reports.files).filter(({ state }) =>
    state === "failed" || state === "held"
  );
  if (troubled.length === 0) return null;
  const { failed = 0, held = 0 } = totals?.filesByState ?? {};
  const count = Math.max(troubled.length, failed + held);
  const names = troubled.slice(0, NAMED_FILES)
    .map(({ path, state }) => `${textOf(path)} (${textOf(state)})`);
  const more = count > names.length ? " …" : "";
  return safeText(`${formatCountOf(count, "file")}: ${names.join(", ")}${more}`);
}
