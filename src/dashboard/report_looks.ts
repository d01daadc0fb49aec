/**
 * Asks the dashboard's reports, one after the other on one connection, for as long as somebody
 * looks.
 *
 * Invariants: once each has been asked, all of them together take at most a given share of the
 * time, and one that costs four times as much as another is asked half as often; one that fails does
 * not keep the others from being asked. A database that is away is waited for.
 */
import { connect, type DatabaseClient, type Sql } from "../database/connect.ts";
import type { DatabaseTarget } from "../database/database_target.ts";
import { databaseError, isConnectionError, sqlState } from "../database/fault.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { findReportPipeline, type ReportPipeline } from "../query/find_report_pipeline.ts";
import type { ReportValue } from "../query/report.ts";
import { hasData } from "../status/has_data.ts";
import type { ReportFacts, Reports } from "./dashboard_facts.ts";
import { type DashboardReport, STATEMENT_TIMEOUT_MS } from "./dashboard_report.ts";
import { DASHBOARD_REPORTS } from "./dashboard_reports.ts";
import { pause } from "../pause.ts";

/** One that failed after `STATEMENT_TIMEOUT_MS` is not given up for long. */
const MOST_IDLE_MS = 300_000;
/** While nothing changes, it is told that it was looked at; and no more often while much does. */
const UNCHANGED_MS = 30_000;
const LEAST_TELLING_MS = 500;
/** A name or a record in a CSV may be of a MiB; characters. */
const LONGEST_TEXT = 500;

const QUERY_CANCELED = "57014";

export interface ReportLooksOptions {
  readonly target: DatabaseTarget;
  readonly pipeline: string;
  /** Between two looks at a report that costs next to nothing. */
  readonly intervalMs: number;
  /** Of the time, that all of them may take together. */
  readonly share: number;
  /** A connection on which nothing is heard for so long is given up. */
  readonly silenceMs: number;
  /** The database is known to be away: it is not tried here as well. */
  readonly isAway: () => boolean;
  /** Hears all answers, when one has changed. */
  readonly tell: (reports: Reports) => void;
  /** Those of the dashboard unless given. */
  readonly reports?: readonly DashboardReport[];
}

export class ReportLooks {
  readonly #options: ReportLooksOptions;
  readonly #reports: readonly DashboardReport[];
  readonly #found = new Map<string, ReportFacts>();
  /** By name; an answer that is the same as the one before is no news. */
  readonly #answers = new Map<string, string>();
  /** By name, by `performance.now()`. */
  readonly #dueMs = new Map<string, number>();
  /** By name, ms. */
  readonly #tookMs = new Map<string, number>();
  #client: DatabaseClient | null = null;
  #pipelineId: number | null = null;
  /** Code of why the last time none could be asked. */
  #refusal: string | null = null;
  #hasNews = false;
  #toldMs = -Infinity;

  constructor(options: ReportLooksOptions) {
    this.#options = options;
    this.#reports = options.reports ?? DASHBOARD_REPORTS;
  }

