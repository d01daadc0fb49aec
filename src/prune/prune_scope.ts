import type { ISql } from "postgres";

/** Nothing is older; keeps the reckoning inside the server's calendar. */
const MAX_AGE_MS = 1_000 * 365 * 86_400_000;

/** Files that no batch and no decision waits for. The others have nothing to forget, or need it. */
const SETTLED_STATES = ["done", "failed", "superseded", "undone"];

interface RecordCounts {
  readonly duplicates: number;
  readonly rejects: number;
  readonly files: number;
}

/** What of a pipeline is past, as SQL: one definition for counting, locking and removing it. */
export class PruneScope {
  /** ISO 8601, by the server's clock, which the ledger's times are of. */
  readonly before: string;
  readonly #pipelineId: number;
  /** With all digits. */
  readonly #cutoff: string;
  /** Of the pipeline's newest batch, which stays: it tells when something last happened. */
  readonly #newestBatchId: number;

  static async open(
    sql: ISql,
    { pipelineId, olderThanMs }: { pipelineId: number; olderThanMs: number },
  ): Promise<PruneScope> {
    const [row] = await sql<{ at: Date; cutoff: string; newestBatchId: number }[]>`
      select
        cutoff as at,
        cutoff::text as cutoff,
        coalesce(
          (select max(batch_id) from pgsluice.batches where pipeline_id = ${pipelineId}), 0
        )::float8 as "newestBatchId"
      from (
        select
          clock_timestamp() - ${Math.min(olderThanMs, MAX_AGE_MS)} * interval '1 millisecond'
            as cutoff
      ) as clock`;
    return new PruneScope(pipelineId, row!);
  }

  private constructor(
    pipelineId: number,
    { at, cutoff, newestBatchId }: { at: Date; cutoff: string; newestBatchId: number },
  ) {
    this.#pipelineId = pipelineId;
    this.before = at.toISOString();
    this.#cutoff = cutoff;
    this.#newestBatchId = newestBatchId;
  }

