import { Buffer } from "node:buffer";
import type { Sql } from "../database/connect.ts";
import { loadManyDigests, loadReplaced } from "../sink/ledger.ts";
import type { ByteSource, FileStat } from "../source/byte_source.ts";
import type { ContentDigests } from "../source/content_hash.ts";
import { hashRange } from "./recognise_file.ts";
import { type TrackedFile, trackFile } from "./tracked_file.ts";

/** The files of one size. */
interface SizeClass {
  /** By content. */
  readonly keyed: Map<string, Set<TrackedFile>>;
  /** Whose content was not asked of the ledger yet. */
  readonly unkeyed: Set<TrackedFile>;
}

/**
 * What the pipeline has loaded, by size and content: where to look for a file that was sent again.
 * Earlier generations count as well, as long as their records do. The ledger is asked for contents of
 * a size when the first new file of that size comes, for all at once.
 */
export class LoadedContents {
  readonly #sql: Sql;
  readonly #bySize = new Map<number, SizeClass>();
  /** The keys of those that have one. */
  readonly #keys = new Map<TrackedFile, string>();

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
    let ofSize = this.#bySize.get(file.readByte);
    if (ofSize === undefined) {
      ofSize = { keyed: new Map(), unkeyed: new Set() };
      this.#bySize.set(file.readByte, ofSize);
    }
    if (file.digests === null) ofSize.unkeyed.add(file);
    else this.#addKeyed(ofSize, { file, key: contentKey(file.digests) });
  }

  /** To be called while the file's size is still the one it was added with. */
  delete(file: TrackedFile): void {
    const ofSize = this.#bySize.get(file.readByte);
    if (ofSize === undefined) return;
    ofSize.unkeyed.delete(file);
    const key = this.#keys.get(file);
    if (key !== undefined) {
      this.#keys.delete(file);
      const twins = ofSize.keyed.get(key);
      twins?.delete(file);
      if (twins?.size === 0) ofSize.keyed.delete(key);
    }
    if (ofSize.unkeyed.size + ofSize.keyed.size === 0) this.#bySize.delete(file.readByte);
  }

  /** Another file, or an earlier generation, whose whole content is that of `source`. */
  async find(
    file: TrackedFile,
    { source, stat }: { source: ByteSource; stat: FileStat },
  ): Promise<TrackedFile | null> {
    const ofSize = this.#bySize.get(stat.sizeBytes);
    if (stat.sizeBytes === 0 || ofSize === undefined) return null;
    const hash = await hashRange(source, { start: 0, end: stat.sizeBytes });
    if (hash === null) return null;
    await this.#keyAll(ofSize);
    for (const twin of ofSize.keyed.get(contentKey(hash.digests())) ?? []) {
      if (twin !== file) return twin;
    }
    return null;
  }

  async #keyAll(ofSize: SizeClass): Promise<void> {
    if (ofSize.unkeyed.size === 0) return;
    const files = [...ofSize.unkeyed];
    const digests = await loadManyDigests(this.#sql, files.map(({ fileId }) => fileId));
    ofSize.unkeyed.clear();
    for (const file of files) {
      const found = digests.get(file.fileId);
      if (found !== undefined) this.#addKeyed(ofSize, { file, key: contentKey(found) });
    }
  }

  #addKeyed(ofSize: SizeClass, { file, key }: { file: TrackedFile; key: string }): void {
    const twins = ofSize.keyed.get(key) ?? new Set();
    ofSize.keyed.set(key, twins.add(file));
    this.#keys.set(file, key);
  }
}

/** Two contents of one size are the same if this is. */
function contentKey({ chain, tail }: Pick<ContentDigests, "chain" | "tail">): string {
  return [chain ?? new Uint8Array(), tail]
    .map((bytes) => Buffer.from(bytes).toString("base64"))
    .join(" ");
}
