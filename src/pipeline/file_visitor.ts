/**
 * One look at a file of the folder: is it the one that the ledger knows, and from where is it read
 * on. What was read goes to the batcher.
 *
 * Invariant: the ledger's row of a file is changed, other than by a batch, only when no batch
 * carries the file, for batches carry the revision they began with.
 */
import { join } from "@std/path";
import type { Sql } from "../database/connect.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import {
  loadDigests,
  markFile,
  sameAs,
  supersedeFile,
  takeBackProvisional,
} from "../sink/ledger.ts";
import type { FileState } from "../sink/ledger_file.ts";
import type { PipelineBinding } from "../sink/pipeline_binding.ts";
import { type ByteSource, type FileStat, openFile } from "../source/byte_source.ts";
import { type ContentDigests, ContentHash, sameDigests } from "../source/content_hash.ts";
import type { Candidate } from "../source/folder_scan.ts";
import type { Batcher } from "./batcher.ts";
import { countTaken } from "./count_taken.ts";
import { DoneFiles } from "./done_files.ts";
import { FileCursor, FileFault, type Meaning } from "./file_cursor.ts";
import type { IngestObserver } from "./ingest_observer.ts";
import { readHeader } from "./read_header.ts";
import { hashBefore, hashRange, resumeHash } from "./recognise_file.ts";
import { isUnchanged, type TrackedFile, trackFile } from "./tracked_file.ts";

export interface FileVisitorOptions {
  readonly sql: Sql;
  readonly binding: PipelineBinding;
  readonly directory: string;
  readonly once: boolean;
  readonly settleMs: number;
  /** The target, quoted. */
  readonly table: string;
  readonly meaning: Meaning;
  readonly batcher: Batcher;
  /** All files of the pipeline. */
  readonly files: ReadonlyMap<string, TrackedFile>;
  readonly observer: IngestObserver;
  /** The ledger's row of the file changed, other than by a batch. */
  readonly onMarked: (file: TrackedFile) => void;
  /** Resolves when everything handed over has committed. */
  readonly drain: () => Promise<void>;
  readonly signal: AbortSignal;
}

export class FileVisitor {
  readonly #options: FileVisitorOptions;
  readonly #contents = new DoneFiles();

  constructor(options: FileVisitorOptions) {
    this.#options = options;
    for (const file of options.files.values()) {
      if (file.state === "done") this.#contents.add(file);
    }
  }

  /**
   * Reads the file as far as it goes.
   * @returns in how many ms what its end leaves open may be taken; null if nothing is left open
   * @throws what reading throws, with what was read before handed to the batcher
   */
  async visit(file: TrackedFile, candidate: Candidate): Promise<number | null> {
    const { directory, once, observer } = this.#options;
    const { path } = file;
    const source = await openFile(join(directory, path));
    this.#contents.delete(file);
    try {
      const stat = await source.stat();
      const before = file.stat;
      const limitByte = once ? Math.min(stat.sizeBytes, candidate.sizeBytes) : stat.sizeBytes;
      try {
        const hash = await this.#recognise(file, { source, stat, before });
        return hash === null ? null : await this.#readOn(file, { source, stat, hash, limitByte });
      } catch (error) {
        if (error instanceof FileFault) {
          observer.fileTrouble({ path, state: "failed", reason: error.message });
          const reason = `${error.code}: ${error.message}`;
          await this.#mark(file, { state: "failed", reason, stat });
        } else if (error instanceof PgsluiceError && error.code === "waiting-source-gone") {
          // its last record cannot be taken back
          observer.fileTrouble({ path, state: "held", reason: error.message });
          await this.#mark(file, { state: "held", reason: error.message, stat });
        } else throw error;
        return null;
      }
    } finally {
      source.close();
      if (file.state === "done") this.#contents.add(file);
    }
  }