  async countBatches(sql: ISql): Promise<number> {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::float8 as count
      from pgsluice.batches
      where ${this.#isPastBatch(sql)}`;
    return row!.count;
  }

  /** @returns the ids of those removed; fewer than `limit` if there are no more */
  async removeBatches(
    sql: ISql,
    { afterId, limit }: { afterId: number; limit: number },
  ): Promise<number[]> {
    const rows = await sql<{ batchId: number }[]>`
      with past as materialized (
        select batch_id
        from pgsluice.batches
        where ${this.#isPastBatch(sql)} and batch_id > ${afterId}
        order by batch_id
        limit ${limit}
      )
      delete from pgsluice.batches
      using past
      where batches.batch_id = past.batch_id
      returning past.batch_id::float8 as "batchId"`;
    return rows.map(({ batchId }) => batchId);
  }

  async countOpenRejects(sql: ISql): Promise<{ rejects: number; files: number }> {
    const [row] = await sql<{ rejects: number; files: number }[]>`
      select count(*)::float8 as rejects, count(distinct file_id)::float8 as files
      from pgsluice.rejects r
      join pgsluice.files f using (file_id)
      where ${this.#isSettled(sql)} and r.state = 'open'`;
    return row!;
  }

  async countRecords(sql: ISql): Promise<RecordCounts> {
    const [row] = await sql<RecordCounts[]>`
      select
        count(*) filter (where is_duplicate)::float8 as duplicates,
        count(*) filter (where not is_duplicate)::float8 as rejects,
        count(distinct file_id)::float8 as files
      from (
        select f.file_id, true as is_duplicate
        from pgsluice.files f
        join pgsluice.duplicates d using (file_id)
        where ${this.#isSettled(sql)} and ${this.#isPastDuplicate(sql)}
        union all
        select f.file_id, false
        from pgsluice.files f
        join pgsluice.rejects r using (file_id)
        where ${this.#isSettled(sql)} and ${this.#isPastReject(sql)}
      ) past`;
    return row!;
  }

  /**
   * Locks files that have something to forget until the transaction ends, but for those that others
   * hold. @returns their ids in order; none if there are no more
   */
  async lockFiles(
    transaction: ISql,
    { afterId, limit }: { afterId: number; limit: number },
  ): Promise<number[]> {
    const rows = await transaction<{ fileId: number }[]>`
      select file_id::float8 as "fileId"
      from pgsluice.files f
      where ${this.#isSettled(transaction)}
        and f.file_id > ${afterId}
        and (
          exists (
            select from pgsluice.duplicates d
            where d.file_id = f.file_id and ${this.#isPastDuplicate(transaction)}
          )
          or exists (
            select from pgsluice.rejects r
            where r.file_id = f.file_id and ${this.#isPastReject(transaction)}
          )
        )
      order by file_id
      limit ${limit}
      for no key update skip locked`;
    return rows.map(({ fileId }) => fileId);
  }

  /** Removes at most `limit` duplicates and as many rejects of files that are locked. */
  async removeRecords(
    transaction: ISql,
    { fileIds, limit }: { fileIds: readonly number[]; limit: number },
  ): Promise<{ duplicates: number; rejects: number; expiredIds: number[] }> {
    const ids = fileIds as number[];
    const duplicates = await transaction<{ fileId: number }[]>`
      with past as materialized (
        select d.file_id, d.start_byte
        from pgsluice.duplicates d
        join pgsluice.files f using (file_id)
        where f.file_id = any(${ids}::bigint[]) and ${this.#isPastDuplicate(transaction)}
        limit ${limit}
        for update of d skip locked
      )
      delete from pgsluice.duplicates
      using past
      where duplicates.file_id = past.file_id and duplicates.start_byte = past.start_byte
      returning past.file_id::float8 as "fileId"`;
    const rejects = await transaction<{ fileId: number }[]>`
      with past as materialized (
        select r.file_id, r.reject_id
        from pgsluice.rejects r
        join pgsluice.files f using (file_id)
        where f.file_id = any(${ids}::bigint[]) and ${this.#isPastReject(transaction)}
        limit ${limit}
        for update of r skip locked
      )
      delete from pgsluice.rejects
      using past
      where rejects.reject_id = past.reject_id
      returning past.file_id::float8 as "fileId"`;
    const expiredIds = [...new Set([...duplicates, ...rejects].map(({ fileId }) => fileId))];
    // no new revision: where the file is committed to does not change
    await transaction`
      update pgsluice.files
      set expired_at = now()
      where file_id = any(${expiredIds}::bigint[]) and expired_at is null`;
    return { duplicates: duplicates.length, rejects: rejects.length, expiredIds };
  }

  #isPastBatch(sql: ISql) {
    return sql`
      pipeline_id = ${this.#pipelineId}
      and batch_id < ${this.#newestBatchId}
      and committed_at < ${this.#cutoff}::text::timestamptz`;
  }

  /** Of a file `f`. */
  #isSettled(sql: ISql) {
    return sql`
      f.pipeline_id = ${this.#pipelineId}
      and f.state = any(${SETTLED_STATES}::text[])
      and f.updated_at < ${this.#cutoff}::text::timestamptz`;
  }

  /** Of a duplicate `d` of the file `f`. */
  #isPastDuplicate(sql: ISql) {
    return sql`
      d.start_byte < coalesce(f.provisional_from_byte, f.committed_byte)
      and not exists (
        select from pgsluice.rejects m
        where m.file_id = d.file_id and m.start_byte = d.start_byte and m.state = 'duplicate'
      )`;
  }

  /** Of a reject `r` of the file `f`. */
  #isPastReject(sql: ISql) {
    return sql`
      r.start_byte < coalesce(f.provisional_from_byte, f.committed_byte)
      and r.state = 'discarded'
      and r.closed_at < ${this.#cutoff}::text::timestamptz`;
  }
}
