import type { Sql } from "../database/connect.ts";
import { loadDigests, loadReplaced } from "../sink/ledger.ts";
import type { ByteSource, FileStat } from "../source/byte_source.ts";
import { sameDigests } from "../source/content_hash.ts";
import { hashRange } from "./recognise_file.ts";
import { type TrackedFile, trackFile } from "./tracked_file.ts";

/**
 * What the pipeline has loaded, by size: where to look for a file that was sent again. Earlier
 * generations count as well, as long as their records do.
 */
export class LoadedContents {
  readonly #sql: Sql;
  readonly #bySize = new Map<number, Set<TrackedFile>>();

  static async load(
    sql: Sql,
    { pipelineId, files }: { pipelineId: number; files: Iterable<TrackedFile> },
  ): Promise<LoadedContents> {
    const contents = new LoadedContents(sql);
    for (const file of files) if (file.state === "done") contents.add(file);
    for (const file of await loadReplaced(sql, pipelineId)) contents.add(trackFile(file));
    return contents;
  }

  private constructor(sql: Sql) {
    this.#sql = sql;
  }

  add(file: TrackedFile): void {
    const files = this.#bySize.get(file.readByte) ?? new Set();
    this.#bySize.set(file.readByte, files.add(file));
  }

  /** To be called while the file's size is still the one it was added with. */
  delete(file: TrackedFile): void {
    const files = this.#bySize.get(file.readByte);
    if (files?.delete(file) && files.size === 0) this.#bySize.delete(file.readByte);
  }

  /** Another file, or an earlier generation, whose whole content is that of `source`. */
  async find(
    file: TrackedFile,
    { source, stat }: { source: ByteSource; stat: FileStat },
  ): Promise<TrackedFile | null> {
    const twins = [...this.#bySize.get(stat.sizeBytes) ?? []].filter((other) => other !== file);
    if (stat.sizeBytes === 0 || twins.length === 0) return null;
    const hash = await hashRange(source, { start: 0, end: stat.sizeBytes });
    if (hash === null) return null;
    const mine = hash.digests();
    for (const twin of twins) {
      const theirs = twin.digests ?? await loadDigests(this.#sql, twin.fileId);
      if (theirs !== null && sameDigests(mine, theirs)) return twin;
    }
    return null;
  }
}
