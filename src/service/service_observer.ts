import { PgsluiceError } from "../pgsluice_error.ts";
import type {
  Backlog,
  CommittedBatch,
  IngestObserver,
  StartFacts,
} from "../pipeline/ingest_observer.ts";
import type { NotifyFields } from "./notify_socket.ts";

export interface ServiceObserverOptions {
  readonly notify: (fields: NotifyFields) => void;
  /** After so long without a word systemd takes it for hung (ms); null: it does not watch. */
  readonly watchdogMs: number | null;
  readonly clock: {
    /** In ms; never goes back. */
    now(): number;
    /** What it is on the wall. */
    date(): Date;
  };
}

/** A rate is told at most so often, and is of so long at least. */
const STATUS_INTERVAL_MS = 5_000;

/**
 * A start may go on as long as one turn follows the other within this; `TimeoutStartSec` of the
 * unit is the same. Between two turns of a start lie migrations and the reading of the ledger.
 */
export const START_PATIENCE_MS = 10 * 60_000;
const START_INTERVAL_MS = 30_000;

const COUNT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/**
 * Tells systemd what an ingester tells.
 *
 * - READY is told once: after the first scan with a live database, or when it stands by for another
 *   ingester, which may last for days. While it waits for its database it goes on starting, and its
 *   turns ask for more time.
 * - WATCHDOG and the asking for time come from facts of the loop and from no timer: a loop that
 *   hangs is silent.
 */
export class ServiceObserver implements IngestObserver {
  readonly #options: ServiceObserverOptions;
  #isReady = false;
  #isStopping = false;
  #aliveToldMs = -Infinity;
  #backlog: (() => Backlog) | null = null;
  /** Since the process began. */
  #records = 0;
  /** Null while it cannot load. */
  #work: Work | null = null;

  constructor(options: ServiceObserverOptions) {
    this.#options = options;
    this.#status("connecting to the database");
  }

  /** The process was asked to end; to be called on its signal. */
  stopping(): void {
    this.#options.notify({ STOPPING: "1" });
    this.#status("stopping, the open batch is finished first");
    this.#isStopping = true;
  }

  standby(): void {
    this.#work = null;
    this.#status("standing by: another ingester owns the pipeline");
    this.#ready();
  }

  started({ backlog }: StartFacts): void {
    this.#backlog = backlog;
    this.#work = {
      fromMs: this.#options.clock.now(),
      fromRecords: this.#records,
      hasLoaded: false,
      idle: null,
    };
    this.#status(backlog === null ? "reading the stream" : "looking through the folder");
  }

  scanned(): void {
    this.#ready();
  }

  turned(): void {
    this.#alive();
    this.#workStatus();
  }

  committed(batch: CommittedBatch): void {
    const work = this.#work;
    if (work !== null) {
      // what passed while nothing was to do is no part of the rate
      if (work.idle?.isTold) work.fromMs = this.#options.clock.now();
      work.idle = null;
      work.hasLoaded = true;
    }
    this.#records += batch.loaded + batch.rejected + batch.duplicate;
    this.#alive();
    this.#workStatus();
  }

  caughtUp(): void {
    const { clock } = this.#options;
    if (this.#work === null) return;
    this.#work.idle = { fromMs: clock.now(), since: timeText(clock.date()), isTold: false };
    this.#workStatus();
  }

  outage({ error, awayMs, hasStood }: Parameters<IngestObserver["outage"]>[0]): void {
    this.#work = null;
    const since = timeText(new Date(this.#options.clock.date().getTime() - awayMs));
    const what = hasStood ? "the database is away" : "waiting for the database";
    const reason = error instanceof PgsluiceError ? error.message : String(error);
    this.#status(`${what} since ${since}: ${reason}`);
  }

  recovered(): void {}
  fileTrouble(): void {}
  fileNote(): void {}
  readError(): void {}
  journal(): void {}
  journalTrouble(): void {}

  #ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#options.notify({ READY: "1" });
  }

  #alive(): void {
    const { watchdogMs, clock, notify } = this.#options;
    const watchIntervalMs = watchdogMs === null ? Infinity : watchdogMs / 4;
    const nowMs = clock.now();
    const silentMs = nowMs - this.#aliveToldMs;
    if (silentMs < (this.#isReady ? watchIntervalMs : START_INTERVAL_MS)) return;
    this.#aliveToldMs = nowMs;
    if (this.#isReady) notify({ WATCHDOG: "1" });
    else notify({ EXTEND_TIMEOUT_USEC: String(START_PATIENCE_MS * 1_000) });
  }

  /**
   * The rate since it was last told; or that it is idle, if there was nothing to load or nothing has
   * been left for a while: files that come one by one are not told as so many pauses.
   */
  #workStatus(): void {
    const work = this.#work;
    if (work === null || work.idle?.isTold) return;
    const nowMs = this.#options.clock.now();
    const records = this.#records - work.fromRecords;
    const isIdle = work.idle !== null &&
      (!work.hasLoaded || nowMs - work.idle.fromMs >= STATUS_INTERVAL_MS);
    const passedMs = nowMs - work.fromMs;
    if (!isIdle && (records === 0 || passedMs < STATUS_INTERVAL_MS)) return;
    work.fromMs = nowMs;
    work.fromRecords = this.#records;
    if (isIdle) {
      work.idle!.isTold = true;
      this.#status(
        `idle since ${work.idle!.since}, ${count(this.#records, "record")} since the start`,
      );
    } else {
      this.#status(
        `loading ${COUNT.format(records / (passedMs / 1000))} records/s${this.#toGo()}`,
      );
    }
  }

  #toGo(): string {
    const backlog = this.#backlog?.();
    if (backlog === undefined) return "";
    const { files, sizeBytes } = backlog;
    return `, ${count(files, "file")} (${(sizeBytes / 2 ** 20).toFixed(1)} MiB) to go`;
  }

  #status(text: string): void {
    if (!this.#isStopping) this.#options.notify({ STATUS: text });
  }
}

interface Work {
  /** When its rate was last told, or it began to be measured. */
  fromMs: number;
  fromRecords: number;
  hasLoaded: boolean;
  idle: { readonly fromMs: number; readonly since: string; isTold: boolean } | null;
}

/** As in `2026-03-14 10:00:00 UTC`. */
function timeText(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function count(number: number, noun: string): string {
  return `${COUNT.format(number)} ${noun}${number === 1 ? "" : "s"}`;
}
