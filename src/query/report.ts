/** What a report is: a question that is asked often, its SQL, and what its answer means. */

/** How a column's values are to be read, and shown. */
export type ReportUnit =
  | "text"
  | "time" // ISO 8601, UTC, as text
  | "date" // YYYY-MM-DD, local in the pipeline's time zone
  | "count" // a whole number; as text where it is beyond 2^53
  | "money" // a decimal as text, in the price's own currency
  | "ratio" // 0 to 1
  | "ms"
  | "bytes"
  | "per_second";

export interface ReportColumn {
  readonly name: string;
  readonly unit: ReportUnit;
  /** One line. */
  readonly description: string;
  /** The only grouping whose answers have it; absent: all have. */
  readonly onlyBy?: string;
}

/** Groupings by time, in the pipeline's time zone. An answer's first column is then their start. */
export const TIME_GROUPINGS: readonly string[] = ["minute", "hour", "day"];

export interface Report {
  /** One word, as in `pgsluice query traffic`; that of its file in `sql/reports`. */
  readonly name: string;
  /** One sentence that ends in a question mark. */
  readonly question: string;
  /** Those that the SQL selects, in its order. */
  readonly columns: readonly ReportColumn[];
  /** What it reads, as in "the minutes' sums; 10 ms for a day". */
  readonly cost: string;
  /** What `--by` accepts, the default first; empty if it takes none. */
  readonly groupings: readonly string[];
  /** So far back from its end the window reaches unless `--since` says it; null for everything. */
  readonly windowMs: number | null;
  /** What the window is about: when events happened, or when they were committed. */
  readonly clock: "event" | "commit";
  /** The window begins and ends with a minute, for it is the minutes' sums that are read. */
  readonly inWholeMinutes: boolean;
  /** A window that nobody asked for is shortened until it holds no more events; null: never. */
  readonly maxEvents: number | null;
  /** The column worth a bar for each row, or null. */
  readonly bar: string | null;
  /** In the form that `psql` takes with variables; see `runReport`. */
  readonly text: string;
}

/** Half-open. ms since 1970. Null bounds are open. */
export interface ReportWindow {
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
}

export type ReportValue = string | number | null;

export interface ReportResult {
  readonly report: Report;
  /** What the answer is about, after it was rounded to what the report can tell apart. */
  readonly window: ReportWindow;
  /** Null if the report takes none. */
  readonly by: string | null;
  /** The report's; the first is named after `by` where it holds what is grouped by. */
  readonly columns: readonly ReportColumn[];
  readonly rows: readonly (readonly ReportValue[])[];
  /** ms that the database took. */
  readonly tookMs: number;
}
