// @ts-check
/**
 * The page: hears what pgsluice tells, and shows it.
 *
 * What is told is kept whole, and drawn before the next frame; while the page is hidden nothing is
 * drawn but its title, and all of it when it is looked at again. Nothing is kept of the past but
 * what the last events say, so that the page can stay open for weeks.
 */
import { batchesPanel, showStages } from "./batches_panel.js";
import { showAttention } from "./attention.js";
import { bannerText } from "./banner_text.js";
import { showBanner } from "./show_banner.js";
import { element } from "./element.js";
import { FactStream } from "./fact_stream.js";
import { FilesPanel } from "./files_panel.js";
import { showPulse, showTotals } from "./flow_panel.js";
import { funnelPanel } from "./funnel_panel.js";
import { hoursPanel } from "./hours_panel.js";
import { formatCountOf } from "./number_format.js";
import { pipelineState } from "./pipeline_state.js";
import { productsPanel } from "./products_panel.js";
import { RejectLinesPanel } from "./reject_lines_panel.js";
import { rejectsPanel } from "./rejects_panel.js";
import { safeText } from "./safe_text.js";
import { SalesPanel } from "./sales_panel.js";
import { reachableByKeys } from "./reachable_by_keys.js";
import { setText } from "./set_text.js";
import { showStart } from "./start_panel.js";
import { followTheme } from "./theme.js";

const CONNECTED = "Connected: the figures are of this second.";
const TICK_MS = 1_000;
const RELOADED_FOR = "pgsluice-reloaded-for";

/** @typedef {import("./fact_stream.js").FactName} FactName */

