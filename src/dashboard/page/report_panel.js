// @ts-check
import { asSentence } from "./as_sentence.js";
import { element } from "./element.js";
import { formatAgo, formatDuration } from "./number_format.js";
import { part } from "./part.js";
import { safeText } from "./safe_text.js";
import { setText } from "./set_text.js";
import { formatWindow } from "./time_format.js";

/**
 * @typedef {import("../dashboard_facts.ts").ReportFacts} ReportFacts
 * @typedef {Exclude<ReportFacts, { error: string }>} ReportAnswer
 *
 * @typedef {object} Now
 * @property {number} atMs by the database's clock, as times in the ledger are
 * @property {number} reportMs by the clock of who asked for the reports
 */

/**
 * The frame of a panel that shows a report: what it is about, how old it is, and what is wrong with
 * it. What went wrong is said above the answer before, which stays.
 */
export class ReportPanel {
  #section;
  #empty;
  #draw;
  /** @type {ReportAnswer | null} the last one */
  #answer = null;
  /** Of what is shown, be it an answer or a failure. */
  #shown = "";

  /**
   * @param {string} id
   * @param {object} options
   * @param {string} options.empty what is said if there is nothing to show, and what to do then
   * @param {(answer: ReportAnswer, zone: string) => boolean} options.draw false: there is nothing
   */
  constructor(id, { empty, draw }) {
    this.#section = element(id);
    this.#empty = empty;
    this.#draw = draw;
    this.#showBody("Looking …");
  }

  /**
   * @param {ReportFacts | undefined} facts undefined: not looked at yet
   * @param {string} zone
   * @returns {boolean} true if it is another one than is shown
   */
  show(facts, zone) {
    const shown = `${facts?.lookedAtMs} ${zone}`;
    if (facts === undefined || shown === this.#shown) return false;
    this.#shown = shown;
    const failure = part(this.#section, ".panel-error");
    const isFailure = "error" in facts;
    failure.hidden = !isFailure;
    if (isFailure) {
      const told = [facts.error, facts.hint ?? ""].map(safeText).map(asSentence);
      setText(failure, told.join(" ").trim());
      if (this.#answer === null) this.#showBody("");
      return true;
    }
    this.#answer = facts;
    try {
      this.#showBody(this.#draw(facts, zone) ? null : this.#empty);
    } catch (error) {
      // of a version that the page does not know; the other panels are shown all the same
      reportError(error);
      failure.hidden = false;
      setText(failure, "This page cannot read what was answered: load it anew.");
    }
    const window = this.#section.querySelector(".window");
    const isOpen = facts.sinceMs === null && facts.untilMs === null;
    if (window !== null) setText(window, isOpen ? "" : formatWindow(facts, zone));
    return true;
  }

  /** @param {Now} now */
  tick({ reportMs }) {
    if (this.#answer === null) return;
    const { lookedAtMs, tookMs } = this.#answer;
    setText(
      part(this.#section, ".panel-foot"),
      `Looked at ${formatAgo(reportMs - lookedAtMs)}; the database took ${formatDuration(tookMs)}`,
    );
  }

  /** @param {string | null} instead what is said in place of the body */
  #showBody(instead) {
    part(this.#section, ".panel-body").hidden = instead !== null;
    const empty = part(this.#section, ".panel-empty");
    empty.hidden = instead === null;
    setText(empty, instead ?? "");
  }
}
