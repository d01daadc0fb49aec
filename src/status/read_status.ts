/**
 * Reads where the pipelines of a database stand, from the ledger and a look at their folders and
 * journals.
 */
import type { TransactionSql } from "postgres";
import type { Sql } from "../database/connect.ts";
import { FILE_STATES, type FileState } from "../sink/ledger_file.ts";
import { PIPELINE_COLUMNS } from "./pipeline_columns.ts";
import { compareFolder, type FolderComparison } from "./compare_folder.ts";
import { type FolderLook, lookAtFolder } from "./folder_backlog.ts";
import { lookAtJournal } from "./journal_standing.ts";
import { readRecentBatches, type RecentBatches } from "./recent_batches.ts";
import type { FileStatus, JournalStatus, PipelineStatus, StatusReport } from "./status_report.ts";

interface PipelineRow {
  readonly pipelineId: number;
  readonly name: string;
  readonly sourceKind: "folder" | "stdin";
  readonly sourceHost: string;
  readonly sourcePath: string;
  readonly targetTable: string;
  readonly timeZone: string;
  readonly hasOwner: boolean;
  readonly lastBatchAtMs: number | null;
  readonly recentRecords: number;
  readonly recentBytes: number;
  readonly recentMs: number | null;
}

interface FileRow extends Omit<FileStatus, "state" | "backlogBytes"> {
  readonly state: FileState;
  readonly updatedAtMs: number;
}

/** What the ledger has of a pipeline. */
interface PipelineParts {
  readonly row: PipelineRow;
  readonly files: readonly FileRow[];
  readonly recentBatches: RecentBatches | null;
}

export interface StatusOptions {
  /** Only this one. */
  readonly pipeline?: string;
  /** Folder of all journals; without it nothing is told of them. */
  readonly checkpointsDirectory?: string;
  /** As `checkJournal` has it. */
  readonly graceMs?: number;
}

/**
 * One consistent look, while an ingester may run.
 * @returns null if the database has no ledger
 */
export async function readStatus(
  sql: Sql,
  options: StatusOptions = {},
): Promise<StatusReport | null> {
  const ledger = await sql.begin("isolation level repeatable read read only", async (snapshot) => {
    const [clock] = await snapshot<{ atMs: number; hasLedger: boolean }[]>`
      select
        (extract(epoch from clock_timestamp()) * 1000)::float8 as "atMs",
        to_regclass('pgsluice.files') is not null as "hasLedger"`;
    if (!clock!.hasLedger) return null;
    const rows = await readPipelines(snapshot, options.pipeline ?? null);
    const pipelines: PipelineParts[] = [];
    for (const row of rows) {
      const files = await readFiles(snapshot, row);
      const recentBatches = await readRecentBatches(snapshot, row.pipelineId);
      pipelines.push({ row, files, recentBatches });
    }
    return { atMs: clock!.atMs, pipelines };
  });
  if (ledger === null) return null;
  // side by side: a journal that is not written is waited for
  const pipelines = await Promise.all(
    ledger.pipelines.map(async ({ row, files, recentBatches }) => {
      // the ledger does not have the flag, but what came of it
      const recursive = files.some(({ path }) => path.includes("/"));
      const look = await lookAtFolder(row, { recursive });
      return pipelineStatus(row, {
        files,
        recentBatches,
        look,
        journal: await lookAtJournal(sql, { ...options, pipeline: row }),
      });
    }),
  );
  return { atMs: ledger.atMs, pipelines };
}

async function readPipelines(
  sql: TransactionSql,
  name: string | null,
): Promise<readonly PipelineRow[]> {
  return await sql.unsafe<PipelineRow[]>(
    `
select
  ${PIPELINE_COLUMNS},
  recent.records::float8 as "recentRecords",
  recent.bytes::float8 as "recentBytes",
  recent.elapsed_ms::float8 as "recentMs"
from pgsluice.pipelines
cross join lateral (
  select
    coalesce(sum(loaded + rejected + duplicate), 0) as records,
    coalesce(sum(bytes), 0) as bytes,
    max(extract(epoch from clock_timestamp() - committed_at) * 1000 + elapsed_ms) as elapsed_ms
  from pgsluice.batches
  where batches.pipeline_id = pipelines.pipeline_id
    and committed_at > clock_timestamp() - interval '1 minute'
) recent
where $1::text is null or name = $1
order by name`,
    [name],
  );
}

async function readFiles(sql: TransactionSql, { pipelineId }: PipelineRow): Promise<FileRow[]> {
  return await sql<FileRow[]>`
    select
      path,
      generation,
      state,
      reason,
      committed_byte::float8 as "committedBytes",
      loaded::float8,
      rejected::float8,
      duplicate::float8,
      (extract(epoch from updated_at) * 1000)::float8 as "updatedAtMs"
    from pgsluice.files
    where pipeline_id = ${pipelineId}
    order by path, generation`;
}

function pipelineStatus(
  row: PipelineRow,
  { files, recentBatches, look, journal }: {
    files: readonly FileRow[];
    recentBatches: RecentBatches | null;
    look: FolderLook;
    journal: JournalStatus | null;
  },
): PipelineStatus {
  const filesByState = Object.fromEntries(FILE_STATES.map((state) => [state, 0])) as Record<
    FileState,
    number
  >;
  for (const { state } of files) filesByState[state]++;
  const sum = (name: "committedBytes" | "loaded" | "rejected" | "duplicate") =>
    files.reduce((total, file) => total + file[name], 0);
  const comparison = compareFolder(files, look);
  const statuses = statusesOf(comparison);
  // a single small batch just now would tell of a rate that was never kept up
  const averagedMs = Math.min(60_000, Math.max(1_000, row.recentMs ?? 0));
  return {
    name: row.name,
    sourceKind: row.sourceKind,
    sourcePath: row.sourcePath,
    targetTable: row.targetTable,
    timeZone: row.timeZone,
    hasOwner: row.hasOwner,
    committedBytes: sum("committedBytes"),
    loaded: sum("loaded"),
    rejected: sum("rejected"),
    duplicate: sum("duplicate"),
    filesByState,
    backlog: comparison.backlog,
    backlogUnknown: look.kind === "unseen" ? look.why : null,
    journal,
    lastBatchAtMs: row.lastBatchAtMs,
    lastMinute: row.recentMs === null ? null : {
      recordsPerSecond: row.recentRecords * 1000 / averagedMs,
      bytesPerSecond: row.recentBytes * 1000 / averagedMs,
    },
    recentBatches,
    files: [...statuses.filter((file) => !isSettled(file)), ...statuses.filter(isSettled)],
  };
}

function isSettled({ state }: FileStatus): boolean {
  return state === "done" || state === "same";
}

function statusesOf({ known, fresh }: FolderComparison<FileRow>): FileStatus[] {
  return [
    ...known.map(({ file, backlogBytes }) => ({ ...file, backlogBytes })),
    ...fresh.map(({ path, sizeBytes }): FileStatus => ({
      path,
      generation: 0,
      state: "new",
      reason: null,
      committedBytes: 0,
      loaded: 0,
      rejected: 0,
      duplicate: 0,
      backlogBytes: sizeBytes,
      updatedAtMs: null,
    })),
  ];
}
