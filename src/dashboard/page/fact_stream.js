// @ts-check
/**
 * The connection to pgsluice, for as long as the page is open: over restarts of the server, whose
 * end a browser takes for final once it has answered with anything but events.
 *
 * Invariant: there is either one EventSource, or one timer until the next, never both; and none of
 * them after `close`.
 */

/** What the server may tell. */
const FACTS = /** @type {const} */ (["hello", "pulse", "totals", "reports", "trouble"]);

const FIRST_DELAY_MS = 500;
const MOST_DELAY_MS = 8_000;
/** A connection that comes back within so long was not lost, as far as a reader is concerned. */
const GRACE_MS = 2_500;
/** The server tells something every second: a connection that is quiet for so long is dead. */
const SILENCE_MS = 10_000;

/**
 * @typedef {typeof FACTS[number]} FactName
 * @typedef {"unreachable" | "token" | "full"} Refusal why there is no stream
 */

/**
 * How long to wait before an attempt: longer each time, and not every page at the same moment.
 * @param {number} failures in a row, 1 or more
 * @param {number} random 0 to 1
 */
export function retryDelayMs(failures, random) {
  const longestMs = Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  return Math.round(longestMs * (0.75 + random / 4));
}

export class FactStream {
  #url;
  #onFact;
  #onState;
  #silenceMs;
  /** @type {Refusal} */
  #refusal = "unreachable";
  /** @type {EventSource | null} */
  #source = null;
  #timer = 0;
  #silenceTimer = 0;
  /** Attempts since something was heard. */
  #failures = 0;
  #hasHeard = false;
  /** By `performance.now()`. */
  #heardMs = performance.now();
  #retryAtMs = 0;
  #isClosed = false;

  /**
   * @param {string} url
   * @param {{
   *   onFact: (name: FactName, fact: unknown) => void,
   *   onState: () => void,
   *   silenceMs?: number,
   * }} options `onState` hears that something may be lost, or why
   */
  constructor(url, { onFact, onState, silenceMs = SILENCE_MS }) {
    this.#url = url;
    this.#onFact = onFact;
    this.#onState = onState;
    this.#silenceMs = silenceMs;
  }

  /** Nothing is heard, and an attempt has failed. */
  isLost() {
    return this.#failures > 0 && (!this.#hasHeard || this.lostAgeMs() > GRACE_MS);
  }

  /** Why, while the connection is lost. */
  get refusal() {
    return this.#refusal;
  }

  /** Since something was heard. */
  lostAgeMs() {
    return performance.now() - this.#heardMs;
  }

  /** Until the next attempt, while the connection is lost; 0 while one is under way. */
  retryInMs() {
    return this.#source === null ? Math.max(0, this.#retryAtMs - performance.now()) : 0;
  }

  open() {
    this.#connect();
  }

  /** Does not wait any longer, if it waits for the next attempt. */
  retryNow() {
    if (this.#isClosed || this.#source !== null) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** Twice is safe. */
  close() {
    this.#isClosed = true;
    this.#drop();
    clearTimeout(this.#timer);
  }

  #connect() {
    const source = new EventSource(this.#url);
    this.#source = source;
    source.addEventListener("error", () => this.#lose(source));
    for (const name of FACTS) {
      source.addEventListener(name, (event) => this.#hear(source, name, event));
    }
    this.#heedSilence(source);
  }

  /**
   * @param {EventSource} source
   * @param {FactName} name
   * @param {MessageEvent} event
   */
  #hear(source, name, { data }) {
    if (source !== this.#source) return;
    this.#heedSilence(source);
    this.#heardMs = performance.now();
    this.#failures = 0;
    this.#hasHeard = true;
    const fact = JSON.parse(data);
    this.#onFact(name, fact);
  }

  /** @param {EventSource} source */
  #heedSilence(source) {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#lose(source), this.#silenceMs);
  }

  /** @param {EventSource} source */
  #lose(source) {
    if (source !== this.#source) return;
    this.#drop();
    this.#failures++;
    const delayMs = retryDelayMs(this.#failures, Math.random());
    this.#retryAtMs = performance.now() + delayMs;
    this.#timer = setTimeout(() => this.#connect(), delayMs);
    this.#onState();
    this.#askWhy();
  }

  #drop() {
    clearTimeout(this.#silenceTimer);
    this.#source?.close();
    this.#source = null;
  }

  /** An EventSource does not tell what was answered. */
  async #askWhy() {
    let refusal = /** @type {Refusal} */ ("unreachable");
    try {
      const { status } = await fetch("/", { method: "HEAD", cache: "no-store" });
      if (status === 401 || status === 403) refusal = "token";
      else if (status === 200 && this.#failures > 2) refusal = "full";
    } catch {
      // it does not answer at all
    }
    if (refusal === this.#refusal) return;
    this.#refusal = refusal;
    this.#onState();
  }
}
