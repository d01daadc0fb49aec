/**
 * Moves or deletes files that are loaded (`--after`). What is unread is never out of reach: nothing is
 * overwritten, and nothing is unlinked but a file that was just seen to be the committed one.
 *
 * The order is: 1. the ledger gets the name it will have (`archived_path`, without `archived_at`);
 * 2. that name is taken by an empty file; 3. a rename puts the file in its place; 4. what was moved is
 * compared with what was committed; 5. to delete, it is unlinked; 6. the ledger gets `archived_at` or
 * `deleted_at`. Every start begins at 4 for each file it finds between 1 and 6, as this does after a
 * rename that failed. What it may find then:
 *
 * - the file is in the folder, unchanged (a crash after 1 or 2): the empty file is removed, the ledger
 *   forgets the name, and the file is put away anew;
 * - the committed file is under the new name (after 3 or 4): 5 and 6 follow;
 * - what is there has grown, or another file had taken the name just before the rename: it is moved
 *   back to be read. If its own name is taken by then, it stays where it is, which is said loudly;
 * - both names are of one file (while it was moved back): the new name goes;
 * - nothing is there (after 5, or somebody took it): it is deleted, if it was to be; else the ledger
 *   forgets the name.
 *
 * A rename that the disk forgot in a power cut leaves a file in the folder of which the ledger says
 * that it was moved: it has the committed bytes, loads nothing, and is put away anew. A writer that
 * still has the file open goes on writing to it in the archive: for a while, and at every start, it
 * is looked whether archived files have grown; then they are moved back. To a deleted file its
 * bytes are lost.
 */
import { basename, dirname, join } from "@std/path";
import type { Sql } from "../database/connect.ts";
import type { Probe } from "../probe.ts";
import { type FilePlace, writePlaces } from "../sink/file_places.ts";
import { type FileStat, fileStat } from "../source/byte_source.ts";
import { statCandidate } from "../source/folder_scan.ts";
import { moveToFreeName, removeEmpty } from "../source/move_file.ts";
import type { IngestObserver } from "./ingest_observer.ts";
import type { AfterLoad } from "./ingest_options.ts";
import { isPutAway, isUnchanged, type TrackedFile } from "./tracked_file.ts";
import type { TrackedFiles } from "./tracked_files.ts";

export interface PutAwayOptions {
  readonly sql: Sql;
  readonly directory: string;
  readonly after: AfterLoad;
  readonly settleMs: number;
  readonly files: TrackedFiles;
  readonly observer: IngestObserver;
  /** The file is in the folder again, with bytes to read. */
  readonly onReturned: (path: string) => void;
  readonly probe: Probe;
}

/** Files moved between two statements to the ledger. */
const GROUP_FILES = 100;
/** So long after it was archived a file is looked at for what a slow writer may have added. */
const LATE_GROWTH_MS = 10 * 60_000;
/** Time between such looks, at least, and as a multiple of what one takes. */
const GROWTH_LOOK_MS = 5_000;
const GROWTH_SHARE = 50;
/** What could not be looked at is looked at again after this. */
const RETRY_MS = 2_000;
/** Begins the names of files that are about to be deleted; no watcher takes them. */
const DELETE_PREFIX = ".pgsluice-delete-";

/** Of what each candidate's name ends in. */
const CSV_LENGTH = ".csv".length;
/** So often it is tried at the end of a run. */
const FINISH_ROUNDS = 3;

type Place = Omit<FilePlace, "file">;
type TrackedPlace = Place & { readonly file: TrackedFile };

export class PutAway {
  readonly #options: PutAwayOptions;
  /** Paths, and when they are due (performance clock), the next one first. */
  readonly #waiting = new Map<string, number>();
  /** Paths archived by this process, and until when they are looked at. */
  readonly #recent = new Map<string, number>();
  /** When those are looked at next (performance clock). */
  #nextGrowthLookMs = -Infinity;
  /** Paths that could not be moved, which was said. */
  readonly #refused = new Set<string>();

