// @ts-check
import { element } from "./element.js";
import { fillBarCell, updateBarCell } from "./bar_cell.js";
import { formatMoney, moneyAsNumber, parseMoney } from "./money.js";
import { formatCount, formatShare } from "./number_format.js";
import { patchTable } from "./patch_table.js";
import { ReportPanel } from "./report_panel.js";
import { numberOf, reportRows, textOf } from "./report_rows.js";
import { safeText } from "./safe_text.js";

const SHOWN_PRODUCTS = 8;

/** What brings the most. */
export function productsPanel() {
  return new ReportPanel("products", {
    empty: "Nothing was bought in this time.",
    draw(answer) {
      const products = reportRows(answer).slice(0, SHOWN_PRODUCTS).map((row) => ({
        id: textOf(row.product),
        name: textOf(row.name),
        revenue: parseMoney(row.revenue ?? "0") ?? 0n,
        units: numberOf(row.units),
        viewers: numberOf(row.viewers),
        conversion: numberOf(row.conversion),
      }));
      const most = Math.max(0, ...products.map(({ revenue }) => moneyAsNumber(revenue)));
      patchTable(element("products-table"), {
        columns: [
          {
            title: "Product",
            className: "name",
            isHeader: true,
            text: ({ id, name }) => safeText(name === "" ? `product ${id}` : name),
          },
          {
            title: "Revenue",
            className: "with-bar",
            create: fillBarCell,
            update: (cell, { revenue }) =>
              updateBarCell(cell, {
                text: formatMoney(revenue),
                share: most === 0 ? 0 : moneyAsNumber(revenue) / most,
              }),
          },
          {
            title: "Pieces",
            className: "number",
            text: ({ units }) => units === null ? "" : formatCount(units),
          },
          {
            title: "Viewers",
            className: "number",
            text: ({ viewers }) => viewers === null ? "" : formatCount(viewers),
          },
          {
            title: "Bought it",
            className: "number",
            text: ({ conversion }) => conversion === null ? "" : formatShare(conversion),
          },
        ],
        rows: products,
        key: ({ id }) => id,
      });
      return products.length > 0;
    },
  });
}
