/**
 * The page, as text within the program: nothing of it comes from anywhere else.
 */
import { createHash } from "node:crypto";
import uplotJs from "uplot/uPlot.esm.js" with { type: "text" };
import uplotCss from "uplot/uPlot.min.css" with { type: "text" };
import asSentenceJs from "./page/as_sentence.js" with { type: "text" };
import attentionJs from "./page/attention.js" with { type: "text" };
import bannerTextJs from "./page/banner_text.js" with { type: "text" };
import barCellJs from "./page/bar_cell.js" with { type: "text" };
import batchesPanelJs from "./page/batches_panel.js" with { type: "text" };
import circumstancesCss from "./page/circumstances.css" with { type: "text" };
import coloursCss from "./page/colours.css" with { type: "text" };
import elementJs from "./page/element.js" with { type: "text" };
import factStreamJs from "./page/fact_stream.js" with { type: "text" };
import faultInRawJs from "./page/fault_in_raw.js" with { type: "text" };
import faviconSvg from "./page/favicon.svg" with { type: "text" };
import filesPanelJs from "./page/files_panel.js" with { type: "text" };
import flowCss from "./page/flow.css" with { type: "text" };
import flowPanelJs from "./page/flow_panel.js" with { type: "text" };
import fromTemplateJs from "./page/from_template.js" with { type: "text" };
import funnelPanelJs from "./page/funnel_panel.js" with { type: "text" };
import hoursPanelJs from "./page/hours_panel.js" with { type: "text" };
import indexHtml from "./page/index.html" with { type: "text" };
import listChangesJs from "./page/list_changes.js" with { type: "text" };
import moneyJs from "./page/money.js" with { type: "text" };
import movingMeanJs from "./page/moving_mean.js" with { type: "text" };
import numberFormatJs from "./page/number_format.js" with { type: "text" };
import pageCss from "./page/page.css" with { type: "text" };
import pageJs from "./page/page.js" with { type: "text" };
import panelsCss from "./page/panels.css" with { type: "text" };
import partJs from "./page/part.js" with { type: "text" };
import patchListJs from "./page/patch_list.js" with { type: "text" };
import patchTableJs from "./page/patch_table.js" with { type: "text" };
import pipelineStateJs from "./page/pipeline_state.js" with { type: "text" };
import plainTableNameJs from "./page/plain_table_name.js" with { type: "text" };
import productsPanelJs from "./page/products_panel.js" with { type: "text" };
import reachableByKeysJs from "./page/reachable_by_keys.js" with { type: "text" };
import rejectLinesPanelJs from "./page/reject_lines_panel.js" with { type: "text" };
import rejectsPanelJs from "./page/rejects_panel.js" with { type: "text" };
import reportPanelJs from "./page/report_panel.js" with { type: "text" };
import reportRowsJs from "./page/report_rows.js" with { type: "text" };
import safeTextJs from "./page/safe_text.js" with { type: "text" };
import salesPanelJs from "./page/sales_panel.js" with { type: "text" };
import setTextJs from "./page/set_text.js" with { type: "text" };
import showBannerJs from "./page/show_banner.js" with { type: "text" };
import sparkPathJs from "./page/spark_path.js" with { type: "text" };
import startPanelJs from "./page/start_panel.js" with { type: "text" };
import themeJs from "./page/theme.js" with { type: "text" };
import themeBootJs from "./page/theme_boot.js" with { type: "text" };
import timeChartJs from "./page/time_chart.js" with { type: "text" };
import timeFormatJs from "./page/time_format.js" with { type: "text" };
import trafficSeriesJs from "./page/traffic_series.js" with { type: "text" };

export interface PageAsset {
  readonly contentType: string;
  readonly body: string;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

const FILES: Readonly<Record<string, string>> = {
  "as_sentence.js": asSentenceJs,
  "attention.js": attentionJs,
  "banner_text.js": bannerTextJs,
  "bar_cell.js": barCellJs,
  "batches_panel.js": batchesPanelJs,
  "circumstances.css": circumstancesCss,
  "colours.css": coloursCss,
  "element.js": elementJs,
  "fact_stream.js": factStreamJs,
  "fault_in_raw.js": faultInRawJs,
  "favicon.svg": faviconSvg,
  "files_panel.js": filesPanelJs,
  "flow.css": flowCss,
  "flow_panel.js": flowPanelJs,
  "from_template.js": fromTemplateJs,
  "funnel_panel.js": funnelPanelJs,
  "hours_panel.js": hoursPanelJs,
  "index.html": indexHtml,
  "list_changes.js": listChangesJs,
  "money.js": moneyJs,
  "moving_mean.js": movingMeanJs,
  "number_format.js": numberFormatJs,
  "page.css": pageCss,
  "page.js": pageJs,
  "panels.css": panelsCss,
  "part.js": partJs,
  "patch_list.js": patchListJs,
  "patch_table.js": patchTableJs,
  "pipeline_state.js": pipelineStateJs,
  "plain_table_name.js": plainTableNameJs,
  "products_panel.js": productsPanelJs,
  "reachable_by_keys.js": reachableByKeysJs,
  "reject_lines_panel.js": rejectLinesPanelJs,
  "rejects_panel.js": rejectsPanelJs,
  "report_panel.js": reportPanelJs,
  "report_rows.js": reportRowsJs,
  "safe_text.js": safeTextJs,
  "sales_panel.js": salesPanelJs,
  "set_text.js": setTextJs,
  "show_banner.js": showBannerJs,
  "spark_path.js": sparkPathJs,
  "start_panel.js": startPanelJs,
  "theme.js": themeJs,
  "theme_boot.js": themeBootJs,
  "time_chart.js": timeChartJs,
  "time_format.js": timeFormatJs,
  "traffic_series.js": trafficSeriesJs,
  "uPlot.esm.js": uplotJs,
  "uPlot.min.css": uplotCss,
};

/** What stands in the page in place of `PAGE_TAG`. */
const TAG_PLACE = "@PAGE_TAG@";

/** Tells one version of the page from another: of a page that is open, whether it is still right. */
export const PAGE_TAG: string = tagOf(FILES);

/** By path, as in `/page.css`; the page itself is at `/`. */
export const PAGE_ASSETS: ReadonlyMap<string, PageAsset> = new Map(
  Object.entries(FILES).map(([name, text]) => [
    name === "index.html" ? "/" : `/${name}`,
    {
      contentType: CONTENT_TYPES[name.split(".").at(-1)!]!,
      body: text.replace(TAG_PLACE, PAGE_TAG),
    },
  ]),
);

function tagOf(files: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const [name, text] of Object.entries(files)) hash.update(`${name}\n${text.length}\n${text}`);
  return hash.digest("hex").slice(0, 16);
}