  constructor(options: PutAwayOptions) {
    this.#options = options;
  }

  /** The file was just read to its end: it is put away if it does not change for a while. */
  restart(file: TrackedFile): void {
    this.#waiting.delete(file.path);
    this.consider(file);
  }

  /** The file is there, as the ledger has it. */
  consider(file: Readonly<TrackedFile>): void {
    const { after, settleMs } = this.#options;
    const isWanted = after.kind !== "keep" && isComplete(file) && !isPutAway(file) &&
      !this.#waiting.has(file.path) && !this.#refused.has(file.path);
    if (isWanted) this.#waiting.set(file.path, performance.now() + settleMs);
  }

  /** When something is due (performance clock). */
  get dueMs(): number {
    const nextMs = this.#waiting.values().next().value ?? Infinity;
    return this.#recent.size === 0 ? nextMs : Math.min(nextMs, this.#nextGrowthLookMs);
  }

  /** Puts away what is due, a group at most; looks at what was archived a short time ago. */
  async run(nowMs: number): Promise<void> {
    if (this.#nextGrowthLookMs <= nowMs) await this.#lookForGrowth(nowMs);
    const due: TrackedFile[] = [];
    for (const [path, dueMs] of this.#waiting) {
      if (dueMs > nowMs || due.length === GROUP_FILES) break;
      this.#waiting.delete(path);
      due.push(this.#options.files.get(path)!);
    }
    if (due.length > 0) await this.#putAway(due);
  }

  /** Puts away all that waits, without waiting; once everything has committed. */
  async finish(): Promise<void> {
    for (let round = 0; round < FINISH_ROUNDS; round++) {
      const files = [...this.#waiting.keys()].map((path) => this.#options.files.get(path)!);
      this.#waiting.clear();
      for (let from = 0; from < files.length; from += GROUP_FILES) {
        await this.#putAway(files.slice(from, from + GROUP_FILES));
      }
    }
  }

  /** Completes or undoes what an earlier process left half done, and takes in late growth. */
  async recover(): Promise<void> {
    const { files } = this.#options;
    const paths = [...files.putAwayPaths()]
      .filter((path) => files.peek(path)!.archivedPath !== null);
    for (let from = 0; from < paths.length; from += GROUP_FILES) {
      const group = paths.slice(from, from + GROUP_FILES).map((path) => files.get(path)!);
      await this.#settleAll(group, { isMoved: false });
      files.pack();
    }
  }

  /** The file came to the folder again, or never went: the ledger forgets where it was moved. */
  async forget(file: TrackedFile): Promise<void> {
    const [here, there] = [await lookAt(this.#pathOf(file)), await lookAt(file.archivedPath ?? "")];
    if (isOneFile(here, there)) await Deno.remove(file.archivedPath!);
    const place = { ...NOWHERE, reason: file.reason };
    await writePlaces(this.#options.sql, [{ file, ...place }]);
    Object.assign(file, place);
  }

  /** Such looks take at most one part in `GROWTH_SHARE` of the time. */
  async #lookForGrowth(nowMs: number): Promise<void> {
    const files: TrackedFile[] = [];
    for (const [path, untilMs] of this.#recent) {
      const file = this.#options.files.get(path);
      if (untilMs < nowMs || !file?.isArchived) this.#recent.delete(path);
      else files.push(file);
    }
    await this.#settleAll(files, { isMoved: false });
    const tookMs = performance.now() - nowMs;
    this.#nextGrowthLookMs = nowMs + Math.max(GROWTH_LOOK_MS, GROWTH_SHARE * tookMs);
  }

  /** Files of a group are moved side by side. */
  async #putAway(files: readonly TrackedFile[]): Promise<void> {
    const { sql } = this.#options;
    const halfDone = files.filter((file) => file.archivedPath !== null && !file.isArchived);
    const places = (await Promise.all(files.map((file) => this.#plan(file))))
      .filter((place) => place !== null);
    await writePlaces(sql, places);
    for (const { file, ...place } of places) Object.assign(file, place);
    const moving = places.map(({ file }) => file);
    const areMoved = await Promise.all(moving.map((file) => this.#move(file)));
    const moved = moving.filter((_, index) => areMoved[index]);
    await this.#settleAll(moved, { isMoved: true });
    const others = moving.filter((_, index) => !areMoved[index]);
    await this.#settleAll([...halfDone, ...others], { isMoved: false });
    for (const { path } of files) this.#options.files.release(path);
  }

  /** Where the file is to go; null if it is not to be moved now. */
  async #plan(file: TrackedFile): Promise<TrackedPlace | null> {
    if (!isComplete(file) || isPutAway(file)) return null;
    if (file.committedByte !== file.readByte) {
      this.consider(file); // its last batch is under way
      return null;
    }
    if (!await this.#isAsCommitted(file)) return null;
    const archivedPath = await this.#freeName(file);
    return { file, archivedPath, isArchived: false, isDeleted: false, reason: file.reason };
  }

  /** @returns false if it failed, and whether the file was moved is not known */
  async #move(file: TrackedFile): Promise<boolean> {
    const { probe } = this.#options;
    try {
      await moveToFreeName(this.#pathOf(file), {
        to: file.archivedPath!,
        beforeMove: () => probe("file.move"),
      });
      probe("file.moved");
      return true;
    } catch (error) {
      this.#refuse(file, error);
      return false;
    }
  }

  #refuse(file: TrackedFile, error: unknown): void {
    const { observer, after } = this.#options;
    if (error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotFound) return;
    this.#refused.add(file.path);
    const what = after.kind === "delete" ? "deleted" : "archived";
    observer.fileNote({ path: file.path, note: `cannot be ${what}: ${messageOf(error)}` });
  }

  /** True if it is in the folder, and nobody changed it since it was committed. */
  async #isAsCommitted(file: TrackedFile): Promise<boolean> {
    const { directory, probe } = this.#options;
    try {
      const look = await statCandidate(directory, file.path, probe);
      return look !== null && isUnchanged(file.stat, look);
    } catch (error) {
      this.#refuse(file, error);
      return false;
    }
  }

  async #freeName(file: TrackedFile): Promise<string> {
    for (let attempt = 1;; attempt++) {
      const name = this.#nameOf(file, attempt === 1 ? "" : `-${attempt}`);
      // what cannot be looked at is found out by the move
      if (await lookAt(name).catch(() => null) === null) return name;
    }
  }

  #nameOf({ path, fileId, generation }: TrackedFile, suffix: string): string {
    const { after, directory } = this.#options;
    if (after.kind !== "archive") {
      return join(directory, dirname(path), `${DELETE_PREFIX}${fileId}${suffix}`);
    }
    const [stem, extension] = [path.slice(0, -CSV_LENGTH), path.slice(-CSV_LENGTH)];
    return join(after.directory, `${stem}.g${generation}${suffix}${extension}`);
  }

  #pathOf(file: TrackedFile): string {
    return join(this.#options.directory, file.path);
  }

  /** @param options.isMoved The rename has just succeeded: nothing under the new name is ours. */
  async #settleAll(
    files: readonly TrackedFile[],
    options: { isMoved: boolean },
  ): Promise<void> {
    const { sql, files: all } = this.#options;
    for (let from = 0; from < files.length; from += GROUP_FILES) {
      const group = files.slice(from, from + GROUP_FILES);
      const places = (await Promise.all(group.map((file) => this.#settled(file, options))))
        .filter((place) => place !== null);
      await writePlaces(sql, places);
      for (const { path } of group) all.release(path);
      const untilMs = performance.now() + LATE_GROWTH_MS;
      for (const { file, ...place } of places) {
        Object.assign(file, place);
        if (file.isArchived) this.#recent.set(file.path, untilMs);
        else this.consider(file);
      }
    }
  }

  async #settled(
    file: TrackedFile,
    options: { isMoved: boolean },
  ): Promise<TrackedPlace | null> {
    try {
      const place = await this.#settle(file, options);
      return place === null ? null : { file, ...place };
    } catch (error) {
      this.#options.observer.readError({ path: file.path, error, retryMs: RETRY_MS });
      if (!file.isArchived) this.#waiting.set(file.path, performance.now() + RETRY_MS);
      return null;
    }
  }

  /** Finds out where the file is. @returns what the ledger is to have; null if it has that */
  async #settle(
    file: TrackedFile,
    { isMoved }: { isMoved: boolean },
  ): Promise<Place | null> {
    const { after, onReturned, probe } = this.#options;
    const to = file.archivedPath!;
    const there = await lookAt(to);
    const inFolder = { ...NOWHERE, reason: file.reason };
    if (file.isArchived && !hasLateGrowth(file, there)) return null;
    const here = await lookAt(this.#pathOf(file));
    if (isOneFile(here, there)) {
      // on the way back
      await Deno.remove(to);
      onReturned(file.path);
      return inFolder;
    }
    if (file.isArchived) return await this.#return(file);
    const isToBeDeleted = basename(to).startsWith(DELETE_PREFIX);
    if (here === null && there === null) return { ...inFolder, isDeleted: isToBeDeleted };
    const isEmptyName = there?.sizeBytes === 0 && there.inode !== file.stat?.inode;
    const isStill = here !== null && isUnchanged(file.stat, here);
    if (there === null || !isMoved && (isEmptyName || isStill)) {
      await removeEmpty(to);
      return inFolder;
    }
    if (!isUnchanged(file.stat, there) || isToBeDeleted && after.kind !== "delete") {
      return await this.#return(file);
    }
    if (!isToBeDeleted) return { ...inFolder, archivedPath: to, isArchived: true };
    probe("file.delete");
    await Deno.remove(to);
    return { ...inFolder, isDeleted: true };
  }

  /** Moves the file back to be read, if its name is free. */
  async #return(file: TrackedFile): Promise<Place> {
    const { observer, onReturned, probe } = this.#options;
    const to = file.archivedPath!;
    try {
      probe("file.move");
      await Deno.link(to, this.#pathOf(file));
    } catch (error) {
      const why = error instanceof Deno.errors.AlreadyExists
        ? "its name in the folder is taken"
        : messageOf(error);
      const reason = `it was changed while it was put away, and cannot be moved back (${why}): ` +
        `what ${to} has beyond byte ${file.committedByte} is not loaded`;
      if (file.reason !== reason) {
        observer.fileTrouble({ path: file.path, state: "held", code: null, reason });
      }
      return { archivedPath: to, isArchived: true, isDeleted: false, reason };
    }
    probe("file.delete");
    await Deno.remove(to);
    onReturned(file.path);
    return { ...NOWHERE, reason: file.reason };
  }
}

const NOWHERE = { archivedPath: null, isArchived: false, isDeleted: false };

/** True if all of it is accounted for, as soon as its batches have committed. */
function isComplete({ state }: TrackedFile): boolean {
  return state === "done" || state === "same";
}

/**
 * True if there is more in the archive than was committed; or if what is there is to be loaded after
 * all, because the file whose double it was is no longer in the table.
 */
function hasLateGrowth({ state, stat }: TrackedFile, there: FileStat | null): boolean {
  if (there === null || stat === null) return false;
  return there.sizeBytes > stat.sizeBytes || state === "open";
}

/** True if both names are of one file, as in the middle of a move back. */
function isOneFile(here: FileStat | null, there: FileStat | null): boolean {
  return here !== null && there !== null && here.inode === there.inode;
}

/** Null if there is nothing of that name. */
async function lookAt(path: string): Promise<FileStat | null> {
  try {
    return fileStat(await Deno.lstat(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
