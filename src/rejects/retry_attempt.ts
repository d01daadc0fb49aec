/**
 * One transaction that moves mended records from rejected to loaded or duplicate, or writes down
 * why they still are neither.
 *
 * Invariants: a reject is moved once, because its row is locked and must be open; for each file
 * loaded + rejected + duplicate stays what it was. Locks are taken in the order in which the
 * ingester's batches take them: rows, pipeline, files.
 */
import type { TransactionSql } from "postgres";
import type { RejectReason } from "../schema/record_decoder.ts";
import type { Schema } from "../schema/schema.ts";
import { raiseChanges } from "../sink/ledger.ts";
import { LoneRecords, type RecordFile, type RecordPlace } from "../sink/lone_record.ts";
import { insertMinutes } from "../sink/minute_deltas.ts";
import { keepRecords } from "../sink/keep_records.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { RowLoader } from "../sink/row_loader.ts";
import { type HeaderFacts, readFileHeader } from "./file_header.ts";
import { type NotOpen, refuseNotOpen } from "./refuse_not_open.ts";
import type { KeptReject, RetryReport } from "./retry_report.ts";
import { MENDED_TABLE } from "./send_mended.ts";
import { withoutLineEnd } from "./without_line_end.ts";

/** Mended bytes that are loaded at a time, about, with so much reckoned for each record besides. */
const PAGE_BYTES = 4 * 1024 * 1024;
const ROW_COST_BYTES = 400;
/** So many of those that stay rejected are told one by one. */
const TOLD_KEPT = 20;

interface FileRow extends Omit<RecordFile, "header" | "pipelineName">, Omit<HeaderFacts, "path"> {}

interface PageRow extends RecordPlace {
  readonly rejectId: number;
  readonly fileId: number;
  readonly path: string;
  readonly mended: Uint8Array;
  /** Of a reject whose record itself may be right: as the ledger has it. Null for all others. */
  readonly raw: Uint8Array | null;
}

interface StillBad {
  readonly row: PageRow;
  readonly why: RejectReason;
  readonly key: string | null;
}

/** What a file gains, and so has fewer rejects by. */
interface Gain {
  loaded: number;
  duplicate: number;
}

/** Codes of rejects whose record was right and met a row or a rule of the table. */
const MET_THE_TABLE = "^(key_conflict|row_skipped|[0-9A-Z]{5})$";

/** A file that records can be read for; or why they cannot. */
type OpenFile =
  & { readonly fileId: number }
  & ({ readonly file: RecordFile } | { readonly file: null; readonly reason: string });

export interface RetryAttemptOptions {
  readonly pipeline: NamedPipeline;
  readonly schema: Schema;
}

export class RetryAttempt {
  readonly #transaction: TransactionSql;
  readonly #options: RetryAttemptOptions;
  readonly #loader: RowLoader;
  readonly #gains = new Map<number, Gain>();
  readonly #firstKept: KeptReject[] = [];
  #keptCount = 0;
  #file: OpenFile | null = null;

  constructor(transaction: TransactionSql, options: RetryAttemptOptions) {
    this.#transaction = transaction;
    this.#options = options;
    const { schema, pipeline } = options;
    this.#loader = new RowLoader({ schema, table: pipeline.targetTable });
  }

  async run(): Promise<RetryReport> {
    const { pipeline } = this.#options;
    // the lock that the rows will take, now: who takes rows out of the table has it before rejects
    await this.#transaction.unsafe(`lock table ${pipeline.targetTable} in row exclusive mode`);
    await this.#lockRejects();
    const pageCount = await this.#makePages();
    for (let page = 0; page < pageCount; page++) await this.#retryPage(page);
    await this.#moveFiles();
    const sum = (name: keyof Gain) =>
      [...this.#gains.values()].reduce((total, gain) => total + gain[name], 0);
    return {
      loaded: sum("loaded"),
      duplicate: sum("duplicate"),
      kept: this.#keptCount,
      firstKept: this.#firstKept,
    };
  }

  /** Of two that retry the same rejects at once the later one waits here, and finds them closed. */
  async #lockRejects(): Promise<void> {
    const sql = this.#transaction;
    const { pipeline } = this.#options;
    await sql`
      select count(*)
      from (
        select reject_id
        from pgsluice.rejects
        where reject_id in (select reject_id from ${sql.unsafe(MENDED_TABLE)})
        order by reject_id
        for update
      ) locked`;
    refuseNotOpen(
      pipeline.name,
      await sql<NotOpen[]>`
        select
          asked.reject_id::float8 as "rejectId",
          ours.state,
          asked.times > 1 as "isRepeated"
        from (
          select reject_id, count(*) as times from ${sql.unsafe(MENDED_TABLE)} group by reject_id
        ) asked
        left join (
          select reject_id, rejects.state
          from pgsluice.rejects
          join pgsluice.files using (file_id)
          where pipeline_id = ${pipeline.pipelineId}
        ) ours using (reject_id)
        where ours.state is distinct from 'open' or asked.times > 1
        order by asked.reject_id`,
    );
  }

