/**
 * The proof that what a pipeline committed is what its files say: each file read again with a
 * second reader, against ledger and table in one snapshot. An ingester may run meanwhile.
 */
import type { Sql } from "../database/connect.ts";
import type { Manifest } from "../generate/manifest.ts";
import type { Schema } from "../schema/schema.ts";
import { compareMinutes } from "./compare_minutes.ts";
import { compareManifest } from "./compare_manifest.ts";
import { FileJudge } from "./file_judge.ts";
import {
  findNamedPipeline,
  type NamedPipeline,
  noSuchFile,
  pathInSource,
} from "../sink/named_pipeline.ts";
import { Snapshot, type Stock, type VerifiedFile } from "./snapshot.ts";
import { Differences, type FileReport, type VerifyReport, verifySummary } from "./verify_report.ts";

export type { VerifyReport };

export interface VerifyProgress {
  readonly filesDone: number;
  readonly fileCount: number;
  readonly bytesDone: number;
  readonly byteCount: number;
}

export interface VerifyOptions {
  readonly sql: Sql;
  readonly schema: Schema;
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** As `--table` names it: an error if the pipeline loads into another one. */
  readonly table?: string;
  /** Only these files, named relative to the source, to the working folder, or absolutely. */
  readonly files?: readonly string[];
  /** The generator's truth about everything in the pipeline's source. */
  readonly manifest?: Manifest;
  /** Called often. */
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** Ends it with what it is aborted with. */
  readonly signal?: AbortSignal;
}

/**
 * Verifies a pipeline on a connection of its own from `sql`, in a read-only transaction.
 * @throws PgsluiceError `no-ledger`, `no-such-pipeline`, `other-table`, `other-schema`, `no-such-file`
 */
export async function verifyPipeline(options: VerifyOptions): Promise<VerifyReport> {
  const { schema } = options;
  return await options.sql.begin("isolation level repeatable read read only", async (sql) => {
    // it may read a file for minutes between two statements
    await sql`set local idle_in_transaction_session_timeout = 0`;
    await sql`set local statement_timeout = 0`;
    const pipeline = await findNamedPipeline(sql, {
      name: options.pipeline,
      schema,
      table: options.table,
    });
    const paths = options.files?.map((file) => pathInSource(file, pipeline)) ?? null;
    const snapshot = new Snapshot(sql, { schema, pipeline, paths });
    const verification = new Verification(options, { pipeline, snapshot });
    for (const path of paths ?? []) {
      if (!await snapshot.hasFile(path)) throw noSuchFile(path, pipeline);
    }
    return await verification.run(async (sums) => {
      // they are of all that is in the table
      if (paths !== null) return;
      await compareMinutes(sql, { schema, table: pipeline.targetTable, differences: sums });
    });
  }) as VerifyReport;
}

class Verification {
  readonly #options: VerifyOptions;
  readonly #pipeline: NamedPipeline;
  readonly #snapshot: Snapshot;
  readonly #judge: FileJudge;
  readonly #files: FileReport[] = [];
  readonly #strays = new Differences();
  #progress: VerifyProgress = { filesDone: 0, fileCount: 0, bytesDone: 0, byteCount: 0 };

  constructor(
    options: VerifyOptions,
    { pipeline, snapshot }: { pipeline: NamedPipeline; snapshot: Snapshot },
  ) {
    this.#options = options;
    this.#pipeline = pipeline;
    this.#snapshot = snapshot;
    this.#judge = new FileJudge({
      schema: options.schema,
      pipeline,
      snapshot,
      onBytes: (bytes) => {
        options.signal?.throwIfAborted();
        this.#advance({ bytesDone: this.#progress.bytesDone + bytes.length });
      },
    });
  }

  async run(compareSums: (sums: Differences) => Promise<void>): Promise<VerifyReport> {
    const { manifest } = this.#options;
    this.#advance(await this.#snapshot.totals());
    for (const stock of await this.#snapshot.stock()) await this.#take(stock);
    const sums = new Differences();
    // of rows that are not as they should be the sums say nothing new
    if (sumOf(this.#files, "differenceCount") + this.#strays.count === 0) await compareSums(sums);
    const totals = {
      loaded: sumOf(this.#files, "loaded"),
      rejected: sumOf(this.#files, "rejected"),
      duplicate: sumOf(this.#files, "duplicate"),
    };
    const manifestFacts = manifest === undefined ? null : await compareManifest(manifest, {
      totals,
      schema: this.#options.schema,
      snapshot: this.#snapshot,
    });
    const differenceCount = sumOf(this.#files, "differenceCount") + this.#strays.count +
      sums.count + (manifestFacts?.length ?? 0);
    const report = {
      pipeline: this.#pipeline.name,
      source: this.#pipeline.sourcePath,
      table: this.#pipeline.targetTable,
      files: this.#files,
      ...totals,
      events: totals.loaded + totals.rejected + totals.duplicate,
      strays: this.#strays.first,
      strayCount: this.#strays.count,
      sums: sums.first,
      sumCount: sums.count,
      manifest: manifestFacts,
      differenceCount,
      isExact: differenceCount === 0,
    };
    return { ...report, summary: verifySummary(report) };
  }

  async #take(stock: Stock): Promise<void> {
    this.#options.signal?.throwIfAborted();
    if (stock.kind === "file") {
      this.#files.push(await this.#verify(stock.file));
      this.#advance({ filesDone: this.#progress.filesDone + 1 });
    } else {
      const rows = stock.rowCount === 1 ? "1 row" : `${stock.rowCount} rows`;
      this.#strays.addFact({
        expected: "no row but those of the ledger's files",
        found: stock.fileId === null
          ? `${rows} without a file_id`
          : `${rows} with file_id ${stock.fileId}, which is no file that loads into this table`,
      });
    }
  }

  async #verify(file: VerifiedFile): Promise<FileReport> {
    const differences = new Differences();
    const judgement = await this.#judge.judge(file, differences);
    const { loaded, rejected, duplicate } = judgement.counts ?? file;
    return {
      path: file.path,
      generation: file.generation,
      verdict: differences.count > 0 ? "differs" : judgement.verdict,
      reason: judgement.reason,
      committedBytes: file.committedByte,
      loaded,
      rejected,
      duplicate,
      differences: differences.first,
      differenceCount: differences.count,
    };
  }

  #advance(progress: Partial<VerifyProgress>): void {
    this.#progress = { ...this.#progress, ...progress };
    this.#options.onProgress?.(this.#progress);
  }
}

function sumOf<Name extends string>(
  items: readonly { readonly [name in Name]: number }[],
  name: Name,
): number {
  return items.reduce((sum, item) => sum + item[name], 0);
}
