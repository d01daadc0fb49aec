// @ts-check
import { asSentence } from "./as_sentence.js";
import { formatAge } from "./number_format.js";
import { troubleWord } from "./pipeline_state.js";
import { safeText } from "./safe_text.js";
import { formatClock, zoneName } from "./time_format.js";

/**
 * What is over so soon moves nothing on the page: its state says it at once, in a place of its own.
 */
const GRACE_MS = 1_500;

/**
 * @typedef {object} BannerText
 * @property {string} title
 * @property {string} text
 * @property {string} hint empty if there is none
 */

/**
 * What stands in the banner; null if nothing is wrong that all of the page suffers from.
 * @param {object} known
 * @param {boolean} known.isLost
 * @param {import("./fact_stream.js").Refusal} known.refusal
 * @param {number} known.lostAgeMs since the connection was lost
 * @param {number} known.retryMs until the next attempt
 * @param {import("../dashboard_facts.ts").Trouble | null} known.trouble
 * @param {number} known.troubleAgeMs
 * @param {number | null} known.figuresAgeMs null if there are none yet
 * @param {string} known.zone
 * @returns {BannerText | null}
 */
export function bannerText(known) {
  const { isLost, refusal, lostAgeMs, retryMs, trouble, troubleAgeMs, figuresAgeMs, zone } = known;
  const isOld = figuresAgeMs !== null && figuresAgeMs >= 1000;
  const figures = isOld ? ` The figures below are ${formatAge(figuresAgeMs)} old.` : "";
  if (isLost) {
    const next = retryMs <= 0 ? "now" : `in ${formatAge(retryMs + 999)}`;
    return {
      title: "Lost connection to pgsluice, trying again",
      text: `No news for ${formatAge(lostAgeMs)}; next attempt ${next}.${figures}`,
      hint: REFUSAL_HINTS[refusal],
    };
  }
  if (trouble === null || troubleAgeMs < GRACE_MS) return null;
  const since = `${formatClock(trouble.sinceMs, zone)} ${zoneName(zone)}`;
  return {
    title: `${troubleWord(trouble)} since ${since} (${formatAge(troubleAgeMs)})`,
    text: `${asSentence(safeText(trouble.message))}${figures}`,
    hint: asSentence(safeText(trouble.hint ?? "")),
  };
}

/** @type {Readonly<Record<import("./fact_stream.js").Refusal, string>>} */
const REFUSAL_HINTS = {
  unreachable:
    "If it was stopped, start it again: pgsluice dashboard. This page then goes on by itself.",
  token: "It was started anew with another token: open the address that it printed.",
  full: "It answers, but takes no more viewers: close some of the pages that show it.",
};
