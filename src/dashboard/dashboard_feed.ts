/**
 * What all pages are told, from one look at the database for all of them.
 *
 * Invariants: while nobody looks, nothing is asked and no connection is open; while somebody does,
 * there are two connections at most, one for what moves and one for reports, so that a report that
 * takes long holds up no pulse. After each second everybody is told either a pulse or a trouble.
 */
import type { DatabaseTarget } from "../database/database_target.ts";
import { holdTarget } from "../database/hold_target.ts";
import { hasData } from "../status/has_data.ts";
import { StatusWatch, type WatchView } from "../status/status_watch.ts";
import type { FolderStanding, Totals } from "../status/watch_picture.ts";
import type { Hello, Trouble } from "./dashboard_facts.ts";
import { EventAudience } from "./event_audience.ts";
import { FolderArrivals } from "./folder_arrivals.ts";
import { pause } from "../pause.ts";
import { pulseFacts, totalsFacts } from "./picture_facts.ts";
import { ReportLooks } from "./report_looks.ts";

/** A connection that is being made to a server that does not answer is not waited for. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Browsers that are open for long and forgotten cost something as well. */
const MOST_VIEWERS = 250;
export interface FeedPace {
  readonly pulseMs: number;
  /** Of the time: so much may counting files take, and as much looking at the folder. */
  readonly totalsShare: number;
  /** Of the time: so much may all reports take together. */
  readonly reportsShare: number;
  /** Between two looks at a report that costs next to nothing. */
  readonly reportMs: number;
  /** After the last one has gone: a page that is loaded anew, or has lost its stream, comes back. */
  readonly lingerMs: number;
  /** A look that takes longer is told. */
  readonly lateMs: number;
  /** A connection on which nothing is heard for so long is given up. */
  readonly silenceMs: number;
}

/** Under load, answers take longer than the work that they make. */
const PACE: FeedPace = {
  pulseMs: 1_000,
  totalsShare: 0.01,
  reportsShare: 0.02,
  reportMs: 2_000,
  lingerMs: 5_000,
  lateMs: 5_000,
  silenceMs: 30_000,
};

export interface DashboardFeedOptions {
  readonly target: DatabaseTarget;
  readonly pipeline: string;
  /** Of the page that the viewers are to have. */
  readonly pageTag: string;
  /** Hears what a person should know about starting the embedded server. */
  readonly say: (text: string) => void;
  readonly pace?: Partial<FeedPace>;
}

export class DashboardFeed {
  readonly #options: DashboardFeedOptions;
  readonly #pace: FeedPace;
  readonly #audience: EventAudience;
  #isClosed = false;
  /** Of what is running. */
  #stop = new AbortController();
  #running: Promise<void> | null = null;
  #looking: Promise<void> | null = null;
  /** Of an embedded server, from the first look on: it does not go up and down with the viewers. */
  #letGo: (() => Promise<void>) | null = null;