  /** Until the signal, at which it gives up what is under way. */
  async run(signal: AbortSignal): Promise<void> {
    const drop = () => this.#client?.destroy();
    signal.addEventListener("abort", drop);
    try {
      while (!signal.aborted) {
        if (!this.#options.isAway()) await this.#askDue(signal);
        await pause(this.#options.intervalMs / 2, signal);
      }
    } finally {
      signal.removeEventListener("abort", drop);
      await this.#close();
    }
  }

  async #askDue(signal: AbortSignal): Promise<void> {
    try {
      this.#client ??= await this.#open();
      if (this.#client === null || signal.aborted) return;
      const { sql } = this.#client;
      const pipeline = await this.#beforeSilence(this.#find(sql));
      if (pipeline === null) return;
      for (const report of this.#reports) {
        if (performance.now() < (this.#dueMs.get(report.name) ?? 0)) continue;
        await this.#beforeSilence(this.#ask(report, { sql, pipeline }));
        if (signal.aborted) return;
        if (performance.now() - this.#toldMs >= LEAST_TELLING_MS) this.#tellNews();
      }
      this.#tellNews();
    } catch (error) {
      await this.#close();
      if (!isOfDatabase(error)) throw error;
      // what is wrong with the database is told by who watches it
    }
  }

  async #open(): Promise<DatabaseClient | null> {
    const { target } = this.#options;
    if (!await hasData(target)) return null;
    return await connect(target, { applicationName: "pgsluice dashboard reports" });
  }

  /** What is asked rejects if nothing is heard for too long. */
  async #beforeSilence<Answer>(asked: Promise<Answer>): Promise<Answer> {
    const deadline = setTimeout(() => this.#client?.destroy(), this.#options.silenceMs);
    try {
      return await asked;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Null while there is none. */
  async #find(sql: Sql): Promise<ReportPipeline | null> {
    try {
      const pipeline = await findReportPipeline(sql, this.#options.pipeline);
      if (pipeline.pipelineId !== this.#pipelineId) this.#forget();
      this.#pipelineId = pipeline.pipelineId;
      this.#refusal = null;
      return pipeline;
    } catch (error) {
      if (!(error instanceof PgsluiceError)) throw error;
      this.#refuse(error);
      return null;
    }
  }

  /** None can be asked. */
  #refuse(error: PgsluiceError): void {
    const isSame = this.#refusal === error.code;
    this.#refusal = error.code;
    if (error.code === "no-ledger" || error.code === "no-such-pipeline") {
      this.#forget(); // the pulse tells that
    } else if (isSame) { // a ledger that is being made is an older one for a moment
      this.#forget();
      for (const { name } of this.#reports) this.#keep(name, failure(error));
    }
    this.#tellNews();
  }

  async #ask(
    report: DashboardReport,
    { sql, pipeline }: { sql: Sql; pipeline: ReportPipeline },
  ): Promise<void> {
    const { name } = report;
    const beganMs = performance.now();
    const tookMs = () => performance.now() - beganMs;
    let facts: ReportFacts;
    try {
      const { window, columns, rows } = await report.ask(sql, pipeline);
      facts = {
        lookedAtMs: Date.now(),
        tookMs: tookMs(),
        ...window,
        columns,
        rows: rows.map(shortened),
      };
    } catch (error) {
      if (isLost(error)) throw error;
      // whatever it is, the others may well be answered
      facts = failure(told(error, name));
    }
    this.#tookMs.set(name, tookMs());
    this.#dueMs.set(name, beganMs + this.#intervalMs(name));
    this.#keep(name, facts);
  }

  /** Of the part of the time that each then takes, the sum over all is the share. */
  #intervalMs(name: string): number {
    const { intervalMs, share } = this.#options;
    const roots = [...this.#tookMs.values()].map(Math.sqrt);
    const sum = roots.reduce((one, other) => one + other, 0);
    const pacedMs = Math.sqrt(this.#tookMs.get(name)!) * sum / share;
    return Math.max(intervalMs, Math.min(pacedMs, MOST_IDLE_MS));
  }

  #keep(name: string, facts: ReportFacts): void {
    const { lookedAtMs: _, ...answer } = facts;
    const text = JSON.stringify({ ...answer, tookMs: 0 });
    if (text !== this.#answers.get(name)) this.#hasNews = true;
    this.#answers.set(name, text);
    this.#found.set(name, facts);
  }

  #tellNews(): void {
    const nowMs = performance.now();
    const isQuiet = this.#found.size === 0 || nowMs - this.#toldMs < UNCHANGED_MS;
    if (!this.#hasNews && isQuiet) return;
    this.#hasNews = false;
    this.#toldMs = nowMs;
    this.#options.tell(Object.fromEntries(this.#found));
  }

  /** It is another pipeline, or none. */
  #forget(): void {
    this.#pipelineId = null;
    this.#hasNews ||= this.#found.size > 0;
    for (const map of [this.#found, this.#answers, this.#dueMs, this.#tookMs]) map.clear();
  }

  async #close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    client?.destroy();
    await client?.close();
  }
}

function shortened(row: readonly ReportValue[]): readonly ReportValue[] {
  return row.map((value) =>
    typeof value === "string" && value.length > LONGEST_TEXT
      ? `${value.slice(0, LONGEST_TEXT)} …`
      : value
  );
}

function failure({ message, hint }: PgsluiceError): ReportFacts {
  return { lookedAtMs: Date.now(), error: message, hint };
}

/** As the page shows it. */
function told(error: unknown, name: string): PgsluiceError {
  if (sqlState(error) !== QUERY_CANCELED) return databaseError(error, `asking for ${name}`);
  const limit = `${STATEMENT_TIMEOUT_MS / 1000} s`;
  return new PgsluiceError("database-error", `it took longer than ${limit}, and was given up`, {
    hint:
      `it is asked again within ${MOST_IDLE_MS / 60_000} minutes; the server is busy, or there ` +
      "are too many rows for it",
  });
}

function isOfDatabase(error: unknown): boolean {
  return error instanceof PgsluiceError || sqlState(error) !== undefined ||
    isConnectionError(error);
}

/** The connection is gone, or about to be. */
function isLost(error: unknown): boolean {
  const state = sqlState(error);
  if (state === QUERY_CANCELED) return false;
  return isConnectionError(error) || state?.startsWith("57P") === true;
}
