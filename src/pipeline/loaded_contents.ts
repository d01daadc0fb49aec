import type { Sql } from "../database/connect.ts";
import { findContent, loadReplaced } from "../sink/ledger.ts";
import type { ByteSource, FileStat } from "../source/byte_source.ts";
import { contentMark } from "../source/content_hash.ts";
import type { FileContent } from "./packed_files.ts";
import { hashRange } from "./recognise_file.ts";
import type { TrackedFile } from "./tracked_file.ts";
import type { TrackedFiles } from "./tracked_files.ts";

export interface LoadedContentsOptions {
  readonly sql: Sql;
  readonly pipelineId: number;
  readonly files: TrackedFiles;
  /** Resolves when everything handed over has committed. */
  readonly drain: () => Promise<void>;
}

/**
 * What the pipeline has loaded: where to look for a file that was sent again. Earlier generations
 * count as well, as long as their records do. Sizes and marks of contents are kept here, and say
 * which few files the ledger is asked about; it has the hashes.
 */
export class LoadedContents {
  readonly #options: LoadedContentsOptions;
  /** How many files have a size. */
  readonly #sizes = new Map<number, number>();
  /** Ids of the files by content mark: one, or several. */
  readonly #fileIds = new Map<number, number | readonly number[]>();

  static async load(options: LoadedContentsOptions): Promise<LoadedContents> {
    const contents = new LoadedContents(options);
    for (const content of options.files.doneContents()) contents.add(content);
    for (const { committedByte, ...file } of await loadReplaced(options.sql, options.pipelineId)) {
      contents.add({ ...file, readByte: committedByte });
    }
    return contents;
  }

  private constructor(options: LoadedContentsOptions) {
    this.#options = options;
  }

  add({ fileId, readByte, contentMark }: FileContent): void {
    if (contentMark === null) return;
    const before = this.#fileIds.get(contentMark);
    if (before === undefined) this.#fileIds.set(contentMark, fileId);
    else {
      const fileIds = this.#withMark(contentMark);
      if (fileIds.includes(fileId)) return;
      this.#fileIds.set(contentMark, [...fileIds, fileId]);
    }
    this.#sizes.set(readByte, (this.#sizes.get(readByte) ?? 0) + 1);
  }

  /** To be called while the file's size and mark are still the ones it was added with. */
  delete({ fileId, readByte, contentMark }: FileContent): void {
    if (contentMark === null) return;
    const fileIds = this.#withMark(contentMark);
    if (!fileIds.includes(fileId)) return;
    const others = fileIds.filter((other) => other !== fileId);
    if (others.length === 0) this.#fileIds.delete(contentMark);
    else this.#fileIds.set(contentMark, others.length === 1 ? others[0]! : others);
    const count = this.#sizes.get(readByte)! - 1;
    if (count === 0) this.#sizes.delete(readByte);
    else this.#sizes.set(readByte, count);
  }

  /** Another file, or an earlier generation, whose whole content is that of `source`. */
  async find(
    file: TrackedFile,
    { source, stat }: { source: ByteSource; stat: FileStat },
  ): Promise<{ readonly path: string } | null> {
    const { sizeBytes } = stat;
    if (sizeBytes === 0 || !this.#sizes.has(sizeBytes)) return null;
    const digests = (await hashRange(source, { start: 0, end: sizeBytes }))?.digests();
    if (digests === undefined) return null;
    const fileIds = this.#withMark(contentMark(digests)).filter((id) => id !== file.fileId);
    if (fileIds.length === 0) return null;
    await this.#options.drain(); // then the ledger knows them all
    return await findContent(this.#options.sql, { fileIds, sizeBytes, digests });
  }

  #withMark(mark: number): readonly number[] {
    const fileIds = this.#fileIds.get(mark) ?? [];
    return typeof fileIds === "number" ? [fileIds] : fileIds;
  }
}
