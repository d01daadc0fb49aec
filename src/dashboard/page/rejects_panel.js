// @ts-check
import { fillBarCell, updateBarCell } from "./bar_cell.js";
import { element } from "./element.js";
import { fromTemplate } from "./from_template.js";
import { formatCount, formatShare } from "./number_format.js";
import { part } from "./part.js";
import { patchTable } from "./patch_table.js";
import { ReportPanel } from "./report_panel.js";
import { numberOf, reportRows, textOf } from "./report_rows.js";
import { safeText } from "./safe_text.js";
import { setText } from "./set_text.js";

/** Why records were rejected, the most frequent reason first. */
export function rejectsPanel() {
  return new ReportPanel("rejects", {
    empty: "Nothing was rejected.",
    draw(answer) {
      const reasons = reportRows(answer).map((row) => ({
        code: textOf(row.reason),
        count: numberOf(row.rejects) ?? 0,
        share: numberOf(row.share),
        example: textOf(row.last_reason),
      }));
      const most = Math.max(0, ...reasons.map(({ count }) => count));
      patchTable(element("rejects-table"), {
        columns: [
          {
            title: "Reason, and the last one",
            isHeader: true,
            create: (cell) => cell.append(fromTemplate("reason-cell")),
            update(cell, { code, example }) {
              setText(part(cell, ".mono"), safeText(code));
              setText(part(cell, ".sub"), safeText(example));
            },
          },
          {
            title: "Records",
            className: "with-bar",
            create: fillBarCell,
            update: (cell, { count }) =>
              updateBarCell(cell, {
                text: formatCount(count),
                share: most === 0 ? 0 : count / most,
              }),
          },
          {
            title: "Of all",
            className: "number",
            text: ({ share }) => share === null ? "" : formatShare(share),
          },
        ],
        rows: reasons,
        key: ({ code }) => code,
      });
      return reasons.length > 0;
    },
  });
}