  /** Puts the mended records in the order of their files, cut into pages. @returns how many pages */
  async #makePages(): Promise<number> {
    const sql = this.#transaction;
    await sql.unsafe(`
create temporary table pgsluice_pages on commit drop as
select
  reject_id,
  file_id,
  line_number,
  start_byte,
  end_byte,
  mended.raw as mended,
  case when code ~ '${MET_THE_TABLE}' then rejects.raw end as raw,
  (
    sum(octet_length(mended.raw) + octet_length(rejects.raw) + ${ROW_COST_BYTES})
      over (order by file_id, start_byte, reject_id) / ${PAGE_BYTES}
  )::bigint as page
from ${MENDED_TABLE} mended
join pgsluice.rejects using (reject_id)`);
    await sql`create index on pg_temp.pgsluice_pages (page)`;
    const [row] = await sql<{ count: number }[]>`
      select coalesce(max(page) + 1, 0)::float8 as count from pg_temp.pgsluice_pages`;
    return row!.count;
  }

  async #retryPage(page: number): Promise<void> {
    const sql = this.#transaction;
    const { schema } = this.#options;
    const rows = await sql<PageRow[]>`
      select
        reject_id::float8 as "rejectId",
        file_id::float8 as "fileId",
        path,
        line_number::float8 as "lineNumber",
        start_byte::float8 as "startByte",
        end_byte::float8 as "endByte",
        mended,
        raw
      from pg_temp.pgsluice_pages
      join pgsluice.files using (file_id)
      where page = ${page}
      order by file_id, start_byte, reject_id`;
    const records = new LoneRecords(schema);
    const inBatch = new Map<string, PageRow>();
    const stillBad: StillBad[] = [];
    for (const row of rows) {
      const open = await this.#openFile(row.fileId);
      if (open.file === null || row.mended.length === 0) {
        const reason = open.file === null ? open.reason : "its raw is empty";
        this.#keep(row, { code: null, reason });
        continue;
      }
      const why = records.add(open.file, { ...row, bytes: row.mended });
      if (why === null) inBatch.set(placeName(row), row);
      else stillBad.push({ row, why, key: null });
    }
    const { rejects, duplicates, minutes } = records.atTheirPlaces(
      await this.#loader.load(sql, { batch: records.batch, route: "staging" }),
    );
    const closed: { rejectId: number; state: "loaded" | "duplicate" }[] = [];
    for (const reject of rejects) {
      stillBad.push({ row: take(inBatch, reject), why: reject, key: reject.key });
    }
    for (const duplicate of duplicates) {
      const { rejectId, fileId } = take(inBatch, duplicate);
      this.#gainOf(fileId).duplicate++;
      closed.push({ rejectId, state: "duplicate" });
    }
    for (const { rejectId, fileId } of inBatch.values()) {
      this.#gainOf(fileId).loaded++;
      closed.push({ rejectId, state: "loaded" });
    }
    await keepRecords(sql, { rejects: [], duplicates });
    await insertMinutes(sql, { minutes, table: this.#options.pipeline.targetTable });
    await this.#close(closed, page);
    await this.#keepAll(stillBad);
  }

  /** The file's facts and header; one file after the other. */
  async #openFile(fileId: number): Promise<OpenFile> {
    if (this.#file?.fileId === fileId) return this.#file;
    const { pipeline } = this.#options;
    const [row] = await this.#transaction<FileRow[]>`
      select
        file_id::float8 as "fileId",
        path,
        generation,
        time_zone as "timeZone",
        max_record_bytes as "maxRecordBytes",
        archived_path as "archivedPath",
        state as "fileState",
        committed_byte::float8 as "committedByte",
        coalesce(first_block_hash, tail_hash) as "beginningHash",
        header
      from pgsluice.files
      where file_id = ${fileId}`;
    if (row === undefined) throw new Error(`file ${fileId} vanished from the ledger`);
    const found = await readFileHeader(row, this.#options);
    this.#file = found.ok
      ? { fileId, file: { ...row, pipelineName: pipeline.name, header: found.header } }
      : { fileId, file: null, reason: found.reason };
    return this.#file;
  }

  #gainOf(fileId: number): Gain {
    const gain = this.#gains.get(fileId) ?? { loaded: 0, duplicate: 0 };
    this.#gains.set(fileId, gain);
    return gain;
  }

  /** Leaves them rejected, with their new reasons. */
  async #keepAll(stillBad: readonly StillBad[]): Promise<void> {
    const explained: StillBad[] = [];
    const scratch = new LoneRecords(this.#options.schema);
    const inOrder = stillBad.toSorted((a, b) =>
      a.row.fileId - b.row.fileId || a.row.startByte - b.row.startByte
    );
    for (const bad of inOrder) {
      this.#keep(bad.row, bad.why);
      const { raw, mended } = bad.row;
      if (raw !== null && isSameRecord(raw, mended)) explained.push(bad);
      else if (!await this.#isRight(bad.row, scratch)) explained.push({ ...bad, key: null });
    }
    await this.#explain(explained);
  }

  /**
   * Whether the rejected record itself is right, and was kept out by the table. Then the ledger's
   * reason stays, for it is about that record and not about the text that was to replace it: verify
   * compares them, and whatever removes the row with its key reads it again.
   */
  async #isRight({ raw, ...row }: PageRow, scratch: LoneRecords): Promise<boolean> {
    if (raw === null) return false;
    if (raw.length < row.endByte - row.startByte) return true; // its end is not at hand
    const { file } = await this.#openFile(row.fileId);
    return file !== null && scratch.add(file, { ...row, bytes: raw }) === null;
  }

  #keep(row: PageRow, { code, reason }: Pick<KeptReject, "code" | "reason">): void {
    this.#keptCount++;
    if (this.#firstKept.length >= TOLD_KEPT) return;
    const { rejectId: id, path: file, lineNumber: line } = row;
    this.#firstKept.push({ id, file, line, code, reason });
  }

  async #close(
    closed: readonly { rejectId: number; state: string }[],
    page: number,
  ): Promise<void> {
    if (closed.length === 0) return;
    await this.#transaction`
      update pgsluice.rejects
      set state = closed.state, mended = pages.mended, closed_at = clock_timestamp()
      from unnest(
        ${closed.map(({ rejectId }) => rejectId)}::bigint[],
        ${closed.map(({ state }) => state)}::text[]
      ) as closed(reject_id, state)
      join pg_temp.pgsluice_pages pages using (reject_id)
      where rejects.reject_id = closed.reject_id and pages.page = ${page}`;
  }

  async #explain(stillBad: readonly StillBad[]): Promise<void> {
    if (stillBad.length === 0) return;
    const reasons = stillBad.map(({ row, why, key }) => ({
      reject_id: row.rejectId,
      column_name: why.columnName,
      code: why.code,
      reason: why.reason,
      key,
    }));
    await this.#transaction`
      update pgsluice.rejects
      set column_name = bad.column_name, code = bad.code, reason = bad.reason, key = bad.key
      from jsonb_to_recordset(${JSON.stringify(reasons)}::text::jsonb) as bad(
        reject_id bigint, column_name text, code text, reason text, key text
      )
      where rejects.reject_id = bad.reject_id`;
  }

  /** The ledger's move: a running ingester's batch of these files fails, and it reads them anew. */
  async #moveFiles(): Promise<void> {
    if (this.#gains.size === 0) return;
    const sql = this.#transaction;
    // not the last statement: the ingester's batches lock the pipeline before its files
    await raiseChanges(sql, this.#options.pipeline.pipelineId);
    const gains = [...this.#gains].map(([file_id, gain]) => ({ file_id, ...gain }));
    await sql`
      update pgsluice.files
      set
        loaded = files.loaded + gain.loaded,
        duplicate = files.duplicate + gain.duplicate,
        rejected = files.rejected - gain.loaded - gain.duplicate,
        revision = revision + 1,
        updated_at = clock_timestamp()
      from jsonb_to_recordset(${JSON.stringify(gains)}::text::jsonb) as gain(
        file_id bigint, loaded bigint, duplicate bigint
      )
      where files.file_id = gain.file_id`;
  }
}

function placeName({ fileId, startByte }: { fileId: number; startByte: number }): string {
  return `${fileId}:${startByte}`;
}

function take(
  inBatch: Map<string, PageRow>,
  place: { readonly fileId: number; readonly startByte: number },
): PageRow {
  const name = placeName(place);
  const row = inBatch.get(name);
  if (row === undefined) throw new Error(`the record at ${name} is not of this batch`);
  inBatch.delete(name);
  return row;
}

function isSameRecord(raw: Uint8Array, mended: Uint8Array): boolean {
  const record = withoutLineEnd(raw);
  return record.length === mended.length && record.every((byte, index) => byte === mended[index]);
}
