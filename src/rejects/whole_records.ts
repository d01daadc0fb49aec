import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { type ByteSource, openFile } from "../source/byte_source.ts";
import { readRange } from "./read_range.ts";
import { type FilePlace, sourcePaths } from "./source_paths.ts";
import { withoutLineEnd } from "./without_line_end.ts";

/** A record longer than this is not read again as a whole: mending it by hand is hopeless. */
export const LONGEST_WHOLE_BYTES = 16 * 1024 * 1024;

/** A reject's bytes, which the ledger may hold only the beginning of. */
export interface StoredRecord extends FilePlace {
  readonly raw: Uint8Array;
  readonly startByte: number;
  readonly endByte: number;
}

export type WholeRecord =
  /** Without its line end. */
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string };

/**
 * Gives the whole bytes of rejected records: as the ledger has them, or read again from the source
 * where they are cut there. Keeps the last file open until `close()`.
 */
export class WholeRecords {
  readonly #pipeline: NamedPipeline;
  #open: { path: string; source: ByteSource } | null = null;

  constructor(pipeline: NamedPipeline) {
    this.#pipeline = pipeline;
  }

  async read(record: StoredRecord): Promise<WholeRecord> {
    const { raw, startByte, endByte } = record;
    const sizeBytes = endByte - startByte;
    if (raw.length === sizeBytes) return { ok: true, bytes: withoutLineEnd(raw) };
    if (sizeBytes > LONGEST_WHOLE_BYTES) {
      return { ok: false, reason: `it has ${sizeBytes} bytes, too many to be mended` };
    }
    const places = await sourcePaths(this.#pipeline, record);
    if ("missing" in places) return gone(record, places.missing);
    let why = "it is no longer there";
    for (const path of places.paths) {
      try {
        const bytes = await readRange(await this.#sourceOf(path), { startByte, sizeBytes });
        if (bytes === null) why = "it is shorter than it was";
        else if (!raw.every((byte, index) => bytes[index] === byte)) why = "it has other bytes now";
        else return { ok: true, bytes: withoutLineEnd(bytes) };
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) continue;
        why = error instanceof Error ? error.message : String(error);
      }
    }
    return gone(record, why);
  }

  /** Twice is safe. */
  close(): void {
    this.#open?.source.close();
    this.#open = null;
  }

  async #sourceOf(path: string): Promise<ByteSource> {
    if (this.#open?.path === path) return this.#open.source;
    this.close();
    const source = await openFile(path);
    this.#open = { path, source };
    return source;
  }
}

function gone({ raw, path }: StoredRecord, why: string): WholeRecord {
  return {
    ok: false,
    reason: `the ledger has its first ${raw.length} bytes, and ${path} the rest: ${why}`,
  };
}
