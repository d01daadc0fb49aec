// @ts-check
import { element } from "./element.js";
import { fromTemplate } from "./from_template.js";
import { formatMoney, parseMoney } from "./money.js";
import { formatCount, formatShare } from "./number_format.js";
import { part } from "./part.js";
import { patchList } from "./patch_list.js";
import { patchTable } from "./patch_table.js";
import { ReportPanel } from "./report_panel.js";
import { numberOf, reportRows } from "./report_rows.js";
import { setText } from "./set_text.js";
import { zoneName } from "./time_format.js";

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** Columns of the report that are drawn, each on its own scale. */
const TYPES = /** @type {const} */ ([
  { name: "views", title: "Views", className: "key-views" },
  { name: "purchases", title: "Purchases", className: "key-purchases" },
]);

/**
 * @typedef {object} HourOfDay
 * @property {number} hour
 * @property {number} views
 * @property {number} purchases
 * @property {number | null} conversion
 * @property {bigint | null} revenue
 */

/** When people look and when they buy. */
export function hoursPanel() {
  return new ReportPanel("hours", {
    empty: "No event is in the table yet.",
    draw(answer, zone) {
      const hours = hoursOfDay(answer);
      setText(element("hours-zone"), zoneName(zone));
      patchList(element("hours-chart"), TYPES, {
        key: ({ name }) => name,
        create: createType,
        update: (node, { name, title }) => updateType(node, { title, hours, name }),
      });
      setText(
        element("hours-summary"),
        TYPES.map(({ name, title }) => {
          const { hour, most } = busiest(hours, name);
          return `${title}: most at ${clock(hour)}, ${formatCount(most)}.`;
        }).join(" "),
      );
      patchHoursTable(hours);
      return hours.some(({ views, purchases }) => views + purchases > 0);
    },
  });
}

/**
 * @param {import("./report_panel.js").ReportAnswer} answer
 * @returns {HourOfDay[]} 24
 */
function hoursOfDay(answer) {
  const byHour = new Map(reportRows(answer).map((row) => [numberOf(row.hour), row]));
  return HOURS.map((hour) => {
    const row = byHour.get(hour);
    return {
      hour,
      views: numberOf(row?.views) ?? 0,
      purchases: numberOf(row?.purchases) ?? 0,
      conversion: numberOf(row?.conversion),
      revenue: parseMoney(row?.revenue ?? ""),
    };
  });
}

/** @param {typeof TYPES[number]} type */
function createType({ className, title }) {
  const type = document.createElement("div");
  type.className = "hours-type";
  type.append(fromTemplate("hours-type"));
  part(type, ".key").classList.add(className);
  setText(part(type, ".hours-title"), title);
  for (const hour of HOURS) {
    const column = document.createElement("div");
    column.className = `hours-column ${className}`;
    column.dataset.hour = String(hour);
    part(type, ".hours-columns").append(column);
  }
  return type;
}

/**
 * @param {HTMLElement} node
 * @param {{ title: string, hours: readonly HourOfDay[], name: "views" | "purchases" }} shown
 */
function updateType(node, { title, hours, name }) {
  const { hour: peak, most } = busiest(hours, name);
  setText(part(node, ".hours-peak"), `most at ${clock(peak)}: ${formatCount(most)}`);
  const columns = /** @type {HTMLCollectionOf<HTMLElement>} */ (
    part(node, ".hours-columns").children
  );
  for (const each of hours) {
    const column = /** @type {HTMLElement} */ (columns[each.hour]);
    const count = each[name];
    column.style.height = most === 0 ? "0" : `${(count / most * 100).toFixed(1)}%`;
    const told = `${clock(each.hour)}–${clock(each.hour + 1)}: ${
      formatCount(count)
    } ${title.toLowerCase()}`;
    if (column.title !== told) column.title = told;
  }
}

/** @param {readonly HourOfDay[]} hours */
function patchHoursTable(hours) {
  patchTable(element("hours-table"), {
    columns: [
      { title: "Hour from", isHeader: true, text: ({ hour }) => clock(hour) },
      { title: "Views", className: "number", text: ({ views }) => formatCount(views) },
      { title: "Purchases", className: "number", text: ({ purchases }) => formatCount(purchases) },
      {
        title: "Purchases per view",
        className: "number",
        text: ({ conversion }) => conversion === null ? "" : formatShare(conversion),
      },
      {
        title: "Revenue",
        className: "number",
        text: ({ revenue }) => revenue === null ? "" : formatMoney(revenue),
      },
    ],
    rows: hours,
    key: ({ hour }) => String(hour),
  });
}

/**
 * @param {readonly HourOfDay[]} hours
 * @param {"views" | "purchases"} name
 */
function busiest(hours, name) {
  return hours.reduce(
    (found, { hour, [name]: count }) => count > found.most ? { hour, most: count } : found,
    { hour: 0, most: 0 },
  );
}

/** @param {number} hour */
function clock(hour) {
  return `${String(hour).padStart(2, "0")}:00`;
}