  /**
   * Decides whether the file is read on, and from where; `file` is moved there.
   * @returns the hash of what is before, or null if the file is not to be read
   */
  async #recognise(
    file: TrackedFile,
    { source, stat, before }: { source: ByteSource; stat: FileStat; before: FileStat | null },
  ): Promise<ContentHash | null> {
    const { sql } = this.#options;
    if (file.readByte === 0) {
      const twin = await this.#findTwin(file, { source, stat });
      if (twin !== null) {
        await this.#mark(file, { state: "same", reason: sameAs(twin.path), stat });
        this.#options.observer.fileNote({ path: file.path, note: sameAs(twin.path) });
        return null;
      }
      if (file.state === "same") {
        return await this.#replace(file, { source, stat, reason: "it was the same as another" });
      }
      return new ContentHash();
    }
    const digests = file.digests ?? await loadDigests(sql, file.fileId);
    if (digests === null) return new ContentHash();
    if (stat.sizeBytes < file.readByte) {
      return await this.#replace(file, {
        source,
        stat,
        reason: `it has ${stat.sizeBytes} bytes, of which ${file.readByte} were loaded`,
      });
    }
    const hasGrown = before === null || stat.sizeBytes > before.sizeBytes;
    const hash = hasGrown || isUnchanged(before, stat)
      ? await resumeHash(source, { byte: file.readByte, digests })
      : await wholeHash(source, { byte: file.readByte, digests });
    if (hash === null) {
      return await this.#replace(file, { source, stat, reason: "its loaded bytes have changed" });
    }
    if (file.provisionalFromByte !== null && stat.sizeBytes > file.readByte) {
      return await this.#takeBack(file, { source, digests });
    }
    return hash;
  }

  async #readOn(
    file: TrackedFile,
    { source, stat, hash, limitByte }: {
      source: ByteSource;
      stat: FileStat;
      hash: ContentHash;
      limitByte: number;
    },
  ): Promise<number | null> {
    const { meaning, batcher, signal, once, settleMs, observer } = this.#options;
    const isNewGeneration = file.readByte === 0;
    file.stat = stat;
    if (stat.sizeBytes === file.readByte) {
      await this.#mark(file, { state: "done", reason: null, stat });
      return null;
    }
    const mapping = isNewGeneration ? null : await readHeader(source, meaning);
    const cursor = new FileCursor({ file, source, meaning, batcher, hash, mapping, signal });
    let settledInMs: number | null = null;
    try {
      await cursor.read({ limitByte });
      if (cursor.hasLeftover && cursor.inputByte === stat.sizeBytes) {
        const nowMs = Date.now();
        settledInMs = once ? 0 : Math.min(stat.modifiedMs, nowMs) + settleMs - nowMs;
        if (settledInMs <= 0) {
          await cursor.finish();
          settledInMs = null;
        }
      }
    } catch (error) {
      // what was decoded stays, whatever ended the reading; behind a bad header nothing was
      if (!(error instanceof FileFault)) await cursor.close();
      throw error;
    }
    await cursor.close();
    const unknownNames = cursor.mapping?.unknownNames ?? [];
    if (isNewGeneration && unknownNames.length > 0) {
      observer.fileNote({
        path: file.path,
        note: `columns not loaded: ${unknownNames.join(", ")}`,
      });
    }
    return settledInMs;
  }

  /** The bytes of a loaded file are no longer there. */
  async #replace(
    file: TrackedFile,
    { source, stat, reason }: { source: ByteSource; stat: FileStat; reason: string },
  ): Promise<ContentHash | null> {
    const { sql, binding, meaning, observer } = this.#options;
    const mapping = await readHeader(source, meaning);
    const keyIndex = meaning.schema.columns.findIndex(({ name }) => name === meaning.schema.key);
    if ((mapping.fieldIndexes[keyIndex] ?? -1) < 0) {
      const held = `replaced: ${reason}; without ${meaning.schema.key} its records cannot be ` +
        "told from those already loaded";
      if (file.state !== "held") {
        observer.fileTrouble({ path: file.path, state: "held", reason: held });
      }
      await this.#mark(file, { state: "held", reason: held, stat });
      return null;
    }
    await this.#options.drain();
    const next = await supersedeFile(sql, { file, reason, meaning: binding });
    Object.assign(file, trackFile(next));
    this.#options.onMarked(file);
    observer.fileNote({
      path: file.path,
      note: `replaced (${reason}): loading it as generation ${file.generation}`,
    });
    return new ContentHash();
  }

  async #takeBack(
    file: TrackedFile,
    { source, digests }: { source: ByteSource; digests: ContentDigests },
  ): Promise<ContentHash> {
    const { sql, table, drain, meaning } = this.#options;
    await drain();
    const fromByte = file.provisionalFromByte!;
    const mapping = await readHeader(source, meaning);
    const range = { start: fromByte, end: file.readByte };
    const { lineEnds, ...counts } = await countTaken(source, { ...range, meaning, mapping });
    const hash = await hashBefore(source, { byte: fromByte, laterByte: file.readByte, digests });
    if (hash === null) throw new Deno.errors.UnexpectedEof(`${file.path} became shorter`);
    const back = await takeBackProvisional(sql, {
      file,
      fromByte,
      target: { schema: meaning.schema, table },
      digests: hash.digests(),
      line: file.readLine - lineEnds,
      ...counts,
    });
    Object.assign(file, trackFile(back), { digests: hash.digests() });
    this.#options.onMarked(file);
    return hash;
  }

  /** Another file of this pipeline with the same content, already loaded. */
  async #findTwin(
    file: TrackedFile,
    { source, stat }: { source: ByteSource; stat: FileStat },
  ): Promise<TrackedFile | null> {
    const twins = this.#contents.ofSize(stat.sizeBytes).filter((other) => other !== file);
    if (stat.sizeBytes === 0 || twins.length === 0) return null;
    const hash = await hashRange(source, { start: 0, end: stat.sizeBytes });
    if (hash === null) return null;
    const mine = hash.digests();
    for (const twin of twins) {
      const theirs = twin.digests ?? await loadDigests(this.#options.sql, twin.fileId);
      if (theirs !== null && sameDigests(mine, theirs)) return twin;
    }
    return null;
  }

  async #mark(
    file: TrackedFile,
    facts: { state: FileState; reason: string | null; stat: FileStat },
  ): Promise<void> {
    await this.#options.drain();
    const marked = await markFile(this.#options.sql, { file, ...facts });
    const { digests } = file;
    Object.assign(file, trackFile(marked), { digests });
    this.#options.onMarked(file);
  }
}

async function wholeHash(
  source: ByteSource,
  { byte, digests }: { byte: number; digests: ContentDigests },
): Promise<ContentHash | null> {
  const hash = await hashRange(source, { start: 0, end: byte });
  return hash !== null && sameDigests(hash.digests(), digests) ? hash : null;
}
