/**
 * The proof that what a pipeline committed is what its files say: each file read again with a
 * second reader, against ledger and table in one snapshot. An ingester may run meanwhile.
 */
import { isAbsolute, join, relative, resolve } from "@std/path";
import type { Sql } from "../database/connect.ts";
import type { Manifest } from "../generate/manifest.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { Schema } from "../schema/schema.ts";
import type { ByteSource } from "../source/byte_source.ts";
import { ContentHash } from "../source/content_hash.ts";
import { hostId } from "../source/host_id.ts";
import { compareManifest } from "./compare_manifest.ts";
import { openReadable, UnreadableError } from "./readable_file.ts";
import { findVerifiedPipeline, type VerifiedPipeline } from "./verified_pipeline.ts";
import { Snapshot, type Stock, type VerifiedFile } from "./snapshot.ts";
import { verifyFile } from "./verify_file.ts";
import {
  Differences,
  type FileReport,
  type FileVerdict,
  type VerifyReport,
  verifySummary,
} from "./verify_report.ts";

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
    const pipeline = await findVerifiedPipeline(sql, {
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
    return await verification.run();
  }) as VerifyReport;
}

class Verification {
  readonly #options: VerifyOptions;
  readonly #pipeline: VerifiedPipeline;
  readonly #snapshot: Snapshot;
  readonly #files: FileReport[] = [];
  readonly #strays = new Differences();
  #progress: VerifyProgress = { filesDone: 0, fileCount: 0, bytesDone: 0, byteCount: 0 };

  constructor(
    options: VerifyOptions,
    { pipeline, snapshot }: { pipeline: VerifiedPipeline; snapshot: Snapshot },
  ) {
    this.#options = options;
    this.#pipeline = pipeline;
    this.#snapshot = snapshot;
  }

  async run(): Promise<VerifyReport> {
    const { manifest } = this.#options;
    this.#advance(await this.#snapshot.totals());
    for (const stock of await this.#snapshot.stock()) await this.#take(stock);
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
      (manifestFacts?.length ?? 0);
    const report = {
      pipeline: this.#pipeline.name,
      source: this.#pipeline.sourcePath,
      table: this.#pipeline.targetTable,
      files: this.#files,
      ...totals,
      events: totals.loaded + totals.rejected + totals.duplicate,
      strays: this.#strays.first,
      strayCount: this.#strays.count,
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
    const judgement = await this.#judge(file, differences);
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

  async #judge(file: VerifiedFile, differences: Differences): Promise<Judgement> {
    if (file.state === "same") return await this.#judgeTwin(file, differences);
    if (file.state === "failed" && file.committedByte === 0 || file.state === "held") {
      compareWithTable(file, differences);
      return { verdict: file.state, reason: file.reason };
    }
    if (file.state === "superseded") {
      compareWithTable(file, differences);
      return { verdict: "source gone", reason: `replaced by a later generation: ${file.reason}` };
    }
    if (this.#pipeline.sourceKind === "stdin") {
      compareWithTable(file, differences);
      return { verdict: "source gone", reason: "it was a stream" };
    }
    return await this.#withSource(file, differences, async (source) => {
      const { counts, reason } = await verifyFile(file, {
        source,
        schema: this.#options.schema,
        pipelineName: this.#pipeline.name,
        snapshot: this.#snapshot,
        differences,
        onBytes: (bytes) => {
          this.#options.signal?.throwIfAborted();
          this.#advance({ bytesDone: this.#progress.bytesDone + bytes.length });
        },
      });
      return { verdict: "exact", reason: reason ?? file.reason, counts };
    });
  }

  /** A file of which nothing was loaded, because another one has its content. */
  async #judgeTwin(file: VerifiedFile, differences: Differences): Promise<Judgement> {
    return await this.#withSource(file, differences, async (source) => {
      compareWithTable(file, differences);
      const sizeBytes = file.sizeBytes ?? 0;
      const content = await hashOf(source, sizeBytes);
      if (content === null) {
        differences.addFact({ expected: `a file of ${sizeBytes} bytes`, found: "a shorter one" });
      } else if (!await this.#snapshot.hasTwin(file, { sizeBytes, digests: content.digests() })) {
        differences.addFact({
          expected: `a loaded file with its content (${file.reason})`,
          found: "none",
        });
      }
      return { verdict: "same", reason: file.reason };
    });
  }

  /** Opens the file, and judges without it where that cannot be. */
  async #withSource(
    file: VerifiedFile,
    differences: Differences,
    judge: (source: ByteSource) => Promise<Judgement>,
  ): Promise<Judgement> {
    let source: ByteSource | undefined;
    try {
      source = await openReadable(join(this.#pipeline.sourcePath, file.path));
      return await judge(source);
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      if (error.isGone) {
        compareWithTable(file, differences);
        const isElsewhere = this.#pipeline.sourceHost !== await hostId();
        const reason = isElsewhere ? "the folder is on another machine" : "it is no longer there";
        return { verdict: "source gone", reason };
      }
      differences.addFact({ expected: "a readable file", found: error.message });
      return { verdict: "differs", reason: null };
    } finally {
      source?.close();
    }
  }

  #advance(progress: Partial<VerifyProgress>): void {
    this.#progress = { ...this.#progress, ...progress };
    this.#options.onProgress?.(this.#progress);
  }
}

interface Judgement {
  readonly verdict: FileVerdict;
  readonly reason: string | null;
  /** As the ledger has them, if absent. */
  readonly counts?: {
    readonly loaded: number;
    readonly rejected: number;
    readonly duplicate: number;
  };
}

/** All that can be done without the file's bytes. */
function compareWithTable(file: VerifiedFile, differences: Differences): void {
  const { loaded, rejected, duplicate, rowCount, rejectRows, duplicateRows } = file;
  differences.addCount("rows in the table", { expected: loaded, found: rowCount });
  differences.addCount("rejects in the ledger", { expected: rejected, found: rejectRows });
  differences.addCount("duplicates in the ledger", { expected: duplicate, found: duplicateRows });
}

async function hashOf(source: ByteSource, sizeBytes: number): Promise<ContentHash | null> {
  const hash = new ContentHash();
  const buffer = new Uint8Array(1024 * 1024);
  for (let byte = 0; byte < sizeBytes;) {
    const wanted = buffer.subarray(0, Math.min(buffer.length, sizeBytes - byte));
    const byteCount = await source.read(byte, wanted);
    if (byteCount === 0) return null;
    hash.update(buffer.subarray(0, byteCount));
    byte += byteCount;
  }
  return hash;
}

function pathInSource(file: string, { sourceKind, sourcePath }: VerifiedPipeline): string {
  if (sourceKind === "stdin") return file;
  const fromSource = relative(sourcePath, resolve(file));
  return isAbsolute(file) || !/^\.\.(?:\/|$)/.test(fromSource) ? fromSource : file;
}

function noSuchFile(path: string, pipeline: VerifiedPipeline): PgsluiceError {
  return new PgsluiceError("no-such-file", `pipeline ${pipeline.name} has no file ${path}`, {
    hint: `name files as in ${pipeline.sourcePath}; \`pgsluice status --json\` lists them`,
    exitCode: EXIT.usage,
  });
}

function sumOf<Name extends string>(
  items: readonly { readonly [name in Name]: number }[],
  name: Name,
): number {
  return items.reduce((sum, item) => sum + item[name], 0);
}
