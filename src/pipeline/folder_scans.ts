/**
 * Scans the folder beside the work of a session: for what the watch does not tell, and for all there
 * is at the start. New names are looked at first, and at once; then, little by little, the files that
 * are known.
 *
 * Invariants: one listing or one group of looks is under way at a time; over any while they take
 * one part in `SCAN_SHARE` of it, the first scan apart.
 */
import {
  type Candidate,
  listFolder,
  LOOK_FILES,
  lookAtListed,
  oldestFirst,
  type ScanOptions,
} from "../source/folder_scan.ts";

/** Scans take at most one part in so many of the time: 2 %. */
const SCAN_SHARE = 50;
/** The same of the first scan, which new files are not to wait for. */
const FIRST_SCAN_SHARE = 4;
/** Time between scans of a quiet folder, at least. */
const QUIET_INTERVAL_MS = 5_000;
/**
 * The same while the watch brings news, or there is none: Deno drops events beyond 16 that wait,
 * without a word, so that behind news there may be more.
 */
const NEWS_INTERVAL_MS = 100;

export interface FolderScansOptions extends ScanOptions {
  /** A real path. */
  readonly directory: string;
  /** False: nothing tells of news but the scans. */
  readonly isWatched: boolean;
  /** The path of a file that is to be looked at only when there is time; null of a new one. */
  readonly knownPath: (path: string) => string | null;
  /** True if the file is to be read, as it looks. */
  readonly isNews: (candidate: Candidate) => boolean;
  /** Takes what is news, oldest first. */
  readonly onFound: (candidates: readonly Candidate[]) => void;
  /** The folder cannot be listed: it is tried again, unless this throws. */
  readonly onUnlisted: (error: unknown) => void;
  /** Called once, with what ended the scans. */
  readonly onFault: (error: unknown) => void;
  /** The first scan is over. */
  readonly onFirstOver: () => void;
}

export class FolderScans {
  readonly #options: FolderScansOptions;
  #isClosed = false;
  #hasNews = false;
  #wake: (() => void) | null = null;
  #running: Promise<void> | null = null;
  /** When the last listing began (performance clock). */
  #listedMs = -Infinity;
  /** Nothing begins before (performance clock). */
  #restUntilMs = -Infinity;
  /** Known files that wait for their look. */
  #known: string[] = [];
  /** ms of listings, and of looks since. */
  #listingMs = 0;
  #lookingMs = 0;

  constructor(options: FolderScansOptions) {
    this.#options = options;
  }

  /** Looks at everything at once. */
  async scanAll(): Promise<void> {
    const { onFound } = this.#options;
    const paths = await this.#paths();
    const found: Candidate[] = [];
    for (let from = 0; from < paths.length; from += LOOK_FILES) {
      found.push(...await this.#look(paths.slice(from, from + LOOK_FILES)));
    }
    onFound(found.sort(oldestFirst));
  }

  /** Scans until it is closed. */
  start(): void {
    this.#running = this.#run().catch((error) => this.#options.onFault(error));
  }

  /** The watch told something: behind it may be more. */
  noteNews(): void {
    this.#hasNews = true;
    this.#wake?.();
  }

  /** Resolves when nothing of it is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    await this.#scanFirst();
    this.#options.onFirstOver();
    while (!this.#isClosed) {
      const nowMs = performance.now();
      const hasKnown = this.#known.length > 0;
      const isListsTurn = !hasKnown || this.#listingMs <= this.#lookingMs;
      if (this.#restUntilMs > nowMs) await this.#sleepUntil(this.#restUntilMs);
      else if (isListsTurn && this.#nextListMs() <= nowMs) await this.#list();
      else if (hasKnown) await this.#lookAtSome();
      else await this.#sleepUntil(this.#nextListMs());
    }
  }

  /** New files, then those that are known and have changed; each kind oldest first. */
  async #scanFirst(): Promise<void> {
    await this.#list();
    const changed: Candidate[] = [];
    while (this.#known.length > 0 && !this.#isClosed) {
      const startedMs = performance.now();
      changed.push(...await this.#lookAtNext());
      this.#rest(startedMs, FIRST_SCAN_SHARE);
      await this.#sleepUntil(this.#restUntilMs);
    }
    this.#options.onFound(changed.sort(oldestFirst));
  }

  #nextListMs(): number {
    const isPressing = this.#hasNews || !this.#options.isWatched;
    return this.#listedMs + (isPressing ? NEWS_INTERVAL_MS : QUIET_INTERVAL_MS);
  }

  /** Lists the folder and looks at what is new in it. */
  async #list(): Promise<void> {
    const { knownPath, onFound } = this.#options;
    this.#hasNews = false;
    const startedMs = performance.now();
    this.#listedMs = startedMs;
    const known: string[] = [];
    const unknown: string[] = [];
    for (const path of await this.#paths()) {
      const kept = knownPath(path);
      if (kept === null) unknown.push(path);
      else known.push(kept);
    }
    const found: Candidate[] = [];
    for (let from = 0; from < unknown.length && !this.#isClosed; from += LOOK_FILES) {
      found.push(...await this.#look(unknown.slice(from, from + LOOK_FILES)));
    }
    if (found.length > 0) onFound(found.sort(oldestFirst));
    // those that wait since the last time go on waiting in their order
    if (this.#known.length === 0) {
      this.#known = known;
      this.#listingMs = this.#lookingMs = 0;
    }
    this.#listingMs += this.#rest(startedMs);
  }

  async #paths(): Promise<readonly string[]> {
    const { directory, onUnlisted } = this.#options;
    try {
      return await listFolder(directory, this.#options);
    } catch (error) {
      onUnlisted(error);
      return [];
    }
  }

  async #lookAtSome(): Promise<void> {
    const startedMs = performance.now();
    const changed = await this.#lookAtNext();
    if (changed.length > 0) this.#options.onFound(changed.sort(oldestFirst));
    this.#lookingMs += this.#rest(startedMs);
  }

  async #lookAtNext(): Promise<Candidate[]> {
    return await this.#look(this.#known.splice(-LOOK_FILES));
  }

  async #look(paths: readonly string[]): Promise<Candidate[]> {
    const { directory, isNews } = this.#options;
    const looks = await lookAtListed(directory, paths, this.#options);
    return looks.filter(isNews);
  }

  /** @returns how long it took */
  #rest(startedMs: number, share = SCAN_SHARE): number {
    const nowMs = performance.now();
    const tookMs = nowMs - startedMs;
    this.#restUntilMs = nowMs + (share - 1) * tookMs;
    return tookMs;
  }

  /** Until then, or until something is to be thought over anew. */
  async #sleepUntil(atMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(0, atMs - performance.now()));
    this.#wake = resolve;
    if (this.#isClosed) resolve();
    await promise;
    this.#wake = null;
    clearTimeout(timer);
  }
}
