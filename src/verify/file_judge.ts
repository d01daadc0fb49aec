import type { Schema } from "../schema/schema.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import type { ByteSource } from "../source/byte_source.ts";
import { hostId } from "../source/host_id.ts";
import { findSource } from "./find_source.ts";
import { hashContent } from "./hash_content.ts";
import { UnreadableError } from "./readable_file.ts";
import type { Snapshot, VerifiedFile } from "./snapshot.ts";
import { type FileCounts, verifyFile } from "./verify_file.ts";
import type { Differences, FileVerdict } from "./verify_report.ts";

export interface Judgement {
  /** Holds if no difference was found. */
  readonly verdict: FileVerdict;
  readonly reason: string | null;
  /** As the ledger has them, if absent. */
  readonly counts?: FileCounts;
}

export interface FileJudgeOptions {
  readonly schema: Schema;
  readonly pipeline: NamedPipeline;
  readonly snapshot: Snapshot;
  /** Sees every byte read of the files, in order; valid during the call. */
  readonly onBytes: (bytes: Uint8Array) => void;
}

/** Decides by a file's state how much of it can be proven, and proves that. */
export class FileJudge {
  readonly #options: FileJudgeOptions;

  constructor(options: FileJudgeOptions) {
    this.#options = options;
  }

  /** What is wrong goes to `differences`. */
  async judge(file: VerifiedFile, differences: Differences): Promise<Judgement> {
    const { state, reason } = file;
    switch (state) {
      case "same":
        return await this.#judgeTwin(file, differences);
      case "undone":
      case "skipped":
        expectNothing(file, differences);
        return { verdict: state, reason };
      case "held":
        compareWithTable(file, differences);
        return { verdict: state, reason };
      case "failed":
        if (file.committedByte > 0) break;
        compareWithTable(file, differences);
        return { verdict: state, reason };
      case "superseded":
        // but one that had been moved away before can still be read
        if (file.archivedPath !== null) break;
        compareWithTable(file, differences);
        return { verdict: "source gone", reason: `replaced by a later generation: ${reason}` };
    }
    return await this.#judgeLoaded(file, differences);
  }

  async #judgeLoaded(file: VerifiedFile, differences: Differences): Promise<Judgement> {
    if (this.#options.pipeline.sourceKind === "stdin") {
      compareWithTable(file, differences);
      return { verdict: "source gone", reason: "it was a stream" };
    }
    return await this.#withSource(file, differences, async (source, isArchived) => {
      const { counts, reason } = await verifyFile(file, {
        ...this.#options,
        pipelineName: this.#options.pipeline.name,
        source,
        differences,
      });
      const notes = [
        reason ?? (file.state === "superseded" ? null : file.reason),
        isArchived ? `read at ${file.archivedPath}` : null,
        file.expiredAt === null ? null : `pruned ${file.expiredAt.toISOString().slice(0, 10)}`,
      ].filter((note) => note !== null);
      return {
        verdict: file.expiredAt === null ? "exact" : "expired",
        reason: notes.length === 0 ? null : notes.join("; "),
        counts,
      };
    });
  }

  /** A file of which nothing was loaded, because another one has its content. */
  async #judgeTwin(file: VerifiedFile, differences: Differences): Promise<Judgement> {
    return await this.#withSource(file, differences, async (source) => {
      compareWithTable(file, differences);
      const sizeBytes = file.sizeBytes ?? 0;
      const content = await hashContent(source, sizeBytes);
      if (content === null) {
        differences.addFact({ expected: `a file of ${sizeBytes} bytes`, found: "a shorter one" });
      } else if (
        !await this.#options.snapshot.hasTwin(file, { sizeBytes, digests: content.digests() })
      ) {
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
    judge: (source: ByteSource, isArchived: boolean) => Promise<Judgement>,
  ): Promise<Judgement> {
    if (file.deletedAt !== null) {
      compareWithTable(file, differences);
      const reason = `it was deleted after it was loaded, ${file.deletedAt.toISOString()}`;
      return { verdict: "source gone", reason };
    }
    const { sourcePath, sourceHost } = this.#options.pipeline;
    let source: ByteSource | undefined;
    try {
      const found = await findSource(file, sourcePath);
      source = found.source;
      return await judge(source, found.isArchived);
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      if (error.isGone) {
        compareWithTable(file, differences);
        const isElsewhere = sourceHost !== await hostId();
        const reason = isElsewhere ? "the folder is on another machine" : whereItIsNot(file);
        return { verdict: "source gone", reason };
      }
      differences.addFact({ expected: "a readable file", found: error.message });
      return { verdict: "differs", reason: null };
    } finally {
      source?.close();
    }
  }
}

function whereItIsNot({ archivedPath, state }: VerifiedFile): string {
  if (archivedPath === null) return "it is no longer there";
  return state === "superseded"
    ? `replaced by a later generation, and not at ${archivedPath}`
    : `it is no longer there, nor at ${archivedPath}`;
}

/** All that can be done without the file's bytes. */
function compareWithTable(file: VerifiedFile, differences: Differences): void {
  const { loaded, rejected, duplicate, rowCount, duplicateRows, expiredAt } = file;
  differences.addCount("rows in the table", { expected: loaded, found: rowCount });
  for (
    const [noun, expected, found] of [
      ["rejects in the ledger", rejected, file.rejectRows - file.mendedRows],
      ["duplicates in the ledger", duplicate, duplicateRows],
    ] as const
  ) {
    if (expiredAt === null) differences.addCount(noun, { expected, found });
    else if (found > expected) {
      differences.addFact({ expected: `at most ${expected} ${noun}`, found: String(found) });
    }
  }
}

/** A file that nothing is to be left of, in the ledger or in the table. */
function expectNothing(file: VerifiedFile, differences: Differences): void {
  const counts: [noun: string, found: number][] = [
    ["rows in the table", file.rowCount],
    ["rejects in the ledger", file.rejectRows],
    ["duplicates in the ledger", file.duplicateRows],
    ["records counted in the ledger", file.loaded + file.rejected + file.duplicate],
  ];
  for (const [noun, found] of counts) differences.addCount(noun, { expected: 0, found });
}
