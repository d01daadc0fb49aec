import { Registry } from "prom-client";
import type { CommittedBatch, IngestObserver, StartFacts } from "../pipeline/ingest_observer.ts";
import { STAGE_NAMES } from "../sink/batch_stages.ts";
import { type Exposed, Exposition } from "./exposition.ts";
import { type MetricSet, metricSet } from "./metric_set.ts";
import { processMetrics } from "./process_metrics.ts";

export interface IngestMetricsOptions {
  /** A label of every metric. */
  readonly pipeline: string;
  /** Of pgsluice; the commit is null where it is not known. */
  readonly build: { readonly version: string; readonly commit: string | null };
  /** ms since 1970; the system's clock unless given. */
  readonly now?: () => number;
}

/**
 * Counts what an ingester tells, for Prometheus. Counters are of this process and begin at 0.
 *
 * A fact costs microseconds. What has to be asked for, as the backlog, is asked when somebody
 * reads, and then once.
 */
export class IngestMetrics implements IngestObserver {
  readonly #now: () => number;
  readonly #beganMs: number;
  readonly #metrics: MetricSet;
  readonly #exposition: Exposition;
  readonly #refreshProcess: () => void;
  /** One for each stage, in the order of `STAGE_NAMES`. */
  readonly #stages: readonly { inc(seconds: number): void }[];
  #backlog: StartFacts["backlog"] = null;
  /** Between an outage and its end; a session that stands meanwhile does not end it. */
  #isAway = false;

  constructor({ pipeline, build, now = Date.now }: IngestMetricsOptions) {
    this.#now = now;
    this.#beganMs = now();
    const registry = new Registry();
    this.#metrics = metricSet(registry);
    this.#refreshProcess = processMetrics(registry);
    this.#exposition = new Exposition(registry, { pipeline });
    // there from the start, so that their first increase is seen as one
    this.#stages = STAGE_NAMES.map((name) =>
      this.#metrics.stageSeconds.labels(name.replace("Ms", ""))
    );
    for (const stage of this.#stages) stage.inc(0);
    for (const state of ["failed", "held"]) this.#metrics.fileTroubles.inc({ state }, 0);
    this.#metrics.lastCommit.remove();
    this.#metrics.journalUp.set(1);
    const { version, commit } = build;
    this.#metrics.buildInfo.set({ version, revision: commit ?? "unknown" }, 1);
  }

  /**
   * All of it as text.
   * @param accept the header `Accept`, which may ask for OpenMetrics
   */
  async expose(accept: string | null): Promise<Exposed> {
    this.#refreshProcess();
    this.#refreshBacklog();
    return await this.#exposition.expose(accept);
  }

  standby(): void {
    this.#backlog = null; // another one's from now on
    this.#metrics.owner.set(0);
    this.#showDatabase();
  }

  started({ backlog }: StartFacts): void {
    this.#backlog = backlog;
    this.#metrics.owner.set(1);
    this.#showDatabase();
  }

  scanned(): void {}

  turned(): void {}

  committed(batch: CommittedBatch): void {
    const nowMs = this.#now();
    const { rows, bytes, duplicates, batches, rejects } = this.#metrics;
    rows.inc(batch.loaded);
    bytes.inc(batch.sizeBytes);
    duplicates.inc(batch.duplicate);
    batches.inc();
    for (const [code, count] of batch.rejectsByCode) rejects.inc({ code }, count);
    this.#metrics.commitSeconds.observe(batch.stages.commitMs / 1000);
    for (const [index, name] of STAGE_NAMES.entries()) {
      this.#stages[index]!.inc(batch.stages[name] / 1000);
    }
    for (const { modifiedMs } of batch.files) {
      if (modifiedMs === null) continue;
      const sinceMs = Math.max(modifiedMs, this.#beganMs);
      // a file may be changed in the future, by the clock of another machine
      this.#metrics.latencySeconds.observe(Math.max(0, nowMs - sinceMs) / 1000);
    }
    this.#metrics.lastCommit.set(nowMs / 1000);
  }

  caughtUp(): void {}

  fileTrouble({ state }: { state: "failed" | "held" }): void {
    this.#metrics.fileTroubles.inc({ state });
  }

  fileNote(): void {}

  readError(): void {
    this.#metrics.readErrors.inc();
  }

  journal(): void {}

  journalTrouble(error: unknown | null): void {
    this.#metrics.journalUp.set(error === null ? 1 : 0);
    if (error !== null) this.#metrics.journalErrors.inc();
  }

  outage({ awayMs }: { awayMs: number }): void {
    if (awayMs === 0) this.#metrics.outages.inc();
    this.#isAway = true;
    this.#metrics.owner.set(0);
    this.#metrics.databaseUp.set(0);
  }

  recovered(): void {
    this.#isAway = false;
    this.#metrics.databaseUp.set(1);
  }

  #showDatabase(): void {
    if (!this.#isAway) this.#metrics.databaseUp.set(1);
  }

  #refreshBacklog(): void {
    const { backlogFiles, backlogBytes, oldestUnreadAge } = this.#metrics;
    const backlog = this.#backlog?.() ?? null;
    if (backlog === null) {
      for (const gauge of [backlogFiles, backlogBytes, oldestUnreadAge]) gauge.remove();
      return;
    }
    const { files, sizeBytes, oldestModifiedMs } = backlog;
    const ageMs = oldestModifiedMs === null ? 0 : this.#now() - oldestModifiedMs;
    backlogFiles.set(files);
    backlogBytes.set(sizeBytes);
    oldestUnreadAge.set(Math.max(0, ageMs) / 1000);
  }
}
