/**
 * What the page is told, by server-sent events: `hello` first, `pulse` every second, `totals` and
 * `reports` when they were looked at anew, `trouble` while the database does not answer, in place of
 * `pulse` and as often: a page takes 10 s without any event for a lost connection. A `pulse` ends
 * the trouble. Each event is whole: a page that missed others needs none of them. Times are ms since
 * 1970 by the server's clock. The stream's own answer may be 401, if the dashboard was started anew
 * with another token (its page says what to do), or 503, if there are too many viewers.
 */
import type { ReportValue } from "../query/report.ts";
import type { Activity } from "../status/activity.ts";
import type { RecentBatches } from "../status/recent_batches.ts";
import type { Backlog } from "../status/status_report.ts";
import type { Second } from "../status/watch_picture.ts";
import type { FileState } from "../sink/ledger_file.ts";

/** The first event of every stream. */
export interface Hello {
  /** `PAGE_TAG` of `page_assets.ts`: a page of another tag loads itself anew. */
  readonly pageTag: string;
}

export interface Pulse {
  readonly atMs: number;
  /** Null while there is no such pipeline yet: nothing was ever ingested. */
  readonly pipeline: {
    readonly name: string;
    readonly sourceKind: "folder" | "stdin";
    readonly sourcePath: string;
    readonly targetTable: string;
    readonly timeZone: string;
    readonly hasOwner: boolean;
    readonly lastBatchAtMs: number | null;
    /** As `activityOf` finds it. */
    readonly activity: Activity;
  } | null;
  /** Where `pipeline` is null: the pipelines that there are. `--pipeline` names another one. */
  readonly otherNames: readonly string[];
  readonly standbys: number;
  /** The last whole seconds, the oldest first. */
  readonly past: readonly Second[];
  /** How many pages are open. */
  readonly viewers: number;
}

export interface Totals {
  readonly lookedAtMs: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly committedBytes: number;
  readonly filesByState: Readonly<Partial<Record<FileState, number>>>;
  /** From a file's last change to the commit of what was last read of it, of the last minute. */
  readonly latency: {
    readonly files: number;
    readonly p50Ms: number;
    readonly p95Ms: number;
    readonly p99Ms: number;
  } | null;
  /** Null if the folder cannot be looked at from here; `backlogUnknown` says why. */
  readonly backlog: Backlog | null;
  readonly backlogUnknown: string | null;
  /** Bytes a second that came into the folder since the look before; null if not known. */
  readonly arrivedBytesPerSecond: number | null;
  readonly recentBatches: RecentBatches | null;
}

/** One report's answer, or why there is none. */
export type ReportFacts =
  | {
    readonly lookedAtMs: number;
    readonly tookMs: number;
    readonly sinceMs: number | null;
    readonly untilMs: number | null;
    /** Names, in the order of the values. */
    readonly columns: readonly string[];
    readonly rows: readonly (readonly ReportValue[])[];
  }
  | { readonly lookedAtMs: number; readonly error: string; readonly hint: string | null };

/**
 * By name: those of the dashboard's fixed list. One that was not looked at yet is absent. Beside
 * reports of `sql/reports` (`traffic` by minute, `hours`, `funnel`, `top`, `rejects`) the page reads
 * the following, and shows what it does not know of them nowhere:
 * - `files`, failed and held ones first: path, generation, state, reason, loaded, rejected,
 *   duplicate, committed_bytes, size_bytes, updated_at
 * - `batches`, the newest first: committed_at, files, loaded, rejected, duplicate, bytes, route,
 *   elapsed_ms
 * - `reject_lines`, the newest first: rejected_at, file, line, column, code, reason, raw (as text
 *   that `showBytes` makes of it, cut)
 */
export type Reports = Readonly<Record<string, ReportFacts>>;

/**
 * Not only the database being away: anything that keeps pulses from coming and may get better, as
 * `database-login` or `embedded-stopped`. `status-late`: the connection stands, and no answer comes.
 */
export interface Trouble {
  /** When this was told; it and `sinceMs` are by the dashboard's clock. */
  readonly atMs: number;
  /** Since when, by this machine's clock. */
  readonly sinceMs: number;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}
