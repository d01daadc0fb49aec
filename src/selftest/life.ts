/** One life of the ingester in this process, with what it told. */
import { ingest } from "../pipeline/ingest.ts";
import type { CommittedBatch, IngestObserver } from "../pipeline/ingest_observer.ts";
import type { DatabaseTarget } from "../database/database_target.ts";
import type { Probe } from "../probe.ts";
import { ingestOptions } from "./ingest_options_of.ts";
import type { TestedPipeline } from "./selftest_ground.ts";

/**
 * An ingester that has neither committed nor ended by then is stuck: less than the minute after
 * which it gives up a batch that waits, for no batch should ever wait like that.
 */
const PROGRESS_DEADLINE_MS = 50_000;
/** One that was told to stop and has not ended by then is left to itself. */
const STOP_DEADLINE_MS = 60_000;

export interface LifeOptions {
  readonly pipeline: TestedPipeline;
  readonly target: DatabaseTarget;
  readonly signal: AbortSignal;
  readonly probe?: Probe;
  /** Load what is there and end; else it watches until `stop()`. */
  readonly once?: boolean;
  /** What is loaded goes to the archive. */
  readonly archive?: boolean;
  /** So many sessions in a row may begin without a commit. */
  readonly sessionsBorne: number;
  readonly onCommitted?: (batch: CommittedBatch) => void;
}

export class Life implements IngestObserver {
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<void>;
  /** What ended it, if it was an error. */
  error: unknown = null;
  /** True if it was stopped because it did not recover. */
  isStuck = false;
  /** Sessions that began. */
  starts = 0;
  /** The last session, from 1, in which nothing was left to do; 0 for none. */
  quietSession = 0;
  readonly journalStandings: string[] = [];
  readonly #options: LifeOptions;
  readonly #stop = new AbortController();
  readonly #abandoned = Promise.withResolvers<void>();
  #idleSessions = 0;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.ended = Promise.race([this.#live(), this.#abandoned.promise]);
  }

  /** Ends it as a user does. `ended` tells when that is done. */
  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      this.error ??= new Error(`it did not end within ${STOP_DEADLINE_MS / 1000} s of its stop`);
      this.#abandoned.resolve();
    }, STOP_DEADLINE_MS);
  }

  async #live(): Promise<void> {
    const { pipeline, target, signal, probe, once, archive } = this.#options;
    this.#watchProgress();
    try {
      await ingest(
        ingestOptions(pipeline, {
          target,
          signal: AbortSignal.any([signal, this.#stop.signal]),
          ...(probe && { probe }),
          ...(once !== undefined && { once }),
          ...(archive !== undefined && { archive }),
        }),
        this,
      );
    } catch (error) {
      this.error = error;
    } finally {
      clearTimeout(this.#deadline);
    }
  }

  #watchProgress(): void {
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#giveUp(), PROGRESS_DEADLINE_MS);
  }

  #giveUp(): void {
    this.isStuck = true;
    this.stop();
  }

  started(): void {
    this.starts++;
    if (++this.#idleSessions > this.#options.sessionsBorne) this.#giveUp();
  }

  committed(batch: CommittedBatch): void {
    this.#idleSessions = 0;
    this.#watchProgress();
    this.#options.onCommitted?.(batch);
  }

  caughtUp(): void {
    this.quietSession = this.starts;
  }

  journal({ kind }: { kind: string }): void {
    this.journalStandings.push(kind);
  }

  scanned(): void {}
  turned(): void {}
  readError(): void {}
  journalTrouble(): void {}
  standby(): void {}
  outage(): void {}
  recovered(): void {}
  fileTrouble(): void {}
  fileNote(): void {}
}
