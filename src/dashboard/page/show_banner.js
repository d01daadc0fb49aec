// @ts-check
import { element } from "./element.js";
import { setText } from "./set_text.js";

/** @param {import("./banner_text.js").BannerText | null} shown */
export function showBanner(shown) {
  element("banner").hidden = shown === null;
  if (shown === null) return;
  setText(element("banner-title"), shown.title);
  setText(element("banner-text"), shown.text);
  setText(element("banner-hint"), shown.hint);
}
