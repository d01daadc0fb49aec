import { Buffer } from "node:buffer";
import type { Sql } from "../database/connect.ts";
import { csvLine } from "./csv_line.ts";
import { filterSql, type RejectFilter } from "./reject_filter.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { type StoredRecord, WholeRecords } from "./whole_records.ts";

/** Rejects brought at a time, each of 8 KiB at most. */
const PAGE_ROWS = 200;
/** Bytes gathered for one write. */
const WRITE_BYTES = 64 * 1024;

const EXPORT_COLUMNS = ["reject_id", "file", "line", "code", "column", "reason", "raw"];

interface ExportRow extends StoredRecord {
  readonly rejectId: number;
  readonly lineNumber: number;
  readonly columnName: string | null;
  readonly code: string;
  readonly reason: string;
}

export interface ExportOptions {
  readonly pipeline: NamedPipeline;
  /** `withClosed` is not for here: what is closed cannot be retried. */
  readonly filter: Omit<RejectFilter, "withClosed">;
  /** Takes the CSV, in order. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Hears of each reject whose bytes cannot be had: its `raw` is empty. */
  readonly onMissing: (missing: { rejectId: number; reason: string }) => void;
}

/**
 * Writes the open rejects as CSV, each with its record's bytes as they are. Memory does not grow
 * with their number.
 * @returns how many
 */
export async function exportRejects(sql: Sql, options: ExportOptions): Promise<number> {
  const { pipeline, filter, write, onMissing } = options;
  const records = new WholeRecords(pipeline);
  let count = 0;
  const lines: Uint8Array[] = [csvLine(EXPORT_COLUMNS)];
  let sizeBytes = 0;
  const flush = async () => {
    await write(Buffer.concat(lines));
    lines.length = 0;
    sizeBytes = 0;
  };
  try {
    await sql.begin("read only", async (transaction) => {
      const pages = transaction<ExportRow[]>`
        select
          reject_id::float8 as "rejectId",
          line_number::float8 as "lineNumber",
          start_byte::float8 as "startByte",
          end_byte::float8 as "endByte",
          column_name as "columnName",
          code,
          rejects.reason,
          raw,
          files.path,
          files.archived_path as "archivedPath",
          files.state as "fileState"
        from pgsluice.rejects
        join pgsluice.files using (file_id)
        where ${filterSql(transaction, pipeline, filter)}
        order by files.path, files.generation, start_byte`.cursor(PAGE_ROWS);
      for await (const page of pages) {
        for (const row of page) {
          const whole = await records.read(row);
          if (!whole.ok) onMissing({ rejectId: row.rejectId, reason: whole.reason });
          const { rejectId, path, lineNumber, code, columnName, reason } = row;
          const raw = whole.ok ? whole.bytes : new Uint8Array();
          const line = csvLine([rejectId, path, lineNumber, code, columnName ?? "", reason, raw]);
          lines.push(line);
          sizeBytes += line.length;
          count++;
          if (sizeBytes >= WRITE_BYTES) await flush();
        }
      }
    });
    await flush();
    return count;
  } finally {
    records.close();
  }
}