  constructor(options: DashboardFeedOptions) {
    this.#options = options;
    this.#pace = { ...PACE, ...options.pace };
    const hello: Hello = { pageTag: options.pageTag };
    this.#audience = new EventAudience({
      most: MOST_VIEWERS,
      greeting: { kind: "hello", facts: hello },
      onChange: () => this.#begin(),
    });
  }

  /** @returns server-sent events, until their reader goes away; null if there are too many readers */
  join(): ReadableStream<Uint8Array> | null {
    return this.#isClosed ? null : this.#audience.join();
  }

  /** Ends all streams, and gives up what is under way. Twice is safe. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop.abort();
    this.#audience.dismiss();
    await within(this.#running, CLOSE_TIMEOUT_MS);
    const letGo = this.#letGo;
    this.#letGo = null;
    // a server that will not stop now stays up until the next command ends
    await letGo?.().catch(() => {});
  }

  #begin(): void {
    if (this.#running !== null || this.#audience.size === 0 || this.#isClosed) return;
    this.#stop = new AbortController();
    this.#running = this.#run(this.#stop).finally(() => {
      this.#running = null;
      this.#begin(); // somebody may have come meanwhile
    });
  }

  async #run(stop: AbortController): Promise<void> {
    const { target, pipeline, say } = this.#options;
    const watch = new StatusWatch({
      target,
      pipeline,
      intervalMs: this.#pace.pulseMs,
      idleShare: 1 / this.#pace.totalsShare,
      silenceMs: this.#pace.silenceMs,
      applicationName: "pgsluice dashboard",
      isPatient: true,
      say,
    });
    const reports = new ReportLooks({
      target,
      pipeline,
      intervalMs: this.#pace.reportMs,
      share: this.#pace.reportsShare,
      silenceMs: this.#pace.silenceMs,
      isAway: () => watch.view().outage !== null,
      tell: (found) => this.#audience.tell("reports", found),
    });
    const reporting = reports.run(stop.signal);
    try {
      await this.#watch(watch, stop.signal);
    } finally {
      stop.abort();
      await Promise.all([reporting, watch.close(), this.#looking]);
      // older than what a next viewer is to see first
      this.#audience.forget("pulse", "totals", "reports", "trouble");
    }
  }

  /** Until the signal, or until everybody has been away for a while. */
  async #watch(watch: StatusWatch, signal: AbortSignal): Promise<void> {
    const { pulseMs, lingerMs } = this.#pace;
    const teller = new Teller(this.#audience, this.#pace);
    let failure: { readonly error: unknown } | null = null;
    let seenMs = performance.now();
    while (!signal.aborted) {
      const tick = pause(pulseMs, signal);
      this.#looking ??= this.#look(watch).catch((error) => {
        failure = { error };
      }).finally(() => {
        this.#looking = null;
      });
      await Promise.race([this.#looking, tick]);
      if (failure !== null) throw (failure as { readonly error: unknown }).error;
      if (signal.aborted) return;
      teller.tell(watch.view());
      await tick;
      if (this.#audience.size > 0) seenMs = performance.now();
      else if (performance.now() - seenMs > lingerMs) return;
    }
  }

  async #look(watch: StatusWatch): Promise<void> {
    const { target, say } = this.#options;
    if (this.#letGo === null && target.kind === "embedded") {
      try {
        if (await hasData(target)) this.#letGo = await holdTarget(target, { say });
      } catch {
        // the watch tries the same, and tells what is wrong
      }
    }
    await watch.look();
  }
}

/** Resolves when the promise does, or after so long. */
async function within(promise: Promise<void> | null, timeoutMs: number): Promise<void> {
  const timeout = new AbortController();
  const late = pause(timeoutMs, timeout.signal);
  await Promise.race([promise, late]);
  timeout.abort();
  await late;
}

/** Turns what a watch sees into events. */
class Teller {
  readonly #audience: EventAudience;
  readonly #lateMs: number;
  readonly #arrivals = new FolderArrivals();
  #totals: Totals | null = null;
  #folder: FolderStanding | null = null;

  constructor(audience: EventAudience, { lateMs }: FeedPace) {
    this.#audience = audience;
    this.#lateMs = lateMs;
  }

  tell(view: WatchView): void {
    const trouble = this.#trouble(view);
    if (trouble !== null) return this.#audience.tell("trouble", trouble);
    this.#audience.forget("trouble");
    const { picture } = view;
    this.#audience.tell(
      "pulse",
      pulseFacts(picture, { viewers: this.#audience.size, nowMs: Date.now() }),
    );
    const [found] = picture?.pipelines ?? [];
    const totals = found?.totals ?? null;
    const folder = found?.folder ?? null;
    if (totals === this.#totals && folder === this.#folder) return;
    this.#totals = totals;
    this.#folder = folder;
    const arrivedBytesPerSecond = this.#arrivals.bytesPerSecond(folder);
    const facts = totalsFacts(picture, { arrivedBytesPerSecond });
    if (facts !== null) this.#audience.tell("totals", facts);
  }

  #trouble({ outage, ageMs }: WatchView): Trouble | null {
    const atMs = Date.now();
    if (outage !== null) {
      const { awayMs, code, reason, hint } = outage;
      return { atMs, sinceMs: Math.round(atMs - awayMs), code, message: reason, hint };
    }
    if (ageMs <= this.#lateMs) return null;
    return {
      atMs,
      sinceMs: Math.round(atMs - ageMs),
      code: "status-late",
      message: `the database has not answered for ${Math.round(ageMs / 1000)} s`,
      hint: "it is busy, or the network between is cut: it is waited for",
    };
  }
}