class Page {
  #sales = new SalesPanel();
  /** By the name of the report that they show. */
  #panels = {
    traffic: this.#sales,
    funnel: funnelPanel(),
    top: productsPanel(),
    hours: hoursPanel(),
    rejects: rejectsPanel(),
    reject_lines: new RejectLinesPanel(),
    files: new FilesPanel(),
    batches: batchesPanel(),
  };
  #stream = new FactStream("/events", {
    onFact: (name, fact) => this.#hear(name, fact),
    onState: () => this.#tell(),
  });
  /** @type {import("../dashboard_facts.ts").Pulse | null} */
  #pulse = null;
  /** @type {import("../dashboard_facts.ts").Totals | null} */
  #totals = null;
  /** @type {import("../dashboard_facts.ts").Reports} */
  #reports = {};
  /** @type {import("../dashboard_facts.ts").Trouble | null} */
  #trouble = null;
  /** When it was told, by this browser's clock, as all times here. */
  #pulseHeardMs = 0;
  #troubleHeardMs = 0;
  /** Of this clock to that of the reports, as the freshest one tells it: that has just been made. */
  #reportLeadMs = Infinity;
  /** @type {Set<"pulse" | "totals" | "reports">} what was told and is not drawn yet */
  #undrawn = new Set();
  #isScheduled = false;

  start() {
    followTheme(() => this.#sales.recolour());
    reachableByKeys();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      this.#stream.retryNow();
      this.#schedule();
    });
    addEventListener("online", () => this.#stream.retryNow());
    // a page that the browser keeps for "back" would hold its connection
    addEventListener("pagehide", () => this.#stream.close());
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted) location.reload();
    });
    setInterval(() => this.#tell(), TICK_MS);
    this.#stream.open();
  }

  /**
   * @param {FactName} name
   * @param {any} fact
   */
  #hear(name, fact) {
    const nowMs = performance.now();
    switch (name) {
      case "hello":
        this.#reportLeadMs = Infinity;
        return this.#beTheRightPage(fact);
      case "pulse":
        this.#pulse = fact;
        this.#pulseHeardMs = nowMs;
        this.#trouble = null;
        this.#undrawn.add(name);
        break;
      case "trouble":
        this.#trouble = fact;
        this.#troubleHeardMs = nowMs;
        break;
      case "totals":
        this.#totals = fact;
        this.#undrawn.add(name);
        break;
      case "reports":
        this.#reports = fact;
        for (const { lookedAtMs } of Object.values(this.#reports)) {
          this.#reportLeadMs = Math.min(this.#reportLeadMs, nowMs - lookedAtMs);
        }
        this.#undrawn.add(name);
        break;
    }
    this.#tell();
  }

  /**
   * A server of another version has another page. It is loaded once: if what comes is this one
   * again, something in between keeps it.
   * @param {import("../dashboard_facts.ts").Hello} hello
   */
  #beTheRightPage({ pageTag }) {
    if (pageTag === document.documentElement.dataset.pageTag) return;
    try {
      if (sessionStorage.getItem(RELOADED_FOR) === pageTag) return;
      sessionStorage.setItem(RELOADED_FOR, pageTag);
    } catch {
      return; // without a note of it, it might load itself for ever
    }
    location.reload();
  }

  /** Says in the title what the state is, and has the rest drawn if it is seen. */
  #tell() {
    const { word } = this.#state();
    const name = this.#pulse?.pipeline?.name;
    const title = [word, ...(name === undefined ? [] : [safeText(name)]), "pgsluice"].join(" · ");
    if (document.title !== title) document.title = title;
    if (!document.hidden) this.#schedule();
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#draw();
    });
  }

  #draw() {
    const pulse = this.#pulse;
    const pipeline = pulse?.pipeline ?? null;
    const zone = pipeline?.timeZone ?? "UTC";
    const atMs = this.#serverMs();
    this.#drawState(zone);
    const isEmpty = pulse !== null && pipeline === null;
    element("getting-started").hidden = !isEmpty;
    element("figures").hidden = isEmpty;
    if (isEmpty) showStart(pulse.otherNames);
    if (pulse !== null && this.#undrawn.delete("pulse")) {
      setText(
        element("pipeline-name"),
        pipeline === null ? "" : `pipeline ${safeText(pipeline.name)}`,
      );
      setText(element("viewers"), `${formatCountOf(pulse.viewers, "page")} open.`);
      showPulse(pulse);
    }
    if (this.#totals !== null) {
      showTotals(this.#totals, { atMs, isStream: pipeline?.sourceKind === "stdin" });
      if (this.#undrawn.delete("totals")) showStages(this.#totals.recentBatches);
    }
    if (this.#undrawn.delete("reports")) {
      for (const [name, panel] of Object.entries(this.#panels)) {
        panel.show(this.#reports[name], zone);
      }
      showAttention(this.#reports, this.#totals);
    }
    const now = { atMs, reportMs: performance.now() - this.#reportLeadMs };
    for (const panel of Object.values(this.#panels)) panel.tick(now);
  }

  /** @param {string} zone */
  #drawState(zone) {
    const state = this.#state();
    const stream = this.#stream;
    element("state").dataset.tone = state.tone;
    document.body.dataset.state = state.kind;
    document.body.dataset.stale = String(state.kind === "lost" || state.kind === "trouble");
    setText(element("state-word"), state.word);
    setText(element("state-sentence"), state.sentence);
    const toDo = element("to-do");
    toDo.hidden = state.toDo === null;
    toDo.dataset.tone = state.tone;
    setText(element("to-do-text"), state.toDo?.text ?? "");
    setText(element("to-do-command"), safeText(state.toDo?.command ?? ""));
    // not the ages: it is read out
    setText(element("announcement"), state.kind === "connecting" ? "" : state.word);
    setText(element("connection"), stream.isLost() ? "Not connected." : CONNECTED);
    showBanner(bannerText({
      isLost: stream.isLost(),
      refusal: stream.refusal,
      lostAgeMs: stream.lostAgeMs(),
      retryMs: stream.retryInMs(),
      trouble: this.#trouble,
      troubleAgeMs: this.#troubleMs() - (this.#trouble?.sinceMs ?? 0),
      figuresAgeMs: this.#pulse === null ? null : performance.now() - this.#pulseHeardMs,
      zone,
    }));
  }

  #state() {
    const trouble = this.#trouble;
    return pipelineState({
      isLost: this.#stream.isLost(),
      trouble,
      pulse: this.#pulse,
      totals: this.#totals,
      atMs: trouble === null ? this.#serverMs() : this.#troubleMs(),
    });
  }

  /** Now, by the database's clock. */
  #serverMs() {
    return (this.#pulse?.atMs ?? 0) + performance.now() - this.#pulseHeardMs;
  }

  /** Now, by the clock of the machine that serves the page. */
  #troubleMs() {
    return (this.#trouble?.atMs ?? 0) + performance.now() - this.#troubleHeardMs;
  }
}

new Page().start();
