// @ts-check
import { element } from "./element.js";
import { safeText } from "./safe_text.js";
import { setText } from "./set_text.js";

/**
 * What to do where there is no pipeline of the name that was asked for.
 * @param {readonly string[]} otherNames of the pipelines that there are
 */
export function showStart(otherNames) {
  const others = element("other-pipelines");
  others.hidden = otherNames.length === 0;
  const names = otherNames.map(safeText).join(", ");
  setText(element("other-names"), names);
  setText(
    element("start-title"),
    otherNames.length === 0
      ? "Nothing has been ingested yet"
      : "Nothing has been ingested into this pipeline yet",
  );
}
