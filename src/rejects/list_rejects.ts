import type { Sql } from "../database/connect.ts";
import { filterSql, type RejectFilter } from "./reject_filter.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";

/** Rejects brought at a time: bounds memory, not how many there are. */
const PAGE_ROWS = 1_000;

export type RejectState = "open" | "loaded" | "duplicate" | "discarded";

export interface ListedReject {
  readonly id: number;
  readonly state: RejectState;
  /** Relative to the source. */
  readonly file: string;
  readonly generation: number;
  /** Physical line on which the record starts, from 1. */
  readonly line: number;
  /** Null if the record as a whole is at fault. */
  readonly column: string | null;
  readonly code: string;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly rejectedAt: string;
}

export interface RejectSummary {
  readonly total: number;
  /** The most frequent first. */
  readonly byCode: readonly { readonly code: string; readonly count: number }[];
}

export interface RejectListing {
  /** Called first, once. */
  summary(summary: RejectSummary): Promise<void> | void;
  /** By file, generation and line. */
  page(rejects: readonly ListedReject[]): Promise<void> | void;
}

/** One consistent look at a pipeline's rejects, a page at a time. `limit` null: all of them. */
export async function listRejects(
  sql: Sql,
  { pipeline, filter, limit }: {
    pipeline: NamedPipeline;
    filter: RejectFilter;
    limit: number | null;
  },
  listing: RejectListing,
): Promise<void> {
  await sql.begin("isolation level repeatable read read only", async (snapshot) => {
    const byCode = await snapshot<{ code: string; count: number }[]>`
      select rejects.code, count(*)::float8 as count
      from pgsluice.rejects
      join pgsluice.files using (file_id)
      where ${filterSql(snapshot, pipeline, filter)}
      group by rejects.code
      order by count(*) desc, rejects.code`;
    const total = byCode.reduce((sum, { count }) => sum + count, 0);
    await listing.summary({ total, byCode: byCode.map(({ code, count }) => ({ code, count })) });
    const pages = snapshot<ListedReject[]>`
      select
        reject_id::float8 as id,
        rejects.state,
        files.path as file,
        files.generation,
        line_number::float8 as line,
        column_name as column,
        code,
        rejects.reason,
        to_char(rejected_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "rejectedAt"
      from pgsluice.rejects
      join pgsluice.files using (file_id)
      where ${filterSql(snapshot, pipeline, filter)}
      order by files.path, files.generation, start_byte
      limit ${limit}`.cursor(PAGE_ROWS);
    for await (const page of pages) await listing.page(page);
  });
}
